// An answer as it is stored: its window names events by their seq alone, since each event's id is stored with it already. Pure.
import type { Accepted, StreamAnswer } from "./store.ts";

type Entry = StreamAnswer["window"][number];

/** Of an answer's JSON, which ends with its window: the text to store, and the lowest seq that it names; null where it names none. */
export function compactAnswer(text: string, window: readonly Entry[]): { readonly stored: string; readonly lowest: number | null } {
  const seqs = window.map(({ seq }) => seq);
  const end = text.lastIndexOf(WINDOW) + WINDOW.length; // in a text of JSON's the quotes would be escaped
  return { stored: `${text.slice(0, end)}[${seqs}]}`, lowest: seqs.length > 0 ? Math.min(...seqs) : null };
}

const WINDOW = '"window":';

/** Whether an answer, as JSON, has a `name`: in a text of JSON's the quotes would be escaped. */
export function hasField(answer: string, name: keyof StreamAnswer): boolean {
  return answer.includes(`"${name}":`);
}

/** The body of answers, a list or the only one. */
export function formatAnswers(accepted: readonly Accepted[], isList: boolean): string {
  const answers = accepted.map(({ answer }) => answer);
  return isList ? `{"results":[${answers}]}` : answers[0];
}

/** The answer's JSON out of what was stored, whole or compact; byte for byte as it was given. `idsOf`: the ids of the seqs that it names. */
export function expandAnswer(stored: string, idsOf: (seqs: readonly number[]) => ReadonlyMap<number, string>): string {
  const answer = JSON.parse(stored) as { window: readonly (number | Entry)[] };
  const seqs = answer.window.filter((entry) => typeof entry === "number");
  if (seqs.length === 0) return stored;
  const ids = idsOf(seqs);
  const window = answer.window.map((entry) => {
    if (typeof entry !== "number") return entry;
    const id = ids.get(entry);
    if (id === undefined) throw new Error(`the id of event ${entry}, which an answer names, is forgotten`);
    return { seq: entry, id };
  });
  return JSON.stringify({ ...answer, window });
}
