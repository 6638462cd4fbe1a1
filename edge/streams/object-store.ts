// The store of streams on Durable Objects: one object a key, some for the directory. What concerns all keys goes through the directory,
// some keys a call, since one request may ask only so many objects.
import { ArtifactError, LimitError, type Path, SequenceError } from "../../shared/errors.ts";
import type { Recipe } from "../../shared/recipe/recipe.ts";
import type { Breaker } from "../deliveries/breaker.ts";
import type { DeliveryFilter, ReplayFilter } from "../deliveries/outbox-rows.ts";
import { RequestError } from "../http/problem.ts";
import type { Models } from "../models/models.ts";
import { type Ready, schemaOf } from "../models/servable-model.ts";
import { parseName, type StreamEvent } from "../webhooks/event.ts";
import { type Cursor, decodeCursor, encodeCursor, START } from "./cursor.ts";
import { DIRECTORY_SHARDS, type Directory, type ListedKey, shardOf, type Totals } from "./directory.ts";
import { type Accepted, type DestinationView, type EventOrigin, OtherModel, type Page, type StreamStore } from "./store.ts";
import type { Acceptance, ListedDelivery, StreamObject } from "./stream-object.ts";
import { alignRows, countValid } from "./window.ts";

/** A namespace of Durable Objects as far as it is used. */
export interface Namespace<T> {
  idFromName(name: string): unknown;
  /** Throws for an id of another namespace. */
  idFromString(id: string): unknown;
  get(id: unknown): T;
}

export interface Namespaces {
  readonly streams: Namespace<StreamObject>;
  readonly directory: Namespace<Directory>;
  /** Absent where the deployment binds none. */
  readonly breakers?: Namespace<Breaker>;
}

/** Objects that one request asks, at most: half of the subrequests that the platform allows by default, and no client waits long. */
const OBJECTS_A_CALL = 100;
const OBJECTS_AT_ONCE = 10;
/** Objects that one sweep wakes in each shard. */
const SWEPT_A_SHARD = 50;
/** An alarm that is this late is lost or about to run: being woken does no harm. */
const OVERDUE_MS = 60_000;
/** A key that was woken is left alone for this long: others are in line. */
const SWEEP_MS = 600_000;

/** The object that has this name. */
export function objectOf<T>(namespace: Namespace<T>, name: string): T {
  return namespace.get(namespace.idFromName(name));
}

/** The object of shard `index`, 0 to DIRECTORY_SHARDS − 1. */
export function directoryOf(directory: Namespace<Directory>, index: number): Directory {
  return objectOf(directory, `${index}`);
}

/**
 * The store of streams on these objects. `now`: milliseconds since 1970. `report` gets whatever the objects fail with; who
 * asked gets a RequestError `storage`.
 */
export function createObjectStore(models: Models, namespaces: Namespaces, now: () => number, report: (error: Error) => void): StreamStore {
  const objects = objectsOf(namespaces);
  const store: StreamStore = {
    accept: async (key, events, { ready, ...origin }) => acceptEvents(objects, ready ?? (await models.choose({})), key, events, origin),
    claim: (token, digest) => objects.shard(shardOf(token)).claim(token, digest, now()),
    view: async (key) => (await objects.streamOf(key).view()) ?? undefined,
    forget: (key) => objects.streamOf(key).forget(),
    prediction: async (key, source, id) => (await objects.streamOf(key).prediction(source, id)) ?? undefined,
    announce: (key, bodies, atOnce) => objects.streamOf(key).announce(key, bodies, atOnce),
    keys: (limit, cursor) => listKeys(objects, limit, decodeCursor(cursor)),
    deliveries: ({ key, ...filter }, limit, cursor) =>
      key === undefined
        ? listAllDeliveries(objects, filter, limit, decodeCursor(cursor))
        : listDeliveries(objects, key, filter, limit, decodeCursor(cursor)),
    replay: async (id) => (await inObject(namespaces.streams, id, (object, generation, n) => object.replay(generation, n))) ?? false,
    delivery: async (id) =>
      (await inObject(namespaces.streams, id, (object, generation, n) => object.delivery(generation, n))) ?? undefined,
    replayAll: async ({ key, ...filter }, cursor) =>
      key === undefined
        ? replayEverywhere(objects, filter, decodeCursor(cursor))
        : { replayed: await objects.streamOf(key).replayAll(filter) },
    totals: () => sumTotals(objects),
    breakers: (destinations) => viewBreakers(namespaces.breakers, destinations),
    hear: (source, tally) => objects.shard(shardOf(source)).hear(source, tally, now()),
    sources: async () => (await inEveryShard(objects, (shard) => shard.sources(now()))).flat().sort((a, b) => (a.name < b.name ? -1 : 1)),
    sweep: () => wakeOverdue(objects, now()),
  };
  return reportFailures(store, report);
}

interface Objects {
  streamOf(key: string): StreamObject;
  shard(index: number): Directory;
}

function objectsOf({ streams, directory }: Namespaces): Objects {
  return {
    streamOf: (key) => objectOf(streams, key),
    shard: (index) => directoryOf(directory, index),
  };
}

/** Asks all shards at once. */
function inEveryShard<R>(objects: Objects, ask: (shard: Directory) => Promise<R>): Promise<R[]> {
  return Promise.all(Array.from({ length: DIRECTORY_SHARDS }, async (_, index) => ask(objects.shard(index))));
}

/** As StreamStore.accept. */
async function acceptEvents(
  objects: Objects,
  ready: Ready,
  key: string,
  events: readonly StreamEvent[],
  origin: Omit<EventOrigin, "ready">,
): Promise<readonly Accepted[]> {
  parseName(key, ["key"]);
  for (const { data } of events)
    if ("sequence" in data && countValid(ready, alignRows(ready, data.sequence)) === 0)
      throw new SequenceError(["sequence"], "must have at least one row that is not all zeros", "only padding");
  const acceptance = await objects.streamOf(key).accept(key, events, { ...origin, schema: schemaOf(ready.model.recipe) });
  if ("unready" in acceptance)
    throw acceptance.isPin ? new RequestError("model", acceptance.unready) : new ArtifactError(acceptance.unready);
  if ("answers" in acceptance) {
    const { answers, sha256 } = acceptance;
    return answers.map((one): Accepted => (one.replayed ? one : { ...one, sha256 }));
  }
  return refuse(acceptance, events, ready.model.recipe);
}

/** Throws what an acceptance without answers says. */
function refuse(
  refusal: Exclude<Acceptance, { answers: unknown } | { unready: string }>,
  events: readonly StreamEvent[],
  recipe: Pick<Recipe, "inputs">,
): never {
  const pathOf = (index: number, name: string): Path => (events.length > 1 ? ["events", index, name] : [name]);
  if ("noStatics" in refusal) {
    const names = (recipe.inputs ?? []).filter((input) => input.static).map(({ name }) => name);
    const rule = `must be an object with ${names.join(", ")}, since no event of this stream has given them since its window was empty: give them once, later events may leave them out`;
    throw new SequenceError(pathOf(refusal.noStatics, "static"), rule, "nothing");
  }
  if ("maxAnswers" in refusal) {
    const { maxAnswers } = refusal;
    const sentence = `the answers to ${events.length} events would have more than ${maxAnswers} characters: send them in parts, nothing is stored`;
    throw new LimitError(["events"], sentence, maxAnswers);
  }
  if ("maxKeys" in refusal)
    throw new LimitError(
      [],
      `this deployment keeps ${refusal.maxKeys} streams already: no new key is taken, nothing is stored`,
      refusal.maxKeys,
    );
  if ("owner" in refusal)
    throw new RequestError("forbidden", "another source writes this stream: bind the key or the source to the stream to write there, too");
  if ("otherSchema" in refusal) throw new OtherModel(refusal.otherSchema);
  const { conflict } = refusal;
  throw new RequestError(
    "conflict",
    `the id ${JSON.stringify(events[conflict].id)} is taken by an event that says otherwise`,
    pathOf(conflict, "id"),
  );
}

/** A key as the directory lists it, with the cursor behind it. */
type FoundKey = ListedKey & { readonly at: Cursor };

/** The keys behind `from`, shard after shard, at most `limit`. */
async function keysFrom(objects: Objects, { shard: first, after }: Cursor, limit: number): Promise<readonly FoundKey[]> {
  const keys: FoundKey[] = [];
  for (let index = first; index < DIRECTORY_SHARDS && keys.length < limit; index++) {
    const page = await objects.shard(index).page(index === first ? after : "", limit - keys.length);
    for (const listed of page) keys.push({ ...listed, at: { shard: index, after: listed.key } });
  }
  return keys;
}

/** The cursor behind `keys`; none where they are the last: fewer than were asked for. */
function cursorBehind(keys: readonly FoundKey[], limit: number): { readonly cursor?: string } {
  return keys.length === limit ? { cursor: encodeCursor(keys[limit - 1].at) } : {};
}

async function listKeys(objects: Objects, limit: number, from: Cursor): Promise<Page<ListedKey>> {
  const keys = await keysFrom(objects, from, limit);
  return { items: keys.map(({ at, ...listed }) => listed), ...cursorBehind(keys, limit) };
}

/** Of one key, newest first. */
async function listDeliveries(
  objects: Objects,
  key: string,
  filter: DeliveryFilter,
  limit: number,
  { before = Number.MAX_SAFE_INTEGER }: Cursor,
): Promise<Page<ListedDelivery>> {
  const items = await objects.streamOf(key).list(filter, before, limit);
  return { items, ...(items.length === limit && { cursor: encodeCursor({ ...START, before: items[limit - 1].n }) }) };
}

/** Key by key, each newest first: the rest of the key that `from` is in, then the keys behind. */
async function listAllDeliveries(objects: Objects, filter: DeliveryFilter, limit: number, from: Cursor): Promise<Page<ListedDelivery>> {
  const items: ListedDelivery[] = [];
  if (from.before !== undefined) {
    if (from.after === "")
      throw new RequestError("parameter", "cursor must be one that an answer of this list gave: that one is of one key");
    items.push(...(await objects.streamOf(from.after).list(filter, from.before, limit)));
    if (items.length === limit) return { items, cursor: encodeCursor({ ...from, before: items[limit - 1].n }) };
  }
  const keys = await keysFrom(objects, from, OBJECTS_A_CALL);
  for (const listed of keys) {
    if (hasNone(listed, filter)) continue;
    items.push(...(await objects.streamOf(listed.key).list(filter, Number.MAX_SAFE_INTEGER, limit - items.length)));
    if (items.length === limit) return { items, cursor: encodeCursor({ ...listed.at, before: items[limit - 1].n }) };
  }
  return { items, ...cursorBehind(keys, OBJECTS_A_CALL) };
}

/** Whether the directory knows for certain that the key has no such delivery: where nothing may be due the counts are exact. */
function hasNone(listed: ListedKey, { state }: DeliveryFilter): boolean {
  return listed.due === null && (state === undefined ? listed.delivered + listed.dead : listed[state]) === 0;
}

/** Asks the object that a delivery's id names; undefined where the id is none. */
async function inObject<R>(
  streams: Namespace<StreamObject>,
  id: string,
  ask: (object: StreamObject, generation: string, n: number) => Promise<R>,
): Promise<R | undefined> {
  const [, object, generation, n] = /^msg_([0-9a-f]{64})_([0-9a-f]{8})_(\d{1,15})$/.exec(id) ?? [];
  if (object === undefined) return undefined;
  let objectId: unknown;
  try {
    objectId = streams.idFromString(object);
  } catch {
    return undefined;
  }
  return ask(streams.get(objectId), generation, Number(n));
}

async function replayEverywhere(objects: Objects, filter: ReplayFilter, from: Cursor) {
  const keys = await keysFrom(objects, from, OBJECTS_A_CALL);
  let replayed = 0;
  const mayHaveAny = keys.filter((listed) => !hasNone(listed, { state: "dead", ...filter }));
  await inParallel(mayHaveAny, async ({ key }) => {
    const count = await objects.streamOf(key).replayAll(filter); // `+= await` would add to what the sum was before
    replayed += count;
  });
  return { replayed, ...cursorBehind(keys, OBJECTS_A_CALL) };
}

async function sumTotals(objects: Objects): Promise<Totals> {
  const shards = await inEveryShard(objects, (shard) => shard.totals());
  const sum = (name: keyof Totals): number => shards.reduce((total, counts) => total + counts[name], 0);
  const [streams, pending, delivered, dead, dropped] = (["streams", "pending", "delivered", "dead", "dropped"] as const).map(sum);
  return { streams, pending, delivered, dead, dropped };
}

async function viewBreakers(breakers: Namespace<Breaker> | undefined, destinations: readonly string[]) {
  if (breakers === undefined) return [];
  const views: DestinationView[] = [];
  await inParallel(destinations.toSorted(), async (name) => {
    views.push({ name, ...(await objectOf(breakers, name).view()) });
  });
  return views.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Rearms the alarms that are overdue: how many. */
async function wakeOverdue(objects: Objects, now: number): Promise<number> {
  const woken = await inEveryShard(objects, async (shard) => {
    const keys = await shard.overdue(now - OVERDUE_MS, now - SWEEP_MS, now, SWEPT_A_SHARD);
    const results = await Promise.allSettled(keys.map((key) => objects.streamOf(key).rearmAlarm(key)));
    return results.filter(({ status }) => status === "fulfilled").length; // the others are in line for the next sweep
  });
  return woken.reduce((sum, count) => sum + count, 0);
}

/** Whatever the objects fail with is reported, and is a RequestError `storage`: what was asked may or may not have happened. */
function reportFailures(store: StreamStore, report: (error: Error) => void): StreamStore {
  const reporting = <A extends unknown[], R>(method: (...parameters: A) => Promise<R>) => {
    return async (...parameters: A): Promise<R> => {
      try {
        return await method(...parameters);
      } catch (error) {
        if (
          error instanceof RequestError ||
          error instanceof SequenceError ||
          error instanceof LimitError ||
          error instanceof ArtifactError
        )
          throw error;
        report(error as Error);
        throw new RequestError("storage", "the storage of streams did not answer: the same again is safe");
      }
    };
  };
  return Object.fromEntries(Object.entries(store).map(([name, method]) => [name, reporting(method)])) as unknown as StreamStore;
}

async function inParallel<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) await run(items[next++]);
  };
  await Promise.all(Array.from({ length: OBJECTS_AT_ONCE }, worker));
}
