// Events are sent, deliveries fail, and the server is killed with SIGKILL at random, again and again; then everything is counted.
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { openModel } from "../../../edge/models/servable-model.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { randomOf } from "../../fixtures/model.ts";
import { type Attempt, DEAD, DESTINATIONS, openReceiver, PACKS, type Receiver, TURNS } from "./receiver.ts";
import { makeEvents, sendAll } from "./sender.ts";
import { type ListedDead, type Tally, tally } from "./tally.ts";

/** A server that is killed and started again on the same disk and port. */
export interface Mortal {
  readonly url: string;
  kill(): Promise<void>;
  start(): Promise<void>;
  /** The scheduled handler. */
  sweep(): Promise<void>;
  end(): Promise<void>;
}

export interface CrashOptions {
  readonly events: number;
  readonly keys: number;
  readonly kills: number;
  readonly seed: number;
  /** Receivers that never answer, at 15 s each. */
  readonly silence: boolean;
}

export interface Report extends Tally {
  kills: number;
  requestsThatFailed: number;
  repeated: number;
  refused: number;
  attempts: number;
  forged: number;
  /** Deliveries listed dead; those sent again at the end; and how many of all are still not delivered then. */
  listedDead: number;
  replayed: number;
  undelivered: number;
  /** Keys that GET /v1/streams lists, different ones. */
  keysListed: number;
  /** Attempts at the destination that never answered, until its circuit breaker opened, and its rows that
   * were given up or dropped by then. */
  deadAttempts: number;
  /** False: all rows to it had spent their attempts before. */
  breakerOpened: boolean;
  deadGivenUp: number;
  deadDropped: number;
  seconds: number;
}

const CLIENTS = 16;
const ADMIN_KEY = randomBytes(16).toString("hex");
const SECRET = `whsec_${randomBytes(24).toString("base64")}`;
/** Attempts by the second instead of by the day. */
const RETRY_SCHEDULE_S = "0 0.2 0.5 1 1 2 2 3";

/** What the Worker is configured with to deliver to `base`, one path a destination. */
export function textsFor(base: string): Record<string, string> {
  const table = Object.fromEntries(
    [...DESTINATIONS, DEAD].map((name) => [
      name,
      {
        ...{ url: `${base}/${name}`, secrets: ["SECRET"] },
        ...(name === TURNS && { when: "label changed" }),
        ...(name === PACKS && { batch: { rows: 5, seconds: 0.3 }, ordered: true }),
      },
    ]),
  );
  return {
    DESTINATIONS: JSON.stringify(table),
    SECRET,
    STREAM_DESTINATIONS: [...DESTINATIONS, DEAD].join(" "),
    RETRY_SCHEDULE_S,
    API_KEYS: `admin:${createHash("sha256").update(ADMIN_KEY).digest("hex")}:admin`,
  };
}

export async function crash(options: CrashOptions, open: (receiver: Receiver) => Promise<Mortal>): Promise<Report> {
  const begun = performance.now();
  const random = randomOf(options.seed);
  const receiver = await openReceiver(SECRET, random, options.silence);
  const server = await open(receiver);
  try {
    await server.start();
    const events = makeEvents(options.events, options.keys, random);
    // most kills while events come, some while deliveries are all that goes on
    const laterKills = Math.ceil(options.kills / 5);
    const marks = Array.from({ length: options.kills - laterKills }, () => Math.floor(random() * options.events * 0.98)).sort(
      (a, b) => a - b,
    );
    let kills = 0;
    let dying = Promise.resolve();
    const killOnce = async (): Promise<void> => {
      await pause(random() * 30);
      await server.kill();
      kills++;
      await pause(random() * 50);
      await server.start();
    };
    const sent = await sendAll(server.url, ADMIN_KEY, events, CLIENTS, random, (count) => {
      while (marks.length > 0 && marks[0] <= count) {
        marks.shift();
        dying = dying.then(killOnce);
      }
    });
    await dying;
    for (let i = 0; i < laterKills; i++) {
      await pause(100 + random() * 300);
      await killOnce();
    }
    await untilSettled(server, DESTINATIONS);
    const listed = await listAll<ListedDead>(server, "deliveries", "&state=dead");
    const dead = listed.filter(({ destination }) => destination !== DEAD);
    const breakerOpened = await untilPausedOrSpent(server);
    const deadAttempts = receiver.attempts.filter(({ destination }) => destination === DEAD).length;
    const metrics = (await ask(server, "/v1/metrics")) as unknown as Metrics;
    const model = openModel(readFileSync(new URL("../../../edge/model.safetensors", import.meta.url)), instantiateKernel(kernel).log, (m) =>
      createWasmEngine(kernel, m),
    );
    if ("unready" in model) throw new Error(model.unready);
    const counted = tally(model, sent.acknowledged, attemptsAt(receiver, DESTINATIONS), dead, DESTINATIONS);

    receiver.recover();
    let replayed = 0;
    for (const destination of DESTINATIONS) replayed += await replayDead(server, destination);
    await replayDead(server, DEAD);
    const all = [...DESTINATIONS, DEAD];
    await untilSettled(server, all);
    const after = tally(model, sent.acknowledged, attemptsAt(receiver, all), [], all);
    return {
      ...counted,
      kills,
      requestsThatFailed: sent.failed,
      repeated: sent.repeated,
      refused: sent.refused,
      attempts: receiver.attempts.length,
      forged: receiver.forged,
      listedDead: dead.length,
      replayed,
      undelivered: after.lost,
      keysListed: new Set((await listAll<{ key: string }>(server, "streams")).map(({ key }) => key)).size,
      deadAttempts,
      breakerOpened,
      deadGivenUp: listed.length - dead.length,
      deadDropped: metrics.deliveries.dropped,
      seconds: (performance.now() - begun) / 1000,
    };
  } finally {
    await server.end();
    receiver.close();
  }
}

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

async function ask(server: Mortal, path: string, method = "GET"): Promise<Record<string, unknown>> {
  const response = await fetch(`${server.url}${path}`, { method, headers: { authorization: `Bearer ${ADMIN_KEY}` } });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}: ${JSON.stringify(answer)}`);
  return answer as Record<string, unknown>;
}

async function listAll<Item>(server: Mortal, name: "streams" | "deliveries", filter = ""): Promise<Item[]> {
  const found: Item[] = [];
  let cursor = "";
  for (;;) {
    const page = await ask(server, `/v1/${name}?limit=200${filter}${cursor}`);
    found.push(...(page[name] as Item[]));
    if (page.cursor === undefined) return found;
    cursor = `&cursor=${page.cursor}`;
  }
}

async function replayDead(server: Mortal, destination: string): Promise<number> {
  let replayed = 0;
  let cursor = "";
  for (;;) {
    const page = await ask(server, `/v1/deliveries/replay?destination=${destination}${cursor}`, "POST");
    replayed += page.replayed as number;
    if (page.cursor === undefined) return replayed;
    cursor = `&cursor=${page.cursor}`;
  }
}

interface Metrics {
  readonly deliveries: { readonly dropped: number };
  readonly destinations: readonly { readonly name: string; readonly state: string }[];
}

/**
 * Until the circuit breaker of the destination that is dead has opened: true. Or until no row to it is pending: false. Then all rows
 * have spent their attempts, within fewer seconds than a breaker's failures last at least: the schedule of this crash is that short.
 */
async function untilPausedOrSpent(server: Mortal): Promise<boolean> {
  for (let second = 0; second <= 120; second++) {
    const { destinations } = (await ask(server, "/v1/metrics")) as unknown as Metrics;
    if (destinations.some(({ name, state }) => name === DEAD && state === "open")) return true;
    if ((await listAll(server, "deliveries", `&state=pending&destination=${DEAD}`)).length === 0) return false;
    await pause(1000);
  }
  throw new Error(`the circuit breaker of ${DEAD} has not opened`);
}

function attemptsAt({ attempts }: Receiver, destinations: readonly string[]): readonly Attempt[] {
  return attempts.filter(({ destination }) => destinations.includes(destination));
}

/** Until nothing to `destinations` is pending. Objects that lost their alarm are for the sweep to find. */
async function untilSettled(server: Mortal, destinations: readonly string[]): Promise<void> {
  const pending = (destination: string) => listAll(server, "deliveries", `&state=pending&destination=${destination}`);
  for (let second = 0; (await Promise.all(destinations.map(pending))).flat().length > 0; second++) {
    if (second > 120) throw new Error(`deliveries are pending after ${second} s`);
    if (second % 10 === 9) await server.sweep();
    await pause(1000);
  }
}
