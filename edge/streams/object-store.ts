// The store of streams on Durable Objects: one object a key, some for the directory. What concerns all keys goes through the directory,
// some keys a call, since one request may ask only so many objects.
import { ArtifactError, SequenceError } from "../../shared/errors.ts";
import { RequestError } from "../http/problem.ts";
import type { Deployment } from "../models/servable-model.ts";
import { decode, encodeBase64, encodeText } from "../webhooks/encoding.ts";
import { DIRECTORY_SHARDS, type Directory, type ListedKey, type Totals } from "./directory.ts";
import { parseKey } from "./event.ts";
import type { Accepted, Page, StreamStore } from "./store.ts";
import type { ListedDelivery, StreamObject } from "./stream-object.ts";
import { countValid } from "./window.ts";

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

/** A place in the keys of all shards: behind `after`; and, where `before` is given, in `after` itself below this row. */
interface Cursor {
  readonly shard: number;
  readonly after: string;
  readonly before?: number;
}
const START: Cursor = { shard: 0, after: "" };

export function directoryOf(directory: Namespace<Directory>, shard: number): Directory {
  return directory.get(directory.idFromName(`${shard}`));
}

export function createObjectStore(
  deployment: Deployment,
  { streams, directory }: Namespaces,
  now: () => number,
  report: (error: Error) => void,
): StreamStore {
  const streamOf = (key: string): StreamObject => streams.get(streams.idFromName(key));
  const shard = (index: number): Directory => directoryOf(directory, index);

  /** The keys behind `from`, shard after shard, at most `limit`, each with the cursor behind it. */
  async function keysFrom({ shard: first, after }: Cursor, limit: number): Promise<readonly (ListedKey & { readonly at: Cursor })[]> {
    const found: (ListedKey & { readonly at: Cursor })[] = [];
    for (let index = first; index < DIRECTORY_SHARDS && found.length < limit; index++) {
      const keys = await shard(index).page(index === first ? after : "", limit - found.length);
      for (const listed of keys) found.push({ ...listed, at: { shard: index, after: listed.key } });
    }
    return found;
  }

  async function deliveriesOfAll(
    filter: Parameters<StreamStore["deliveries"]>[0],
    limit: number,
    from: Cursor,
  ): Promise<Page<ListedDelivery>> {
    const items: ListedDelivery[] = [];
    const { after, before } = from;
    if (before !== undefined) {
      items.push(...(await streamOf(after).list(filter, before, limit)));
      if (items.length === limit) return { items, cursor: encodeCursor({ ...from, before: items[limit - 1].n }) };
    }
    const keys = await keysFrom(from, OBJECTS_A_CALL);
    for (const listed of keys) {
      // where nothing may be due the counts are exact
      const isEmpty = listed.due === null && (filter.state === undefined ? listed.delivered + listed.dead : listed[filter.state]) === 0;
      if (isEmpty) continue;
      items.push(...(await streamOf(listed.key).list(filter, Number.MAX_SAFE_INTEGER, limit - items.length)));
      if (items.length === limit) return { items, cursor: encodeCursor({ ...listed.at, before: items[limit - 1].n }) };
    }
    return { items, ...(keys.length === OBJECTS_A_CALL && { cursor: encodeCursor(keys[OBJECTS_A_CALL - 1].at) }) };
  }

  const store: StreamStore = {
    async accept(key, events, origin) {
      parseKey(key, ["key"]);
      if ("unready" in deployment) throw new ArtifactError(deployment.unready);
      for (const { data } of events)
        if ("sequence" in data && countValid(deployment, data.sequence) === 0)
          throw new SequenceError(["sequence"], "must have at least one row that is not all zeros", "only padding");
      const acceptance = await streamOf(key).accept(key, events, origin);
      if ("unready" in acceptance) throw new ArtifactError(acceptance.unready);
      if ("answers" in acceptance)
        return acceptance.answers.map(({ answer, replayed }): Accepted => ({ answer: JSON.parse(answer), replayed }));
      const { conflict } = acceptance;
      const path = events.length > 1 ? ["events", conflict, "id"] : ["id"];
      throw new RequestError("conflict", `the id ${JSON.stringify(events[conflict].id)} is taken by an event that says otherwise`, path);
    },

    view: async (key) => (await streamOf(key).view()) ?? undefined,

    forget: (key) => streamOf(key).forget(),

    async keys(limit, cursor) {
      const found = await keysFrom(decodeCursor(cursor), limit);
      const items = found.map(({ at, ...listed }) => listed);
      return { items, ...(found.length === limit && { cursor: encodeCursor(found[limit - 1].at) }) };
    },

    async deliveries(filter, limit, cursor) {
      const from = decodeCursor(cursor);
      if (filter.key === undefined) return deliveriesOfAll(filter, limit, from);
      const items = await streamOf(filter.key).list(filter, from.before ?? Number.MAX_SAFE_INTEGER, limit);
      return { items, ...(items.length === limit && { cursor: encodeCursor({ ...START, before: items[limit - 1].n }) }) };
    },

    async replay(id) {
      const [, object, incarnation, n] = /^msg_([0-9a-f]{64})_([0-9a-f]{8})_(\d{1,15})$/.exec(id) ?? [];
      if (object === undefined) return false;
      let objectId: unknown;
      try {
        objectId = streams.idFromString(object);
      } catch {
        return false;
      }
      return streams.get(objectId).replay(incarnation, Number(n));
    },

    async replayDead(destination, cursor) {
      const keys = await keysFrom(decodeCursor(cursor), OBJECTS_A_CALL);
      let replayed = 0;
      const mayHaveDead = keys.filter(({ due, dead }) => due !== null || dead > 0); // where nothing is due the counts are exact
      await inParallel(mayHaveDead, async ({ key }) => {
        const count = await streamOf(key).replayDead(destination); // `+= await` would add to what the sum was before
        replayed += count;
      });
      return { replayed, ...(keys.length === OBJECTS_A_CALL && { cursor: encodeCursor(keys[OBJECTS_A_CALL - 1].at) }) };
    },

    async totals() {
      const shards = await Promise.all(Array.from({ length: DIRECTORY_SHARDS }, (_, index) => shard(index).totals()));
      const sum = (name: keyof Totals): number => shards.reduce((total, counts) => total + counts[name], 0);
      const [streams, pending, delivered, dead, dropped] = (["streams", "pending", "delivered", "dead", "dropped"] as const).map(sum);
      return { streams, pending, delivered, dead, dropped };
    },

    async sweep() {
      const woken = await Promise.all(
        Array.from({ length: DIRECTORY_SHARDS }, async (_, index) => {
          const keys = await shard(index).overdue(now() - OVERDUE_MS, now() - SWEEP_MS, now(), SWEPT_A_SHARD);
          const results = await Promise.allSettled(keys.map((key) => streamOf(key).touch(key)));
          return results.filter(({ status }) => status === "fulfilled").length; // the others are in line for the next sweep
        }),
      );
      return woken.reduce((sum, count) => sum + count, 0);
    },
  };
  return guardStorage(store, report);
}

/** Whatever the objects fail with is reported, and is a RequestError `storage`: what was asked may or may not have happened. */
function guardStorage(store: StreamStore, report: (error: Error) => void): StreamStore {
  const guard = <A extends unknown[], R>(method: (...parameters: A) => Promise<R>) => {
    return async (...parameters: A): Promise<R> => {
      try {
        return await method(...parameters);
      } catch (error) {
        if (error instanceof RequestError || error instanceof SequenceError || error instanceof ArtifactError) throw error;
        report(error as Error);
        throw new RequestError("storage", "the storage of streams did not answer: the same again is safe");
      }
    };
  };
  return {
    accept: guard(store.accept),
    view: guard(store.view),
    forget: guard(store.forget),
    keys: guard(store.keys),
    deliveries: guard(store.deliveries),
    replay: guard(store.replay),
    replayDead: guard(store.replayDead),
    totals: guard(store.totals),
    sweep: guard(store.sweep),
  };
}

async function inParallel<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) await run(items[next++]);
  };
  await Promise.all(Array.from({ length: OBJECTS_AT_ONCE }, worker));
}

/** Opaque to clients, and safe in a URL. */
function encodeCursor({ shard, after, before }: Cursor): string {
  const bytes = encodeText(JSON.stringify([shard, after, before ?? null]));
  return encodeBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function decodeCursor(text: string | undefined): Cursor {
  if (text === undefined) return START;
  try {
    const [shard, after, before] = JSON.parse(new TextDecoder().decode(decode(text, "base64url"))) as unknown[];
    const isPlace = Number.isInteger(shard) && typeof after === "string" && (before === null || Number.isSafeInteger(before));
    if (isPlace) return { shard: shard as number, after: after as string, ...(before !== null && { before: before as number }) };
  } catch {}
  throw new RequestError("parameter", "cursor must be one that an answer gave");
}
