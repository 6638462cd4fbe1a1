// `serve` reads the secrets of the folder where it is called, and says what is missing among them.
import { spawn } from "node:child_process";
import { createHash, createHmac } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const PORT = "8796";
const SOURCES = {
  lines: { scheme: "hmac", header: "x-signature", encoding: "hex", secrets: ["LINES"], key: "/k", timestamp: "/t", values: "/v" },
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "quickstep-secrets-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Serves the bundled artifact from a folder with these secrets, until `use` is through with what was said up to `ready`. */
async function serve(secrets: string, ready: RegExp, use: (said: string) => Promise<void>): Promise<void> {
  writeFileSync(join(folder, ".dev.vars"), secrets);
  const words = [join(ROOT, "trainer/main.ts"), "serve", join(ROOT, "edge/model.safetensors"), "--port", PORT];
  const child = spawn(process.execPath, words, { cwd: folder });
  let said = "";
  const ended = new Promise<void>((done) => child.once("exit", () => done()));
  try {
    await new Promise<void>((done, failed) => {
      const hear = (chunk: Buffer): void => {
        said += chunk.toString();
        if (ready.test(said)) done();
      };
      child.stdout.on("data", hear);
      child.stderr.on("data", hear);
      child.once("exit", (code) => failed(new Error(`serve ended with code ${code}:\n${said}`)));
    });
    await use(said);
  } finally {
    child.kill("SIGINT");
    await ended;
  }
}

test("serve takes hooks and keys by the secrets in .dev.vars", async () => {
  const key = "admin-key-of-this-test-0123456789";
  const sha256 = createHash("sha256").update(key).digest("hex");
  const lines = `LINES='a secret with $dollars and # signs'\nAPI_KEYS=me:${sha256}:admin\nSOURCES='${JSON.stringify(SOURCES)}'\n`;
  await serve(lines, /^curl .*$/m, async (said) => {
    expect(said).toContain("secrets are read from .dev.vars in this folder");
    expect(said).not.toContain("not ready");
    const body = JSON.stringify({ k: "north-7", t: new Date().toISOString(), v: [10.2, 10.5, 10.0, 10.3, 5200] });
    const signature = createHmac("sha256", "a secret with $dollars and # signs").update(body).digest("hex");
    const url = `http://localhost:${PORT}`;
    const taken = await fetch(`${url}/hooks/lines`, { method: "POST", headers: { "x-signature": signature }, body });
    expect([taken.status, await taken.json()]).toMatchObject([200, { key: "north-7", seq: 1 }]);
    const emptied = (headers: Record<string, string>) => fetch(`${url}/v1/streams/north-7`, { method: "DELETE", headers });
    expect((await emptied({})).status).toBe(401);
    expect((await emptied({ authorization: `Bearer ${key}` })).status).toBe(204);
  });
});

test("serve names the secret that a hook wants and .dev.vars has not", async () => {
  await serve(`SOURCES='${JSON.stringify(SOURCES)}'\n`, /of that name\n/, async (said) => {
    expect(said).toMatch(/^curl /m);
    expect(said).toContain(
      "The Worker scores, and is not ready otherwise: SOURCES.lines.secrets[0] must be a secret that is set (wrangler secret put LINES; on this machine, a line of .dev.vars before the start), " +
        "got none of that name\n",
    );
  });
});
