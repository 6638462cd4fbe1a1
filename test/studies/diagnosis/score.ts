// What a diagnosis is worth, in counts: right top causes, false alarms, false discoveries, each with its Wilson interval.
import type { CauseCode } from "../../../trainer/diagnosis/cause.ts";
import type { Diagnosis } from "../../../trainer/diagnosis/diagnosis.ts";

export type Answer = CauseCode | "healthy";

/** What is named first, or that nothing is named. */
export function topOf({ causes }: Pick<Diagnosis, "causes">): Answer {
  return causes[0]?.code ?? "healthy";
}

/** Whether a diagnosis says, or lets one believe, that there is something to learn. */
export function claimsSignal({ causes }: Pick<Diagnosis, "causes">): boolean {
  return causes[0]?.code !== "no-signal";
}

/** 95 % interval of a share (Wilson 1927), in [0,1]. */
export function wilson(hits: number, count: number): [low: number, high: number] {
  const z = 1.959964;
  const share = hits / count;
  const centre = (share + (z * z) / (2 * count)) / (1 + (z * z) / count);
  const half = (z / (1 + (z * z) / count)) * Math.sqrt((share * (1 - share)) / count + (z * z) / (4 * count * count));
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}

/** `212 of 225, 94.2 % (90.4 to 96.6)` */
export function describeShare(hits: number, count: number): string {
  if (count === 0) return "none";
  const [low, high] = wilson(hits, count).map((share) => (100 * share).toFixed(1));
  return `${hits} of ${count}, ${((100 * hits) / count).toFixed(1)} % (${low} to ${high})`;
}

/** Planted causes down, answers across; empty cells are zeros. */
export function confusionMatrix(pairs: readonly { readonly planted: Answer; readonly top: Answer }[]): string {
  const planted = [...new Set(pairs.map((pair) => pair.planted))];
  const answers = [...planted, ...new Set(pairs.map((pair) => pair.top).filter((answer) => !planted.includes(answer)))];
  const width = Math.max(...answers.map((answer) => answer.length));
  const columns = answers.map((_, i) => String.fromCharCode(97 + i));
  const rows = answers.map((answer, i) => {
    const own = pairs.filter((pair) => pair.planted === answer);
    const cells = answers.map((other) => own.filter((pair) => pair.top === other).length || "");
    return `${columns[i]} ${answer.padEnd(width)} ${cells.map((cell) => String(cell).padStart(4)).join("")}`;
  });
  return [`  ${"planted \\ named first".padEnd(width)} ${columns.map((column) => column.padStart(4)).join("")}`, ...rows].join("\n");
}
