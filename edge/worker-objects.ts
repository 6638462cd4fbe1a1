// The Durable Objects as the platform starts them: each hands its calls to what edge/streams/ says it is.
import { DurableObject } from "cloudflare:workers";
import type { Summary } from "./streams/directory.ts";
import { createDirectory, type Directory } from "./streams/directory.ts";
import type { StreamEvent } from "./streams/event.ts";
import type { ObjectContext } from "./streams/storage.ts";
import type { Origin } from "./streams/store.ts";
import { Stream, type StreamSurroundings } from "./streams/stream.ts";
import type { DeliveryFilter, StreamObject } from "./streams/stream-object.ts";

/** The class of the objects that are one key's stream each. */
export function streamClass(world: StreamSurroundings) {
  return class extends DurableObject implements StreamObject {
    private readonly stream: Stream;
    constructor(context: ObjectContext, env: unknown) {
      super(context, env);
      this.stream = new Stream(context, world);
    }
    accept(key: string, events: readonly StreamEvent[], origin: Origin) {
      return this.stream.accept(key, events, origin);
    }
    view() {
      return this.stream.view();
    }
    forget() {
      return this.stream.forget();
    }
    list(filter: DeliveryFilter, before: number, limit: number) {
      return this.stream.list(filter, before, limit);
    }
    replay(incarnation: string, n: number) {
      return this.stream.replay(incarnation, n);
    }
    replayDead(destination: string) {
      return this.stream.replayDead(destination);
    }
    touch(key: string) {
      return this.stream.touch(key);
    }
    alarm() {
      return this.stream.alarm();
    }
  };
}

/** The class of the directory's shards. */
export function directoryClass() {
  return class extends DurableObject implements Directory {
    private readonly directory: Directory;
    constructor(context: ObjectContext, env: unknown) {
      super(context, env);
      this.directory = createDirectory(context);
    }
    report(key: string, summary: Summary) {
      return this.directory.report(key, summary);
    }
    forget(key: string, version: number) {
      return this.directory.forget(key, version);
    }
    page(after: string, limit: number) {
      return this.directory.page(after, limit);
    }
    overdue(due: number, checkedBefore: number, now: number, limit: number) {
      return this.directory.overdue(due, checkedBefore, now, limit);
    }
    totals() {
      return this.directory.totals();
    }
  };
}
