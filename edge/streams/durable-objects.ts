// The Durable Objects as the platform starts them: each hands its calls to the stream or the directory that it is.
import { DurableObject } from "cloudflare:workers";
import { type Breaker, type BreakerDependencies, createBreaker } from "../deliveries/breaker.ts";
import type { DeliveryFilter, ReplayFilter } from "../deliveries/outbox.ts";
import type { StreamEvent } from "../webhooks/event.ts";
import { createDirectory, type Directory, type Summary } from "./directory.ts";
import type { SourceTally } from "./source-events.ts";
import type { ObjectContext } from "./storage.ts";
import { Stream, type StreamDependencies } from "./stream.ts";
import type { Origin, StreamObject } from "./stream-object.ts";

/** The class of the objects that are one key's stream each. */
export function streamClass(dependencies: StreamDependencies) {
  return class extends DurableObject implements StreamObject {
    private readonly stream: Stream;
    constructor(context: ObjectContext, env: unknown) {
      super(context, env);
      this.stream = new Stream(context, dependencies);
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
    replay(generation: string, n: number) {
      return this.stream.replay(generation, n);
    }
    replayAll(filter: ReplayFilter) {
      return this.stream.replayAll(filter);
    }
    delivery(generation: string, n: number) {
      return this.stream.delivery(generation, n);
    }
    rearmAlarm(key: string) {
      return this.stream.rearmAlarm(key);
    }
    prediction(source: string, id: string) {
      return this.stream.prediction(source, id);
    }
    announce(key: string, body: string, destinations: readonly string[], atOnce?: boolean) {
      return this.stream.announce(key, body, destinations, atOnce);
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
    report(key: string, summary: Summary, maxKeys: number) {
      return this.directory.report(key, summary, maxKeys);
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
    hear(source: string, tally: SourceTally, now: number) {
      return this.directory.hear(source, tally, now);
    }
    sources(now: number) {
      return this.directory.sources(now);
    }
    claim(token: string, digest: string, now: number) {
      return this.directory.claim(token, digest, now);
    }
  };
}

/** The class of the objects that are one destination's circuit breaker each. */
export function breakerClass(dependencies: BreakerDependencies) {
  return class extends DurableObject implements Breaker {
    private readonly breaker: Breaker;
    constructor(context: ObjectContext, env: unknown) {
      super(context, env);
      this.breaker = createBreaker(context.storage.sql, dependencies);
    }
    ask() {
      return this.breaker.ask();
    }
    failed() {
      return this.breaker.failed();
    }
    succeeded() {
      return this.breaker.succeeded();
    }
    view() {
      return this.breaker.view();
    }
  };
}
