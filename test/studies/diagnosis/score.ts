// What a diagnosis is worth, in counts: right top causes, false alarms, false discoveries, each with its Wilson interval.
import type { CauseCode } from "../../../trainer/diagnosis/cause.ts";
import type { Diagnosis } from "../../../trainer/diagnosis/diagnosis.ts";
import { wilson } from "../../../trainer/statistics/intervals.ts";

export type Answer = CauseCode | "healthy";

/** What is named first, or that nothing is named. */
export function topOf({ causes }: Pick<Diagnosis, "causes">): Answer {
  return causes[0]?.code ?? "healthy";
}

/** Whether a diagnosis says, or lets one believe, that there is something to learn. */
export function claimsSignal({ causes }: Pick<Diagnosis, "causes">): boolean {
  return causes[0]?.code !== "no-signal";
}

/** Whether `top` is what was planted: how far levels stand apart decides which of two names a movement has. */
export function isRight({ planted, top }: { readonly planted: Answer; readonly top: Answer }): boolean {
  const family = (answer: Answer): Answer => (answer === "movement-hidden" ? "movement-tiny" : answer);
  return family(planted) === family(top);
}

/** `212 of 225, 94.2 % (90.4 to 96.6)` */
export function describeShare(hits: number, count: number): string {
  if (count === 0) return "none";
  const { value, low, high } = wilson(hits, count);
  const [middle, from, to] = [value, low, high].map((share) => (100 * share).toFixed(1));
  return `${hits} of ${count}, ${middle} % (${from} to ${to})`;
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
