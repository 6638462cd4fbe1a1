// Events of one request → their answers, within one transaction of the key's object: all are taken or none.
import type { StreamEvent } from "../webhooks/event.ts";
import type { EventLog, Scorer } from "./event-log.ts";
import { type PostDependencies, postAnswer } from "./posting.ts";
import type { Acceptance, Origin } from "./stream-object.ts";

/** The clock of the Worker that let an event in may be ahead of the object's by so much. */
export const CLOCK_SKEW_MS = 60_000;
/** Characters of a request's answers, at most three bytes each: what crosses to the Worker may have 32 MiB. */
const MAX_ANSWERS_LENGTH = 8 * 1024 * 1024;
/** Instead of a source: several wrote the window before anyone asked. */
const ANYONE = "*";

export interface AcceptDependencies extends PostDependencies {
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Why nothing of a request is taken, thrown to undo what was written. */
export class Refusal extends Error {
  readonly acceptance: Acceptance;
  constructor(acceptance: Acceptance) {
    super(Object.keys(acceptance)[0]);
    this.acceptance = acceptance;
  }
}

/**
 * The answers, in the order of the events; those that are scored are in the outbox then. `schema` is that of the object's own model.
 * Throws Refusal.
 */
export function takeEvents(
  eventLog: EventLog,
  events: readonly StreamEvent[],
  origin: Origin,
  scorer: Scorer & { readonly schema: string },
  dependencies: AcceptDependencies,
): readonly { readonly answer: string; readonly replayed: boolean }[] {
  if (!fits(events, origin, scorer)) throw new Refusal({ otherSchema: scorer.schema });
  claim(eventLog, origin);
  let isFresh = eventLog.adopt(scorer.schema, origin.model ?? null);
  const answers = events.map((event, index) => {
    const answer = takeNew(eventLog, event, origin, scorer, isFresh, dependencies);
    if (answer !== undefined) {
      isFresh = false;
      return { answer, replayed: false };
    }
    const known = eventLog.find(origin.source, event.id);
    if (known === undefined) throw new Refusal({ noStatics: index });
    if (known.digest !== event.digest) throw new Refusal({ conflict: index });
    return { answer: known.answer, replayed: true };
  });
  if (answers.reduce((sum, { answer }) => sum + answer.length, 0) > MAX_ANSWERS_LENGTH)
    throw new Refusal({ maxAnswers: MAX_ANSWERS_LENGTH });
  return answers;
}

/** Worker and object may run different versions. One of before does not say its schema: its rows must at least be as wide. */
function fits(events: readonly StreamEvent[], origin: Origin, { ready, schema }: Scorer & { readonly schema: string }): boolean {
  if (origin.schema !== undefined) return origin.schema === schema;
  const F = ready.model.recipe.features.length;
  return events.every(({ data }) =>
    ("sequence" in data ? data.sequence : "values" in data ? [data.values] : []).every((row) => row.length === F),
  );
}

/** The first source to write a window owns it; another may write it where the configuration binds it to the stream. Throws Refusal. */
function claim(eventLog: EventLog, { source, isBound }: Origin): void {
  const { owner } = eventLog.facts;
  if (owner === null) eventLog.change({ owner: source });
  else if (owner !== source && owner !== ANYONE && !isBound) throw new Refusal({ owner });
}

/** Scores, stores and posts one event of a request; undefined where its id is known, or nobody gave what it leaves out. */
function takeNew(
  eventLog: EventLog,
  event: StreamEvent,
  origin: Origin,
  scorer: Scorer,
  isFresh: boolean,
  dependencies: AcceptDependencies,
) {
  const { settings } = dependencies.endpoints;
  const now = Math.max(dependencies.now(), eventLog.arrived); // the order of arrival survives a clock that was set back
  if (now - eventLog.arrived > settings.idleTtlMs) eventLog.forgetWindow();
  eventLog.leaveOut(now + settings.futureMs + CLOCK_SKEW_MS);
  if ("own" in event.data && eventLog.statics === undefined) return undefined;
  const added = eventLog.add(scorer, origin.source, event, now, isFresh);
  if (added === undefined) return undefined;
  // by the clock as it stands: `now` may be ahead for as long as the clock once jumped
  if (!added.answer.late) postAnswer(eventLog, added, origin, dependencies.now(), dependencies);
  const forgotten = eventLog.trim();
  if (forgotten > 0) dependencies.log({ event: "ids forgotten early", key: eventLog.facts.key, forgotten });
  return added.text;
}
