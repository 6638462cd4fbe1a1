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
const COMPARED = {
  fx: {
    model: "fx@aaaaaaaaaaaa",
    challenger: "fx@bbbbbbbbbbbb",
    shadow: 0.1,
    paired: true,
    sequences: { model: 812, challenger: 812 },
    meanDifference: { value: 0.012, low: 0.008, high: 0.016 },
    agreement: 0.972,
    outcomes: { model: 301, challenger: 301 },
    logLoss: { model: 0.512, challenger: 0.504, difference: { value: -0.008, low: -0.015, high: -0.001 } },
  },
  gap: {
    model: "gap@aaaaaaaaaaaa",
    challenger: "gap@bbbbbbbbbbbb",
    share: 0.5,
    paired: false,
    sequences: { model: 0, challenger: 0 },
    meanDifference: null,
    agreement: null,
    outcomes: { model: 0, challenger: 0 },
    logLoss: null,
  },
};
/** Of the model that answers. */
let card: { timesteps?: number; features?: readonly string[] } = {};
const server = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  heard.push({ call: `${request.method} ${request.url}`, key: request.headers.authorization, bytes: Buffer.concat(chunks).length });
  const isKnown = request.headers.authorization === "Bearer the-key";
  const models = [{ name: "fx", sha256, when: "2026-01-01T00:00:00.000Z", by: "root", previous: "f".repeat(64) }];
  if (isKnown && request.url?.endsWith("/compare"))
    return response.writeHead(200).end(JSON.stringify(COMPARED[request.url.includes("fx") ? "fx" : "gap"]));
  if (isKnown && request.url?.endsWith("/card")) return response.writeHead(200).end(JSON.stringify(card));
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
  expect(heard.filter(({ call }) => call.startsWith("PUT")).slice(-2)).toEqual([
    { call: `PUT /v1/models/fx?sha256=${sha256}`, key: "Bearer the-key", bytes: artifact.length },
    { call: `PUT /v1/models/s%20p?sha256=${sha256}`, key: "Bearer the-key", bytes: artifact.length },
  ]);
});

test("publish says where the artifact takes another shape than the one that answered, and how to go back", async () => {
  const { timesteps, features } = makeModel(kernel, { name: "fx" }).recipe;
  const own = `${timesteps} steps × ${features.join(", ")}`;
  card = { timesteps: 7, features: ["p", "q"] };
  const { err } = await run("the-key", "publish", file, "--to", url);
  expect(err).toBe(
    `note: fx takes ${own} now, and took 7 steps × p, q: requests of the old shape are refused, until rollback ${url} --name fx\n`,
  );
  card = { timesteps, features };
  expect((await run("the-key", "publish", file, "--to", url)).err).toBe("");
});

test("rollback and models say what answers", async () => {
  expect(await run("the-key", "rollback", url, "--name", "fx")).toMatchObject({
    code: 0,
    out: `fx@${sha256.slice(0, 12)} answers again at ${url}\n`,
  });
  expect(heard.at(-1)?.call).toBe("POST /v1/models/fx/rollback");
  expect((await run("the-key", "models", url)).out).toBe(
    `default: fx\nfx@${sha256.slice(0, 12)}, published 2026-01-01T00:00:00.000Z by root; previous ffffffffffff\n`,
  );
});

test("publish makes a challenger, in the shadow or of a share", async () => {
  const shadowed = await run("the-key", "publish", file, "--to", url, "--shadow", "0.1");
  expect(shadowed.out).toContain(`fx@${sha256.slice(0, 12)} scores 10 % of the requests in the shadow at ${url}`);
  expect(heard.at(-1)?.call).toBe(`PUT /v1/models/fx?sha256=${sha256}&shadow=0.1`);
});

test("a challenger has one part, above 0 and at most 1", async () => {
  const both = await run("the-key", "publish", file, "--to", url, "--share", "0.1", "--shadow", "0.1");
  expect([both.code, both.err]).toEqual([2, expect.stringContaining("exclude each other")]);
  expect((await run("the-key", "publish", file, "--to", url, "--shadow", "2")).err).toContain(
    "--shadow must be above 0 and at most 1, got 2",
  );
});

test("compare says what is known of a challenger, and how it is compared", async () => {
  expect(
    (await run("the-key", "compare", url, "--name", "fx")).out,
  ).toBe(`fx@bbbbbbbbbbbb scores 10 % of the requests of fx@aaaaaaaaaaaa in the shadow
812 sequences that both scored
mean difference of the probabilities: 0.0120 (0.0080 to 0.0160)
labels agree on 97.2 %
outcomes: 301
log loss: 0.5120, of the challenger 0.5040
difference of the log losses, paired: -0.0080 (-0.0150 to -0.0010)
`);
  expect(
    (await run("the-key", "compare", url, "--name", "gap")).out,
  ).toBe(`gap@bbbbbbbbbbbb answers 50 % of the requests in place of gap@aaaaaaaaaaaa
each scored its own sequences: only those whose outcomes came are compared
outcomes: 0 of the current model, 0 of the challenger
`);
  expect((await run("another", "compare", url, "--name", "fx")).err).toContain("a key of scope read goes into");
});

test("a refusal is told with the way forward, and nothing is printed as done", async () => {
  const refused = await run("another", "rollback", url, "--name", "fx");
  expect(refused).toMatchObject({ code: 2, out: "" });
  expect(refused.err).toContain("answered 401: no key; a key of scope admin goes into the variable QUICKSTEP_KEY");
  expect((await run("the-key", "publish", file)).err).toContain("--to URL must be given");
});
