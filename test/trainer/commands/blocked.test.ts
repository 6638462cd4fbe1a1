// What waits or cannot begin: a read that does not come back, and a port that is taken.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel } from "../../fixtures/model.ts";

const MAIN = fileURLToPath(new URL("../../../trainer/main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "quickstep-blocked-"));

beforeAll(() => {
  execFileSync("mkfifo", [join(folder, "pipe")]);
  writeFileSync(join(folder, "m.safetensors"), encodeArtifact(makeModel(kernel)));
});
afterAll(() => rmSync(folder, { recursive: true }));

function start(...argv: string[]) {
  const child = spawn(process.execPath, [MAIN, ...argv], { cwd: folder });
  let said = "";
  child.stderr.on("data", (chunk) => {
    said += chunk;
  });
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null; said: string }>((done) =>
    child.once("close", (code, signal) => done({ code, signal, said })),
  );
  return { child, ended };
}

/** Opens the pipe for writing once the command opened it for reading, and writes nothing. */
async function hold(): Promise<() => void> {
  const writer = spawn("sh", ["-c", 'exec 3> "$0"; echo open; exec sleep 60', join(folder, "pipe")]);
  await new Promise((done) => writer.stdout.once("data", done));
  return () => writer.kill();
}

test.each([
  ["import", ["import", "pipe", "--out", "x.safetensors"]],
  ["inspect", ["inspect", "pipe"]],
  ["train", ["train", "pipe", "--format", "csv", "--out", "x.safetensors"]],
  ["train, a format that is read as a whole", ["train", "pipe", "--format", "npz", "--out", "x.safetensors"]],
  ["diagnose", ["diagnose", "pipe", "--format", "csv"]],
  ["evaluate", ["evaluate", "m.safetensors", "pipe", "--format", "csv"]],
])("Ctrl-C ends %s at once while it waits for a pipe that says nothing", async (_, argv) => {
  const { child, ended } = start(...argv);
  const release = await hold();
  await new Promise((done) => setTimeout(done, 200));
  const pressed = performance.now();
  child.kill("SIGINT");
  const { code, signal } = await ended;
  release();
  expect([code, signal]).toEqual([null, "SIGINT"]);
  expect(performance.now() - pressed).toBeLessThan(2000);
});

test("Ctrl-C while score waits for a pipe leaves nothing of its --out", async () => {
  const { child, ended } = start("score", "m.safetensors", "pipe", "--format", "csv", "--out", "q.csv");
  const release = await hold();
  await new Promise((done) => setTimeout(done, 200));
  child.kill("SIGINT");
  await ended;
  release();
  expect(readdirSync(folder).sort()).toEqual(["m.safetensors", "pipe"]);
});

test("serve on a port that is taken says so and exits 2", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
  const { port } = server.address() as { port: number };
  const { code, said } = await start("serve", "m.safetensors", "--port", String(port)).ended;
  server.close();
  expect(said).toBe(`quickstep: port ${port}: is taken by another program: choose another with --port N\n`);
  expect(code).toBe(2);
});
