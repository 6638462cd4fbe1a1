// What must be true after all crashes, counted: scores against an offline scoring of the same windows, deliveries against the outbox.
// Pure: takes what sender, receiver and listings saw.
import type { Ready } from "../../../edge/models/servable-model.ts";
import { score } from "../../../shared/model.ts";
import { type Attempt, TURNS } from "./receiver.ts";
import type { Acknowledged } from "./sender.ts";

export interface ListedDead {
  readonly id: string;
  readonly key: string;
  readonly seq: number;
  readonly destination: string;
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
  for (const { destination, id, body, taken } of attempts) {
    const { key, seq } = JSON.parse(body).data;
    const row = rowOf(key, seq, destination, id);
    row?.bodies.add(body);
    if (taken && row !== undefined) row.taken = true;
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

/** By the model itself, on values as the sender has them. */
function scoreOffline({ model, engine, log }: Ready, window: readonly Acknowledged[]): number {
  const { timesteps: T, features } = model.recipe;
  const values = new Float64Array(T * features.length);
  for (const [t, { event }] of window.entries()) values.set(event.values, (T - window.length + t) * features.length);
  return score(model, engine, log, values).probabilities[0];
}

export function isClean({ lostOrDoubled, wrongWindows, wrongScores, lost, wrongIds, strangers }: Tally): boolean {
  return lostOrDoubled + wrongWindows + wrongScores + lost + wrongIds + strangers === 0;
}
