// What must be true after all crashes, counted: scores against an offline scoring of the same windows, deliveries against the outbox.
// Pure: takes what sender, receiver and listings saw.
import type { Ready } from "../../../edge/models/servable-model.ts";
import { score } from "../../../shared/model.ts";
import { type Attempt, PACKS, TURNS } from "./receiver.ts";
import type { Acknowledged } from "./sender.ts";

export interface ListedDead {
  readonly id: string;
  readonly key: string;
  readonly seq: number;
  readonly destination: string;
  /** The id of its batch; null: in none. */
  readonly batch: string | null;
}

export interface Tally {
  events: number;
  /** Acknowledged events whose seq is not one of a kind, or leaves a gap. */
  lostOrDoubled: number;
  scored: number;
  warming: number;
  late: number;
  /** Scores whose label is another than that of the key's score before. */
  turns: number;
  /** Windows that are not the last T by time of what came before, and scores that differ in a bit from the offline one. */
  wrongWindows: number;
  wrongScores: number;
  /** A scored event times a destination that wants it. */
  deliveries: number;
  delivered: number;
  /** Listed dead, and not taken by the receiver. */
  dead: number;
  /** Listed dead although the receiver took an attempt: its answer was lost in a kill, and later attempts failed. */
  takenUnheard: number;
  /** Neither taken by the receiver nor listed dead. */
  lost: number;
  /** Rows whose attempts had more than one id or body; ids of more than one row; deliveries of nothing that was scored. */
  wrongIds: number;
  strangers: number;
  /** Of the destination that takes batches: batches that came; those with other bytes from attempt to attempt, a row of another batch, or
   * not all of their rows dead where one is; and attempts with rows of before what had come. */
  batches: number;
  brokenBatches: number;
  outOfOrder: number;
}

/** What an attempt holds: each row under its own id. */
function rowsOf({
  id,
  body,
}: Pick<Attempt, "id" | "body">): readonly { readonly id: string; readonly key: string; readonly seq: number; readonly text: string }[] {
  const sent = JSON.parse(body);
  if (!Array.isArray(sent)) return [{ id, key: sent.data.key, seq: sent.data.seq, text: body }];
  return sent.map((row) => ({ id: row.id, key: row.data.key, seq: row.data.seq, text: JSON.stringify(row) }));
}

export function tally(
  ready: Ready,
  acknowledged: readonly Acknowledged[],
  attempts: readonly Attempt[],
  dead: readonly ListedDead[],
  destinations: readonly string[],
): Tally {
  const { timesteps: T, lengths } = ready.model.recipe;
  const totals: Tally = {
    events: acknowledged.length,
    lostOrDoubled: 0,
    scored: 0,
    warming: 0,
    late: 0,
    turns: 0,
    wrongWindows: 0,
    wrongScores: 0,
    deliveries: 0,
    delivered: 0,
    dead: 0,
    takenUnheard: 0,
    lost: 0,
    wrongIds: 0,
    strangers: 0,
    ...tallyBatches(
      attempts.filter(({ destination }) => destination === PACKS),
      dead,
    ),
  };
  const rows = new Map<string, { ids: Set<string>; bodies: Set<string>; taken: boolean; dead: boolean }>();
  for (const [key, ofKey] of Map.groupBy(acknowledged, ({ event }) => event.key)) {
    const inOrder = ofKey.toSorted((a, b) => a.answer.seq - b.answer.seq);
    let window: Acknowledged[] = [];
    let label: number | undefined;
    for (const [i, current] of inOrder.entries()) {
      const { event, answer } = current;
      if (answer.seq !== i + 1 || answer.id !== event.id || answer.key !== key) totals.lostOrDoubled++;
      const all = [...window, current].sort((a, b) => a.event.timestamp - b.event.timestamp || a.answer.seq - b.answer.seq);
      const placed = all.slice(-T);
      const isLate = !placed.includes(current);
      if (!isLate) window = placed;
      const ids = isLate ? [] : window.map(({ answer: { seq, id } }) => ({ seq, id }));
      if ((answer.late ?? false) !== isLate || JSON.stringify(answer.window) !== JSON.stringify(ids)) totals.wrongWindows++;
      const expected = isLate || window.length < lengths[0] ? undefined : scoreOffline(ready, window);
      if (!Object.is(answer.probability, expected)) totals.wrongScores++;
      if (isLate) totals.late++;
      else if (expected === undefined) totals.warming++;
      else {
        totals.scored++;
        const isTurn = label !== undefined && answer.label !== label;
        label = answer.label;
        if (isTurn) totals.turns++;
        for (const destination of destinations)
          if (destination !== TURNS || isTurn)
            rows.set(JSON.stringify([key, answer.seq, destination]), { ids: new Set(), bodies: new Set(), taken: false, dead: false });
      }
    }
  }
  const idsSeen = new Map<string, string>();
  const rowOf = (key: string, seq: number, destination: string, id: string) => {
    const name = JSON.stringify([key, seq, destination]);
    if ((idsSeen.get(id) ?? name) !== name) totals.wrongIds++;
    idsSeen.set(id, name);
    const row = rows.get(name);
    if (row === undefined) totals.strangers++;
    row?.ids.add(id);
    return row;
  };
  for (const attempt of attempts)
    for (const { id, key, seq, text } of rowsOf(attempt)) {
      const row = rowOf(key, seq, attempt.destination, id);
      row?.bodies.add(text);
      if (attempt.taken && row !== undefined) row.taken = true;
    }
  for (const { key, seq, destination, id } of dead) {
    const row = rowOf(key, seq, destination, id);
    if (row !== undefined) row.dead = true;
  }
  for (const { ids, bodies, taken, dead } of rows.values()) {
    totals.deliveries++;
    if (ids.size > 1 || bodies.size > 1) totals.wrongIds++;
    if (taken && dead) totals.takenUnheard++;
    if (taken) totals.delivered++;
    else if (dead) totals.dead++;
    else totals.lost++;
  }
  return totals;
}

/** Batches as they came: their bytes, their rows, their order. */
function tallyBatches(attempts: readonly Attempt[], dead: readonly ListedDead[]): Pick<Tally, "batches" | "brokenBatches" | "outOfOrder"> {
  const batches = new Map<string, { readonly body: string; readonly rows: readonly string[] }>();
  const broken = new Set<string>();
  const batchOf = new Map<string, string>();
  /** By key, the batch that was sent last. */
  const last = new Map<string, { readonly id: string; readonly seq: number; readonly rows: readonly string[] }>();
  const isDead = new Set(dead.map(({ id }) => id));
  const isTaken = new Set(attempts.filter(({ taken }) => taken).map(({ id }) => id));
  let outOfOrder = 0;
  for (const attempt of attempts.toSorted((a, b) => a.came - b.came)) {
    const { id, body } = attempt;
    const rows = rowsOf(attempt);
    const ids = rows.map((row) => row.id);
    const [{ key, seq }] = rows;
    if (!body.startsWith("[") || (batches.get(id)?.body ?? body) !== body || ids.some((row) => (batchOf.get(row) ?? id) !== id))
      broken.add(id);
    for (const row of ids) batchOf.set(row, id);
    const before = last.get(key);
    const isSorted = rows.every((row, i) => row.key === key && (i === 0 || row.seq > rows[i - 1].seq));
    const isNext = before === undefined || before.id === id || (before.seq < seq && (isTaken.has(before.id) || isDead.has(before.rows[0])));
    if (!isSorted || !isNext) outOfOrder++;
    batches.set(id, { body, rows: ids });
    last.set(key, { id, seq: rows.at(-1)!.seq, rows: ids });
  }
  for (const [id, { rows }] of batches) if (new Set(rows.map((row) => isDead.has(row))).size > 1) broken.add(id);
  for (const { id, batch } of dead) if (batchOf.has(id) && batchOf.get(id) !== batch) broken.add(batchOf.get(id)!);
  return { batches: batches.size, brokenBatches: broken.size, outOfOrder };
}

/** By the model itself, on values as the sender has them. */
function scoreOffline({ model, engine, log }: Ready, window: readonly Acknowledged[]): number {
  const { timesteps: T, features } = model.recipe;
  const values = new Float64Array(T * features.length);
  for (const [t, { event }] of window.entries()) values.set(event.values, (T - window.length + t) * features.length);
  return score(model, engine, log, values).probabilities[0];
}

export function isClean({
  lostOrDoubled,
  wrongWindows,
  wrongScores,
  lost,
  wrongIds,
  strangers,
  brokenBatches,
  outOfOrder,
}: Tally): boolean {
  return lostOrDoubled + wrongWindows + wrongScores + lost + wrongIds + strangers + brokenBatches + outOfOrder === 0;
}
