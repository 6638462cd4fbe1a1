// What one channel is: a view of a base, one number a step. Knows no data.

export type View = "level" | "delta" | "log" | "logDelta" | "centred" | "absDelta" | "logAbsDelta" | "rate";
export const VIEWS: readonly View[] = ["level", "delta", "log", "logDelta", "centred", "absDelta", "logAbsDelta", "rate"];

/**
 * What a channel looks at: feature `a`, the difference `a − b`, or the log ratio `log(a / b)` of two features. Where numbers may be
 * missing, also whether `a` is observed in a row (1, else 0), and how many rows ago it last was (0 in a row that has it; 1 in the
 * first row that does not; before any that has it, counted from the sequence's beginning).
 */
export type Base =
  | { readonly base: "feature"; readonly a: number }
  | { readonly base: "observed"; readonly a: number }
  | { readonly base: "sinceObserved"; readonly a: number }
  | { readonly base: "difference"; readonly a: number; readonly b: number }
  | { readonly base: "logRatio"; readonly a: number; readonly b: number };

export const BASES: readonly Base["base"][] = ["feature", "difference", "logRatio", "observed", "sinceObserved"];

/**
 * One number a step: a view of a base. `delta`: this row minus the previous valid row. `centred`: minus the sequence's own
 * mean over valid rows. `log`, `logDelta`: level and delta of the base's logarithm, so of a log ratio's too. `absDelta`,
 * `logAbsDelta`: how far it moved, in either direction, and that one's logarithm. `rate`: how far it moved a second, where rows
 * have times: since the row in which all that it looks at was last observed; 0 where that is not so now, or was not before.
 * `whereObserved`: there is nothing in rows where a number that it looks at is missing, instead of what fills it. `medianFilled`:
 * its feature's training median fills it everywhere, as it does before the first observed value.
 */
export type Channel = Base & { readonly view: View; readonly whereObserved?: true; readonly medianFilled?: true };

/** `log(high / low)`, `Δ close`, … as people read it; `features` (F) names. */
export function describeChannel(channel: Channel, features: readonly string[]): string {
  const text = describeView(channel, features);
  return `${text}${channel.whereObserved ? " where observed" : ""}${channel.medianFilled ? " with medians in gaps" : ""}`;
}

function describeView(channel: Channel, features: readonly string[]): string {
  const base = describeBase(channel, features);
  const inner = channel.base === "difference" ? `(${base})` : base;
  switch (channel.view) {
    case "level":
      return base;
    case "delta":
      return `Δ ${inner}`;
    case "log":
      return `log(${base})`;
    case "logDelta":
      return `Δ log(${base})`;
    case "centred":
      return `${inner} − its mean`;
    case "absDelta":
      return `|Δ ${inner}|`;
    case "logAbsDelta":
      return `log|Δ ${inner}|`;
    case "rate":
      return `Δ ${inner} a second`;
  }
}

function describeBase(base: Base, features: readonly string[]): string {
  const a = features[base.a];
  switch (base.base) {
    case "feature":
      return a;
    case "observed":
      return `${a} is observed`;
    case "sinceObserved":
      return `rows since ${a} was observed`;
    case "difference":
      return `${a} − ${features[base.b]}`;
    case "logRatio":
      return `log(${a} / ${features[base.b]})`;
  }
}

/** Feature b of a base of two features, else undefined. */
export function secondFeature(base: Base): number | undefined {
  return base.base === "difference" || base.base === "logRatio" ? base.b : undefined;
}

/** Whether `feature` is one of those that a channel looks at. */
export function looksAt(channel: Base, feature: number): boolean {
  return channel.a === feature || secondFeature(channel) === feature;
}

/** Whether a base tells of gaps alone, not of values. */
export function tellsOfGaps({ base }: Base): boolean {
  return base === "observed" || base === "sinceObserved";
}

/** Whether a view compares a row with the one before: it has no entry in the first. */
export function takesMovement({ view }: Pick<Channel, "view">): boolean {
  return view === "delta" || view === "logDelta" || view === "absDelta" || view === "logAbsDelta" || view === "rate";
}

/** Whether the view takes the base's logarithm. */
export function takesLogarithm({ view }: Channel): boolean {
  return view === "log" || view === "logDelta";
}

/** Which of a channel's three floors it needs: of feature a, of feature b, of the base, of how far it moves or of the seconds it took, as Recipe.floor orders them. */
export function usesFloors(channel: Channel): readonly [a: boolean, b: boolean, base: boolean] {
  const isRatio = channel.base === "logRatio";
  return [isRatio, isRatio, takesLogarithm(channel) || channel.view === "logAbsDelta" || channel.view === "rate"];
}
