// Requests at a steady rate: each is sent when it is due, by a connection that is free, and its time counts from when it was due: what
// waits behind a slow answer counts, too. Little work a request, so that what is measured is the Worker.
import { Connection } from "../bench/workerd.ts";

export interface Load {
  /** Answers that are none of a 200. */
  errors: number;
  /** Answers whose probability is not that of the model that they name. */
  wrongBits: number;
  /** Ids of models that answered. */
  readonly seen: Set<string>;
  /** What could not be sent within `ms` is not sent: the rate that was reached says so. */
  run(rate: number, ms: number): Promise<Measured>;
  close(): void;
}

export interface Measured {
  /** Milliseconds of each request. */
  readonly times: readonly number[];
  readonly elapsedMs: number;
  /** Of the process that this runs in, in milliseconds. */
  readonly cpuMs: number;
}

const CLIENTS = 64;
const TICK_MS = 2;

/** `bits`: what each model answers to `request`, by its id. */
export async function openLoad(port: number, request: Buffer, bits: ReadonlyMap<string, number>): Promise<Load> {
  const connections = await Promise.all(Array.from({ length: CLIENTS }, () => Connection.open(port)));
  const free = [...connections];
  /** An answer is parsed once; the same text again says the same. */
  const judged = new Map<string, { readonly model: string; readonly isRight: boolean }>();
  const judge = (body: Buffer): void => {
    const text = body.toString("latin1");
    let verdict = judged.get(text);
    if (verdict === undefined) {
      const { model, results } = JSON.parse(text) as { model: string; results: readonly { probability: number }[] };
      verdict = { model, isRight: Object.is(bits.get(model), results[0].probability) };
      judged.set(text, verdict);
    }
    load.seen.add(verdict.model);
    if (!verdict.isRight) load.wrongBits++;
  };
  const load: Load = {
    errors: 0,
    wrongBits: 0,
    seen: new Set(),
    async run(rate, ms) {
      const times: number[] = [];
      const began = process.cpuUsage();
      const start = performance.now();
      const finished = Promise.withResolvers<void>();
      let begun = 0;
      let isOver = false;
      const send = (connection: Connection): void => {
        const due = start + (1000 * begun++) / rate;
        const over = (): void => {
          times.push(performance.now() - due);
          free.push(connection);
          sendDue();
        };
        connection
          .send(request)
          .then(judge)
          .catch(() => load.errors++)
          .then(over);
      };
      const sendDue = (): void => {
        const now = performance.now();
        isOver ||= now > start + ms;
        const due = Math.floor(((now - start) * rate) / 1000) + 1;
        while (!isOver && begun < due && free.length > 0) send(free.pop()!);
        if (isOver && times.length === begun) finished.resolve();
      };
      const timer = setInterval(sendDue, TICK_MS);
      await finished.promise;
      clearInterval(timer);
      const { user, system } = process.cpuUsage(began);
      return { times, elapsedMs: performance.now() - start, cpuMs: (user + system) / 1000 };
    },
    close() {
      for (const connection of connections) connection.close();
    },
  };
  return load;
}
