// Threads that share a kernel: every task exactly once, and an error within about ten seconds when one dies or hangs.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { ThreadPool } from "../../../trainer/training/thread-pool.ts";
import { MAX_TASKS, poolBytes, type Task } from "../../../trainer/training/thread-protocol.ts";

const JOB = 65_536;
const WORDS = 32_768;

const open: ThreadPool[] = [];
afterEach(() => {
  for (const pool of open.splice(0)) pool.dispose();
});

/** A pool whose kernel does `body`, AssemblyScript with `job`, `thread` and `n` in scope, and int32 counters from `job` on. */
async function start(threads: number, body: string): Promise<{ pool: ThreadPool; counters: Int32Array }> {
  const { default: asc } = await import("assemblyscript/asc");
  const { binary, error } = await asc.compileString(`export function task(job: usize, thread: i32, n: i32): void { ${body} }`, {
    runtime: "stub",
    enable: ["threads"],
    importMemory: true,
    sharedMemory: true,
    maximumMemory: 2,
  } as object);
  if (error || !binary) throw error ?? new Error("nothing compiled");
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 2, shared: true });
  const module = new WebAssembly.Module(binary as Uint8Array<ArrayBuffer>);
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const pool = new ThreadPool({ module, memory, words: WORDS, job: JOB, threads, task: exports.task as Task });
  open.push(pool);
  expect(poolBytes(threads)).toBeLessThan(JOB - WORDS);
  return { pool, counters: new Int32Array(memory.buffer, JOB) };
}

/** Until a worker has come, the main thread stays in its first task. */
const MEET = "if (thread == 0) { while (atomic.load<i32>(job) == 0) {} return; } atomic.store<i32>(job, 1);";

function timed(work: () => void): { message: string; ms: number } {
  const before = performance.now();
  try {
    work();
  } catch (error) {
    return { message: (error as Error).message, ms: performance.now() - before };
  }
  return { message: "", ms: performance.now() - before };
}

test("every task of every job is done once, by whatever thread", async () => {
  const { pool, counters } = await start(4, "atomic.add<i32>(job + (n << 2), 1);");
  for (let round = 0; round < 5000; round++) {
    const tasks = 1 + ((round * 7) % 30);
    counters.fill(0, 0, 31);
    pool.run(tasks);
    for (let n = 0; n < 31; n++)
      if (counters[n] !== (n < tasks ? 1 : 0)) throw new Error(`round ${round}: task ${n} of ${tasks} ran ${counters[n]} times`);
  }
  expect(() => pool.run(MAX_TASKS + 1)).toThrow("tasks must be at most 4095, got 4096");
});

test("work is shared", async () => {
  const { pool, counters } = await start(2, MEET);
  pool.run(2);
  expect(counters[0]).toBe(1);
});

test("a thread whose kernel traps is an error at once, and stays one", async () => {
  const { pool } = await start(2, `${MEET} unreachable();`);
  const { message, ms } = timed(() => pool.run(2));
  expect(message).toBe("training thread 1 of 2 failed: RuntimeError: unreachable");
  expect(ms).toBeLessThan(5000);
  expect(() => pool.run(2)).toThrow("training thread 1 of 2 failed");
});

test("a thread that hangs in a task is an error within about ten seconds", async () => {
  const { pool } = await start(2, `${MEET} while (true) {}`);
  const { message, ms } = timed(() => pool.run(2));
  expect(message).toMatch(/^training threads have not moved for \d+ ms/);
  expect(ms).toBeLessThan(20_000);
});

test("a thread that works for longer than a second is none", async () => {
  // the progress word of thread 1: WORDS + 4 · (64 + 16)
  const work = `for (let i = 0; i < 1 << 30; i++) if ((i & 0xffffff) == 0) atomic.add<i32>(${WORDS + 320}, 1);`;
  const { pool } = await start(2, `${MEET} ${work} ${work} ${work}`);
  expect(timed(() => pool.run(2)).message).toBe("");
});

test("a thread that dies idle, and whose end nobody can hear, is an error within about ten seconds", async () => {
  const { pool } = await start(2, MEET);
  pool.run(2); // it has come
  void pool.workers[0].worker.terminate();
  const before = performance.now();
  const { message } = timed(() => {
    while (performance.now() - before < 25_000) pool.run(1);
  });
  expect(message).toMatch(/^training thread 1 of 2 has not answered for \d+ ms/);
  expect(performance.now() - before).toBeLessThan(20_000);
});

test("a thread that does not come to its turn for three seconds is none", async () => {
  const { pool } = await start(2, `${MEET} atomic.wait<i32>(job + 64, 0, 3_000_000_000);`);
  expect(timed(() => pool.run(2)).message).toBe("");
});

test("a thread that has ended is an error at once", async () => {
  const { pool } = await start(3, "");
  await pool.workers[1].worker.terminate();
  expect(() => pool.run(1)).toThrow("training thread 2 of 3 has ended");
});

test("the workers of a dismissed pool serve the next, on its memory alone", async () => {
  const { pool, counters } = await start(2, MEET);
  pool.run(2);
  const [{ worker }] = pool.workers;
  pool.dispose();
  const next = await start(2, "if (thread == 0) { while (atomic.load<i32>(job) == 0) {} return; } atomic.store<i32>(job, 2);");
  next.pool.run(2);
  expect(next.pool.workers[0].worker).toBe(worker);
  expect([counters[0], next.counters[0]]).toEqual([1, 2]);
});

test("pools that are dismissed before their workers have come do not keep them from the next", async () => {
  for (let n = 0; n < 5; n++) (await start(2, "")).pool.dispose();
  const { pool, counters } = await start(2, MEET);
  pool.run(2);
  expect(counters[0]).toBe(1);
});

test("a worker that failed serves no further pool", async () => {
  const { pool } = await start(2, `${MEET} unreachable();`);
  const [{ worker }] = pool.workers;
  expect(() => pool.run(2)).toThrow("training thread 1 of 2 failed");
  pool.dispose();
  const next = await start(2, MEET);
  next.pool.run(2);
  expect(next.pool.workers[0].worker).not.toBe(worker);
});

test("a dismissed pool says so", async () => {
  const { pool } = await start(2, "");
  pool.dispose();
  expect(() => pool.run(1)).toThrow("the training threads have been dismissed");
});

const step = fileURLToPath(new URL("../../../trainer/training/step.ts", import.meta.url));
const TRAIN = `
  import { createTrainingStep } from ${JSON.stringify(step)};
  const data = { channels: new Float32Array(400), lengths: new Int32Array(20).fill(10), labels: new Uint8Array(20) };
  const step = createTrainingStep(data, { channels: 2, timesteps: 10, units: 8, maxBatch: 20, threads: 3 });
  step.step(Int32Array.of(1, 2, 3), 1e-3);`;

test("a host that forbids threads is told so, and trains on one", async () => {
  const flags = ["--permission", "--allow-fs-read=*", "--input-type=module", "-e"];
  const train = TRAIN.replace("threads: 3", "threads: 3, warn: console.log");
  const child = spawn(process.execPath, [...flags, `${train}; console.log(step.threads);`], { stdio: ["ignore", "pipe", "ignore"] });
  const output = (await child.stdout.toArray()).join("");
  expect(output).toMatch(
    /^this host has no threads \(Access to this API has been restricted.*\): training runs on one, with the same results\n1\n$/,
  );
});

test.each([
  ["its end", "", 0, null],
  ["process.exit", "process.exit(3);", 3, null],
  ["an error", "throw new Error('ours');", 1, null],
  ["Ctrl-C in the middle of a step", "console.log('ready'); for (;;) step.step(Int32Array.of(1, 2, 3), 1e-3);", null, "SIGINT"],
])(
  "threads end with the process: %s",
  async (_, end, code, signal) => {
    const folder = mkdtempSync(join(tmpdir(), "quickstep-")); // -e would end without waiting for threads
    writeFileSync(join(folder, "train.mjs"), TRAIN + end);
    const child = spawn(process.execPath, [join(folder, "train.mjs")], { stdio: ["ignore", "pipe", "ignore"] });
    if (signal !== null) child.stdout.once("data", () => child.kill(signal as "SIGINT"));
    const timer = setTimeout(() => child.kill("SIGKILL"), 8000);
    expect(await once(child, "exit")).toEqual([code, signal]);
    clearTimeout(timer);
    rmSync(folder, { recursive: true });
  },
  10_000,
);
