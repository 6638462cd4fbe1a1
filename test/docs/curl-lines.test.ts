// The curl lines of the documentation that go to a local Worker, run by a shell: each is answered, none with an error.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { StreamStore } from "../../edge/streams/store.ts";
import { encodeNpy } from "../../shared/npy.ts";
import { openApp } from "../fixtures/app.ts";
import { kernel } from "../fixtures/kernel.ts";
import { makeSequences } from "../fixtures/model.ts";
import { openMonitor } from "../fixtures/monitor.ts";
import { fakeStreams } from "../fixtures/senders.ts";
import { type Listening, listen } from "./listen.ts";
import { commandLinesOf, root } from "./markdown.ts";

const LOCAL = "localhost:8787";
const lines = ["README.md", "docs/http-api.md", "docs/webhooks.md"]
  .flatMap((page) => commandLinesOf(readFileSync(join(root, page), "utf8")))
  .filter((line) => line.startsWith("curl ") && line.includes(LOCAL) && !line.includes("$ADMIN_KEY")); // no key is admin here

const folder = join(root, "out/curl/");
const N = 3;
const counts = { pending: 0, delivered: 0, dead: 0, dropped: 0 };
const row = { n: 1, seq: 1, key: "EURUSD", destination: "desk", state: "pending", attempts: 0, created: 0, due: 0, status: null } as const;
const DELIVERY = { ...row, diagnostics: "", attempted: null, ms: null, batch: null, body: "{}", history: [] };
const streams: StreamStore = {
  ...fakeStreams(() => {}),
  deliveries: async () => ({ items: [] }),
  totals: async () => ({ streams: 0, ...counts }),
  breakers: async () => [],
  sources: async () => [],
  delivery: async (id) => ({ ...DELIVERY, id }),
  prediction: async () => undefined,
};

let worker: Listening;
beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  const values = makeSequences(N, 10, 5, 3);
  writeFileSync(`${folder}X.npy`, encodeNpy(values, [N, 10, 5]));
  writeFileSync(`${folder}X.bin`, new Uint8Array(values.buffer));
  writeFileSync(`${folder}sequences.ndjson`, `[[1,2,3,4,5]]\n{"sequence":[[1,2,3,4,5],[2,3,4,5,6]]}\n`);
  const app = openApp(kernel, new Uint8Array(readFileSync(join(root, "edge/model.safetensors"))), {
    streams,
    monitor: openMonitor(kernel).monitor,
  });
  worker = await listen(`http://${LOCAL}`, (request) => app.request(request));
});
afterAll(() => worker.close());

/** What the line prints, run in the folder with its files; it must not fail. */
async function run(line: string): Promise<string> {
  const script = `${line.replace(LOCAL, worker.url.replace("http://", ""))} --fail-with-body`;
  const shell = spawn("bash", ["-c", script.replace("--fail ", "")], { cwd: folder });
  let output = "";
  for (const stream of [shell.stdout, shell.stderr])
    stream.on("data", (text) => {
      output += text;
    });
  const status = await new Promise((done) => shell.on("close", done));
  expect([line, status, status === 0 ? "" : output]).toEqual([line, 0, ""]);
  return output;
}

test.each(lines)("%s", async (line) => {
  const output = await run(line);
  if (line.includes(" -o q.bin")) expect(readFileSync(`${folder}q.bin`)).toHaveLength(8 * N);
  if (line.includes(" -o q.npy")) expect(readFileSync(`${folder}q.npy`).subarray(1, 6).toString()).toBe("NUMPY");
  if (line.includes("ndjson")) expect(output.trim().split("\n")).toHaveLength(2);
});

test("there are lines of every format", () => {
  for (const what of ["application/json", "x-ndjson", "octet-stream", "x-npy", "/v2/models/", "/events", "/v1/deliveries", "/v1/metrics"])
    expect(lines.some((line) => line.includes(what))).toBe(true);
});
