// publish, rollback and models against a server that answers as the Worker does.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel } from "../../fixtures/model.ts";

const main = fileURLToPath(new URL("../../../trainer/main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "quickstep-registry-"));
const file = join(folder, "fx.safetensors");
const artifact = encodeArtifact(makeModel(kernel, { name: "fx" }));
writeFileSync(file, artifact);
const sha256 = createHash("sha256").update(artifact).digest("hex");
const heard: { call: string; key?: string; bytes: number }[] = [];
const server = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  heard.push({ call: `${request.method} ${request.url}`, key: request.headers.authorization, bytes: Buffer.concat(chunks).length });
  const isKnown = request.headers.authorization === "Bearer the-key";
  const models = [{ name: "fx", sha256, when: "2026-01-01T00:00:00.000Z", by: "root", previous: "f".repeat(64) }];
  const body = isKnown ? (request.method === "GET" ? { defaultModel: "fx", models } : { name: "fx", sha256 }) : { detail: "no key" };
  response.writeHead(isKnown ? 200 : 401, { "content-type": "application/json" }).end(JSON.stringify(body));
});
let url = "";
beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

async function run(key: string, ...argv: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [main, ...argv], { env: { ...process.env, QUICKSTEP_KEY: key } });
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk) => (out += chunk));
  child.stderr.on("data", (chunk) => (err += chunk));
  const code = await new Promise<number | null>((done) => child.once("close", done));
  return { code, out, err };
}

test("publish sends the whole artifact with its SHA-256, under its own name or another", async () => {
  expect(await run("the-key", "publish", file, "--to", `${url}/`)).toMatchObject({
    code: 0,
    out: expect.stringContaining(`fx@${sha256.slice(0, 12)}`),
  });
  await run("the-key", "publish", file, "--to", url, "--name", "s p");
  expect(heard.slice(-2)).toEqual([
    { call: `PUT /v1/models/fx?sha256=${sha256}`, key: "Bearer the-key", bytes: artifact.length },
    { call: `PUT /v1/models/s%20p?sha256=${sha256}`, key: "Bearer the-key", bytes: artifact.length },
  ]);
});

test("rollback and models say what answers", async () => {
  expect(await run("the-key", "rollback", url, "--name", "fx")).toMatchObject({
    code: 0,
    out: `fx@${sha256.slice(0, 12)} answers again at ${url}\n`,
  });
  expect(heard.at(-1)?.call).toBe("POST /v1/models/fx/rollback");
  expect((await run("the-key", "models", url)).out).toBe(
    `default: fx\nfx@${sha256.slice(0, 12)}, published 2026-01-01T00:00:00.000Z by root, before ffffffffffff\n`,
  );
});

test("a refusal is told with the way forward, and nothing is printed as done", async () => {
  const refused = await run("another", "rollback", url, "--name", "fx");
  expect(refused).toMatchObject({ code: 2, out: "" });
  expect(refused.err).toContain("answered 401: no key; a key of scope admin goes into the variable QUICKSTEP_KEY");
  expect((await run("the-key", "publish", file)).err).toContain("--to URL must be given");
});
