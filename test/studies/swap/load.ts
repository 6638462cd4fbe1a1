// Requests at a steady rate: each is sent when it is due, by a connection that is free, and its time counts from when it was due: what
// waits behind a slow answer counts, too. Little work a request, so that what is measured is the Worker.
import { Connection } from "../bench/workerd.ts";

export interface Load {
  /** Answers that are none of a 200, and requests without any within `timeoutMs`. */
  errors: number;
  /** What the first error said. */
  firstError?: string;
  /** Answers whose probability is not that of the model that they name. */
  wrongBits: number;
  /** Ids of models that answered. */
  readonly seen: Set<string>;
  /** Until `over` has settled. What could not be sent by then is not sent: the rate that was reached says so. */
  run(rate: number, over: Promise<unknown>): Promise<Measured>;
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
const TIMEOUT_MS = 10_000;

/** `bits`: what each model answers to `request`, by its id. A request without an answer after `timeoutMs` is an error, so that a run ends. */
export async function openLoad(port: number, request: Buffer, bits: ReadonlyMap<string, number>, timeoutMs = TIMEOUT_MS): Promise<Load> {
  const free = await Promise.all(Array.from({ length: CLIENTS }, () => Connection.open(port)));
  /** When each that waits for an answer was given its request. */
  const sentAt = new Map<Connection, number>();
  const judge = judgeOf(bits, (model, isRight) => {
    load.seen.add(model);
    if (!isRight) load.wrongBits++;
  });
  /** In order of sending: the first ones are the oldest. */
  const closeLate = (now: number): void => {
    for (const [connection, at] of sentAt) {
      if (now - at < timeoutMs) return;
      connection.close(); // which fails its request
    }
  };
  /** Whatever happens, a connection is free again. */
  const ask = async (connection: Connection): Promise<void> => {
    let open = connection;
    try {
      if (open.isClosed) open = await Connection.open(port);
      sentAt.set(open, performance.now());
      judge(await open.send(request));
    } catch (error) {
      load.errors++;
      load.firstError ??= String(error);
    } finally {
      sentAt.delete(open);
      free.push(open);
    }
  };
  const load: Load = {
    errors: 0,
    wrongBits: 0,
    seen: new Set(),
    async run(rate, over) {
      const times: number[] = [];
      const began = process.cpuUsage();
      const start = performance.now();
      const finished = Promise.withResolvers<void>();
      let begun = 0;
      let isOver = false;
      const send = async (connection: Connection): Promise<void> => {
        const due = start + (1000 * begun++) / rate;
        await ask(connection);
        times.push(performance.now() - due);
        sendDue();
      };
      const sendDue = (): void => {
        const due = Math.floor(((performance.now() - start) * rate) / 1000) + 1;
        while (!isOver && begun < due && free.length > 0) void send(free.pop()!);
        if (isOver && times.length === begun) finished.resolve();
      };
      const timer = setInterval(() => {
        closeLate(performance.now());
        sendDue();
      }, TICK_MS);
      await over.catch(() => {});
      isOver = true;
      sendDue();
      await finished.promise;
      clearInterval(timer);
      const { user, system } = process.cpuUsage(began);
      return { times, elapsedMs: performance.now() - start, cpuMs: (user + system) / 1000 };
    },
    close() {
      for (const connection of [...free, ...sentAt.keys()]) connection.close();
    },
  };
  return load;
}

/** What looks at an answer's body. It is parsed once; the same text again says the same. */
function judgeOf(bits: ReadonlyMap<string, number>, found: (model: string, isRight: boolean) => void): (body: Buffer) => void {
  const judged = new Map<string, { readonly model: string; readonly isRight: boolean }>();
  return (body) => {
    const text = body.toString("latin1");
    let verdict = judged.get(text);
    if (verdict === undefined) {
      const { model, results } = JSON.parse(text) as { model: string; results: readonly { probability: number }[] };
      verdict = { model, isRight: Object.is(bits.get(model), results[0].probability) };
      judged.set(text, verdict);
    }
    found(verdict.model, verdict.isRight);
  };
}
