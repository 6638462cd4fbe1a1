// Lines to run are run: each sends the very request, whatever stands in it, with the key of the environment.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Call, curlOf, javascriptOf, pythonOf } from "../../../edge/page/snippets.ts";

const folder = mkdtempSync(join(tmpdir(), "quickstep-snippets-"));
const BODY = JSON.stringify({ sequence: [[1.5, null, 'it\'s "50 %" $HOME `id` \\ é 📈 \u2028']] });
let seen: { readonly method?: string; readonly url?: string; readonly headers: IncomingMessage["headers"]; readonly body: string };
const server = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  seen = { method: request.method, url: request.url, headers: request.headers, body: Buffer.concat(chunks).toString() };
  response.end("taken");
});
let url = "";
beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/score?explain=true&a='b`;
  writeFileSync(join(folder, "rows.bin"), "bytes");
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

async function run(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { cwd: folder, env: { ...process.env, QUICKSTEP_KEY: "the-key" } });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (said += chunk));
  await new Promise((done) => child.once("exit", done));
  return said;
}

const LANGUAGES = [
  ["curl", curlOf, (lines: string) => run("sh", ["-c", lines])],
  ["JavaScript", javascriptOf, (lines: string) => run(process.execPath, ["--input-type=module", "-e", lines])],
  ["Python", pythonOf, (lines: string) => run("python3", ["-c", lines])],
] as const;

describe.each(LANGUAGES)("%s", (name, write, runLines) => {
  const isHere = name !== "Python" || spawnSync("python3", ["-V"]).status === 0;

  test.skipIf(!isHere)("sends a body of any characters, and the key that it does not show", async () => {
    const call: Call = { url, method: "POST", headers: { "content-type": "application/json", authorization: "Bearer secret" }, body: BODY };
    const lines = write(call);
    expect(lines).not.toContain("secret");
    expect(await runLines(lines)).toContain("taken");
    expect(seen).toMatchObject({
      method: "POST",
      body: BODY,
      headers: { authorization: "Bearer the-key", "content-type": "application/json" },
    });
    expect(decodeURIComponent(seen.url!)).toBe("/v1/score?explain=true&a='b");
  });

  test.skipIf(!isHere)("asks without a body, and sends a file", async () => {
    expect(await runLines(write({ url, method: "GET", headers: {} }))).toContain("taken");
    expect(seen).toMatchObject({ method: "GET", body: "" });
    expect(
      await runLines(write({ url, method: "POST", headers: { "content-type": "application/x-npy" }, body: { file: "rows.bin" } })),
    ).toContain("taken");
    expect(seen).toMatchObject({ method: "POST", body: "bytes" });
  });
});
