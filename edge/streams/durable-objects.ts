// The Durable Objects as the platform starts them: each hands its calls to the stream, the shard or the breaker that it is.
import { DurableObject } from "cloudflare:workers";
import { type Breaker, type BreakerDependencies, createBreaker } from "../deliveries/breaker.ts";
import { createDirectory, type Directory } from "./directory.ts";
import type { ObjectContext } from "./storage.ts";
import { Stream, type StreamDependencies } from "./stream.ts";
import type { StreamObject } from "./stream-object.ts";

type Method = (...parameters: never[]) => unknown;

/** A class of objects that hand what is called of `methods`, all that T has, to what `open` makes of their storage. */
function objectClass<T extends object>(open: (context: ObjectContext) => T, methods: Readonly<Record<keyof T & string, true>>) {
  class Opened extends DurableObject {
    readonly opened: T;
    constructor(context: ObjectContext, env: unknown) {
      super(context, env);
      this.opened = open(context);
    }
  }
  for (const name of Object.keys(methods) as (keyof T & string)[])
    Object.defineProperty(Opened.prototype, name, {
      value(this: Opened, ...parameters: never[]) {
        return (this.opened[name] as Method).apply(this.opened, parameters);
      },
    });
  return Opened as unknown as new (
    context: ObjectContext,
    env: unknown,
  ) => DurableObject & T;
}

/** The class of the objects that are one key's stream each. */
export function streamClass(dependencies: StreamDependencies) {
  return objectClass<StreamObject & Pick<Stream, "alarm">>((context) => new Stream(context, dependencies), {
    ...{ accept: true, view: true, forget: true, prediction: true, announce: true, rearmAlarm: true, alarm: true },
    ...{ list: true, delivery: true, replay: true, replayAll: true },
  });
}

/** The class of the directory's shards. */
export function directoryClass() {
  const methods = { report: true, forget: true, page: true, overdue: true, totals: true, hear: true, sources: true, claim: true } as const;
  return objectClass<Directory>(createDirectory, methods);
}

/** The class of the objects that are one destination's circuit breaker each. */
export function breakerClass(dependencies: BreakerDependencies) {
  const methods = { ask: true, failed: true, succeeded: true, view: true } as const;
  return objectClass<Breaker>(({ storage }) => createBreaker(storage.sql, dependencies), methods);
}
