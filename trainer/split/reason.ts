// Why a data set was split the way it was: facts with codes, and the one sentence that says them. Knows no sequence.

/** How many sequences share rows, and in how many series. */
export interface SharingFacts {
  readonly sequences: number;
  /** Of all sequences, those that share a row with another. */
  readonly sharing: number;
  /** Series of more than one sequence. */
  readonly series: number;
  /** Sequences of the longest series. */
  readonly longest: number;
}

/** Windows that were cut from rows: where they come from is known. */
export interface WindowFacts {
  readonly windows: number;
  readonly series: number;
}

/** Steps between parts, and the sequences left out for it. */
interface GapFacts {
  readonly gap: number;
  readonly dropped: number;
}

export type SplitReason =
  /** By time as asked, in the file's order, or in that of its column `time`: shared rows do not tell the time. */
  | ({ readonly code: "file-order"; readonly time?: string } & GapFacts)
  /** By time, windows in the order of their last rows' times. */
  | ({ readonly code: "window-times" } & WindowFacts & GapFacts)
  /** By time, windows of long series without times, in the order of their rows. */
  | ({ readonly code: "window-order" } & WindowFacts & GapFacts)
  /** By time, in the order that shared rows show. */
  | ({ readonly code: "shared-rows-order" } & SharingFacts & GapFacts)
  /** Whole series of windows, as asked. */
  | ({ readonly code: "window-series-asked" } & WindowFacts)
  /** Whole series of windows, since they are short. */
  | ({ readonly code: "window-series" } & WindowFacts)
  /** Whole series that shared rows show, since they are short. */
  | ({ readonly code: "shared-rows-series" } & SharingFacts)
  /** Whole groups; `crossesParts` of the sequences share rows with another part. */
  | { readonly code: "groups"; readonly groups: number; readonly sequences: number; readonly crossesParts: number }
  /** At random as asked; `copies` equal another sequence and stay with it. */
  | { readonly code: "random-asked"; readonly copies: number; readonly sequences: number; readonly crossesParts: number }
  /** At random, since no row is in two different sequences. */
  | { readonly code: "no-shared-rows"; readonly copies: number }
  /** At random, since rows recur by coincidence: around the share `contradictions` of them other rows stand. */
  | { readonly code: "coincidence"; readonly contradictions: number; readonly copies: number };

/** `split by time: 2,000 of 2,000 sequences share rows, in one series, …` */
export function describeSplit({ by, reason }: { readonly by: string; readonly reason: SplitReason }): string {
  return `split by ${by}: ${describeReason(reason)}`;
}

/** The reason alone, as a clause without a full stop. */
export function describeReason(reason: SplitReason): string {
  switch (reason.code) {
    case "file-order":
      return `as asked, in the order of ${reason.time === undefined ? "the file" : reason.time}, ${describeGap(reason)}`;
    case "window-times":
      return `${describeWindows(reason)}, in the order of their last rows' times, ${describeGap(reason)}`;
    case "window-order":
      return `${describeWindows(reason)}, so in the order of their rows, ${describeGap(reason)}`;
    case "shared-rows-order":
      return `${describeSharing(reason)}, so in the order of time that these rows give, ${describeGap(reason)}`;
    case "window-series-asked":
      return `as asked, ${describeWindows(reason)}, each series in one part`;
    case "window-series":
      return `${describeWindows(reason)}, so each series is in one part`;
    case "shared-rows-series":
      return `${describeSharing(reason)}, so each series is in one part`;
    case "groups":
      return `as asked, ${count(reason.groups)} groups, each in one part${describeCrossing(reason)}`;
    case "random-asked":
      return `as asked, at random, stratified by label${describeCopies(reason)}${describeCrossing(reason)}`;
    case "no-shared-rows":
      return `no row is in two different sequences, so at random, stratified by label${describeCopies(reason)}`;
    case "coincidence":
      return `equal rows stand in different sequences, ${Math.round(100 * reason.contradictions)} % of them between other rows, so the sequences are no windows of one series: at random, stratified by label${describeCopies(reason)}`;
  }
}

function describeGap({ gap, dropped }: GapFacts): string {
  const steps = `with a gap of ${gap === 1 ? "1 step" : `${gap} steps`}`;
  if (dropped === 0) return `${steps} between parts`;
  return `${steps}, for which ${dropped === 1 ? "1 sequence is" : `${count(dropped)} sequences are`} left out`;
}

function describeWindows({ windows, series }: WindowFacts): string {
  return `${count(windows)} windows of ${series === 1 ? "one" : count(series)} series`;
}

function describeSharing({ sequences, sharing, series, longest }: SharingFacts): string {
  const where = series === 1 ? "one series" : `${count(series)} series of up to ${count(longest)}`;
  return `${count(sharing)} of ${count(sequences)} sequences share rows, in ${where}`;
}

function describeCopies({ copies }: { readonly copies: number }): string {
  return copies === 0 ? "" : `, exact copies (${count(copies)}) with their originals`;
}

function describeCrossing({ crossesParts, sequences }: { readonly crossesParts: number; readonly sequences: number }): string {
  if (crossesParts === 0) return "";
  return `; but ${count(crossesParts)} of ${count(sequences)} sequences share rows with another part, which flatters the scores`;
}

function count(n: number): string {
  return n.toLocaleString("en-US");
}
