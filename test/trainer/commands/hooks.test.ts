// hooks check: which source takes a captured request, and why not. The edge's own bundle answers.
import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import type { Predictor } from "../../../shared/members.ts";
import { hooksCommand } from "../../../trainer/commands/hooks.ts";
import { readHeaders, readSecrets } from "../../../trainer/hooks/captured.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel } from "../../fixtures/model.ts";

const folder = mkdtempSync(join(tmpdir(), "quickstep-hooks-"));
afterAll(() => rmSync(folder, { recursive: true }));
const write = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const model = makeModel(kernel, { timesteps: 3, features: ["a", "b"], channels: [{ base: "feature", a: 0, view: "level" }] });
write("model.safetensors", encodeArtifact(model));
write(".dev.vars", `# secrets\nSLACK="8f742231b10e8888abcd99yyyzzz85a5"\nTOKEN=a-token-of-some-length # here\n`);
const config = write(
  "wrangler.toml",
  `name = "w"
[vars.SOURCES.slack]
scheme = "slack"
handshake = true
secrets = ["SLACK"]
only = { "/type" = ["reading"] }
key = "/key"
timestamp = "/at"
values = [{ number = "/a" }, { log = "/b" }]
[vars.SOURCES.path]
scheme = "token"
token = "path"
secrets = ["TOKEN"]
key = "path"
timestamp = "/at"
values = "/row"
[env.other.vars]
`,
);
const EVENT = { type: "reading", key: "k", at: 1_795_600_000, a: "1.50", b: 2, row: [1, 2] };

/** "0" where the last check did not fail, else why it did. */
let exit = "";

async function check(body: object, options: object = {}): Promise<string> {
  const text = JSON.stringify(body);
  const signature = createHmac("sha256", "8f742231b10e8888abcd99yyyzzz85a5").update(`v0:1795600000:${text}`).digest("hex");
  const headers = write("headers.txt", `POST /x HTTP/1.1\nX-Slack-Request-Timestamp: 1795600000\r\nX-Slack-Signature: v0=${signature}\n`);
  const printed: string[] = [];
  const kernelAndLog = { module: kernel, kernel: instantiateKernel(kernel) };
  const engines = { ...kernelAndLog, createEngine: (predictor: Predictor) => createWasmEngine(kernel, predictor) };
  const dependencies = { loadEngines: () => engines, terminal: { print: (line: string) => printed.push(line) } };
  const values = { action: "check", config, sample: write("sample.json", text), headers, at: "2026-11-25T09:46:40Z", ...options };
  exit = "0";
  try {
    await hooksCommand.run(values as never, dependencies as never);
  } catch (error) {
    if (printed.length === 0) throw error;
    exit = (error as Error).message;
  }
  return printed.join("\n");
}

test("fails after what it prints where every source refuses, and else not", async () => {
  await check(EVENT); // one takes it, the other refuses
  expect(exit).toBe("0");
  await check(EVENT, { at: "2026-11-25T09:56:40Z" });
  expect(exit).toBe(`${join(folder, "sample.json")}: no source takes it`);
});

test("says which source takes a request, what is in it, and why another refuses it", async () => {
  const log2 = instantiateKernel(kernel).log(2);
  expect(await check(EVENT)).toMatch(
    new RegExp(
      `^slack: taken; signature fits\n {2}key "k", id "sha256:[0-9a-f]{64}", 2026-11-25T09:46:40.000Z, \\{"values":\\[1.5,${log2}\\]\\}\npath: refused; not verified: the token is missing behind the source in the path$`,
    ),
  );
});

test("says how old a signature is, what is not wanted, what cannot be read, and what a provider's question is answered", async () => {
  expect(await check(EVENT, { at: "2026-11-25T09:56:40Z" })).toContain(
    "slack: refused; not verified: the time of sending is 600 seconds old, 300 are allowed",
  );
  expect(await check({ ...EVENT, type: "ping" })).toContain("slack: ignored; signature fits: only: what stands at /type is not wanted");
  expect(await check({ ...EVENT, a: "x" })).toContain('slack: refused; signature fits: a must be a finite number, got "x"');
  expect(await check({ type: "url_verification", challenge: "abc" })).toContain(
    `slack: answers the provider's question; signature fits: "abc"`,
  );
});

test("a path names the source, and what follows it", async () => {
  const answer = await check(EVENT, { path: "/hooks/path/a-token-of-some-length/north-7", json: true });
  expect(JSON.parse(answer)).toMatchObject({
    sources: [{ name: "path", outcome: "taken", events: [{ key: "north-7", data: { values: [1, 2] } }] }],
  });
});

test("says where the Worker would not store what is in a request: another source's stream, too many keys, too large a body", async () => {
  const sourceOf = (name: string, more: string) =>
    `[vars.SOURCES.${name}]\nscheme = "token"\ntoken = "path"\nsecrets = ["TOKEN"]\nkey = "/key"\ntimestamp = "/at"\nvalues = "/row"\n${more}`;
  const bound = write("bound.toml", sourceOf("bound", 'streams = ["north-*"]\n') + sourceOf("free", ""));
  const ask = (source: string, body: object) => check(body, { config: bound, path: `/hooks/${source}/a-token-of-some-length` });
  expect(await ask("bound", { ...EVENT, key: "north-7" })).toContain("bound: taken");
  for (const [source, key] of [
    ["bound", "k"],
    ["free", "north-7"],
  ])
    expect(await ask(source, { ...EVENT, key })).toBe(`${source}: refused; signature fits: this source may not write the event's stream`);
  const many = Array.from({ length: 41 }, (_, i) => ({ ...EVENT, key: `k${i}` }));
  expect(await ask("free", many)).toContain("refused; signature fits: at most 40 keys a body, got 41: nothing is stored");
  expect(await ask("free", many.slice(1))).toMatch(/^free: taken/);
  const long = { ...EVENT, beside: "x".repeat(256 * 1024) };
  expect(await ask("free", long)).toMatch(/^free: refused; signature fits: the body must have at most 262144 bytes, got 2622\d\d$/);
});

test("a source that names a model is read for that model, or said to be skipped", async () => {
  const named = makeModel(kernel, { timesteps: 3, features: ["a", "b", "c"], channels: [{ base: "feature", a: 0, view: "level" }] });
  const three = write("three.safetensors", encodeArtifact(named));
  const sourceOf = (name: string, model: string, values: string) =>
    `[vars.SOURCES.${name}]\nmodel = "${model}"\nscheme = "token"\ntoken = "path"\nsecrets = ["TOKEN"]\nkey = "path"\ntimestamp = "/at"\nvalues = ${values}\n`;
  const models = write("models.toml", sourceOf("three", "north", '["/a", "/b", "/at"]') + sourceOf("two", model.name, '"/row"'));
  const ask = (options: object, source = "three") =>
    check({ ...EVENT, a: 1 }, { config: models, path: `/hooks/${source}/a-token-of-some-length/k`, ...options });
  expect(await ask({})).toBe("three: skipped; signature fits: its events are read for the model north, which --model NAME=FILE gives");
  expect(await ask({ model: new Map([["north", three]]) })).toContain('"values":[1,2,1795600000]');
  expect(await ask({}, "two")).toContain('"values":[1,2]');
  await expect(ask({ model: new Map([["north", join(folder, "model.safetensors")]]) })).rejects.toThrow(
    "must name 2 places, one a feature of the model, got 3",
  );
});

test("what cannot be used is one sentence", async () => {
  await expect(check(EVENT, { config: write("bad.toml", "a = ") })).rejects.toThrow("is not TOML");
  await expect(check(EVENT, { config: write("none.toml", "a = 1") })).rejects.toThrow("has no SOURCES");
  await expect(check(EVENT, { env: "other" })).rejects.toThrow("has no SOURCES");
  await expect(check(EVENT, { secrets: write("empty", "") })).rejects.toThrow(
    "must be a secret that is set (wrangler secret put SLACK; on this machine, a line of .dev.vars before the start), got none of that name",
  );
  await expect(check(EVENT, { action: "list" })).rejects.toThrow("hooks takes check, got list");
});

test("headers are lines or JSON, secrets are lines with or without quotes", () => {
  expect(readHeaders("h", '{"X-A": "1", "x-b": ["2", "3"]}')).toEqual({ "x-a": "1", "x-b": "2, 3" });
  expect(readHeaders("h", "> X-A: 1:2\n< X-B:3")).toEqual({ "x-a": "1:2", "x-b": "3" });
  expect(() => readHeaders("h", "nonsense")).toThrow("must have lines such as x-signature: abc");
  expect(readSecrets("A='1 # 2'\nB = 3 # 4\n#C=5\n")).toEqual({ A: "1 # 2", B: "3" });
});

test("a destination on this machine, which wrangler dev delivers to, hides no source", async () => {
  const destination = `[vars.DESTINATIONS.desk]\nurl = "http://localhost:9000/in"\nsecrets = ["TOKEN_KEY"]\n`;
  const secrets = write("own.vars", `TOKEN=a-token-of-some-length\nTOKEN_KEY=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n`);
  const local = write(
    "local.toml",
    `${destination}[vars.SOURCES.path]\nscheme = "token"\ntoken = "path"\nsecrets = ["TOKEN"]\nkey = "path"\ntimestamp = "/at"\nvalues = "/row"\ndestinations = ["desk"]\n`,
  );
  const path = "/hooks/path/a-token-of-some-length/k";
  expect(await check(EVENT, { config: local, secrets, path })).toMatch(/^path: taken/);
});
