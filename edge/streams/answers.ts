// An answer as it is stored: its window names events by their seq alone, since each event's id is stored with it already. Pure.
import type { StreamAnswer } from "./store.ts";

type Entry = StreamAnswer["window"][number];

/** The text to store, and the lowest seq that it names; null where it names none. */
export function compactAnswer(answer: StreamAnswer): { readonly text: string; readonly lowest: number | null } {
  const seqs = answer.window.map(({ seq }) => seq);
  return { text: JSON.stringify({ ...answer, window: seqs }), lowest: seqs.length > 0 ? Math.min(...seqs) : null };
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
