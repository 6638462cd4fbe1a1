// One destination that never answers, beside a healthy one, on a simulated clock: what it costs the healthy one.
import { afterEach, expect, test, vi } from "vitest";
import { openModel } from "../../../edge/models/servable-model.ts";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel } from "../../fixtures/model.ts";
import { openStreams } from "../../fixtures/streams.ts";

const EVENTS = 360;
const EVERY_MS = 10_000;
const ANSWER_MS = 200;
const servable = openModel(encodeArtifact(makeModel(kernel, { name: "fx" })), instantiateKernel(kernel).log, (m) =>
  createWasmEngine(kernel, m),
);

afterEach(() => vi.restoreAllMocks());

/** Until nothing is left to do at the simulated time: signing leaves this thread. */
function watchSigning(): () => Promise<void> {
  let signing = 0;
  const { sign, importKey } = crypto.subtle;
  const counted = <A extends unknown[], R>(method: (...given: A) => Promise<R>) => {
    return (...given: A): Promise<R> => {
      signing++;
      return method.apply(crypto.subtle, given).finally(() => signing--);
    };
  };
  vi.spyOn(crypto.subtle, "sign").mockImplementation(counted(sign as never) as never);
  vi.spyOn(crypto.subtle, "importKey").mockImplementation(counted(importKey as never) as never);
  return async () => {
    for (let quiet = 0; quiet < 4; quiet = signing > 0 ? 0 : quiet + 1) await new Promise(setImmediate);
  };
}

/** An hour of events to both; how long each result took to reach the wall, in ms, and what became of the rows. */
async function runHour(isDeskDead: boolean, untilQuiet: () => Promise<void>) {
  const streams = openStreams(servable, { outboxRows: 100 });
  const timers: { readonly at: number; readonly done: () => void }[] = [];
  const sleep = (ms: number) => new Promise<void>((done) => timers.push({ at: streams.clock + ms, done }));
  const sentAt = new Map<string, number>();
  const latencies: number[] = [];
  let deskAttempts = 0;
  streams.fetch = async (url, { body }) => {
    if (url.includes("desk")) deskAttempts++;
    if (url.includes("desk") && isDeskDead) {
      await sleep(15_000);
      throw new DOMException("The operation was aborted due to timeout", "TimeoutError");
    }
    await sleep(ANSWER_MS);
    if (url.includes("wall")) latencies.push(streams.clock - sentAt.get(JSON.parse(body as string).data.id)!);
    return new Response(null, { status: 204 });
  };
  const start = streams.clock;
  let alarm: Promise<void> | undefined;
  const end = start + (EVENTS + 30) * EVERY_MS;
  for (let sent = 0; streams.clock < end; ) {
    await untilQuiet();
    const due = streams.alarmOf("k") ?? Number.POSITIVE_INFINITY;
    if (alarm === undefined && due <= streams.clock) {
      alarm = streams.advance(streams.clock).finally(() => {
        alarm = undefined;
      });
      continue;
    }
    const ready = timers.findIndex(({ at }) => at <= streams.clock);
    if (ready >= 0) {
      timers.splice(ready, 1)[0].done();
      continue;
    }
    const nextEvent = sent < EVENTS ? start + sent * EVERY_MS : end;
    if (nextEvent <= streams.clock && sent < EVENTS) {
      const id = `e${sent++}`;
      sentAt.set(id, streams.clock);
      const event = { id, timestamp: streams.clock, data: { values: [1, 2, 3, 4, 5] }, digest: id };
      await streams.accept("k", [event], { source: "alerts", destinations: ["desk", "wall"] });
      continue;
    }
    streams.clock = Math.min(nextEvent, ...timers.map(({ at }) => at), alarm === undefined ? Math.max(due, streams.clock) : end);
  }
  const count = (where: string) => streams.query("k", `SELECT count(*) AS n FROM outbox WHERE ${where}`)[0].n;
  return {
    latencies: latencies.sort((a, b) => a - b),
    deskAttempts,
    wallUndelivered: count("destination = 'wall' AND state <> 'delivered'"),
    deskRows: count("destination = 'desk'"),
  };
}

test("a dead destination for an hour of events costs the healthy one nothing: latency within twice, none dropped", async () => {
  const untilQuiet = watchSigning();
  const [healthy, beside] = [await runHour(false, untilQuiet), await runHour(true, untilQuiet)];
  expect(healthy.latencies).toHaveLength(EVENTS);
  expect(beside.latencies).toHaveLength(EVENTS);
  expect(beside.wallUndelivered).toBe(0);
  for (const share of [0.5, 0.99, 1]) {
    const at = Math.ceil(share * EVENTS) - 1;
    expect(beside.latencies[at], `quantile ${share}`).toBeLessThanOrEqual(2 * healthy.latencies[at]);
  }
  expect(beside.deskRows).toBe(100); // its own limit, and what is dropped is its own
  expect(beside.deskAttempts).toBeLessThan(90); // one a minute, and 15 s each
});
