// What a newcomer does first: `npm start`. The real sample, training, the Worker under `wrangler dev`, and the printed curl line.
import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PORT = "8798";

test("npm start trains on the real sample and serves that model, and the curl line it prints works", { timeout: 180_000 }, async () => {
  const child = spawn("npm", ["start", "--", "--retrain", "--port", PORT], { cwd: ROOT, detached: true });
  let said = "";
  const curl = await new Promise<string>((done, failed) => {
    const hear = (chunk: Buffer): void => {
      said += chunk.toString();
      const line = /^curl .*$/m.exec(said);
      if (line) done(line[0]);
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.once("exit", (code) => failed(new Error(`npm start ended with code ${code}:\n${said}`)));
  });
  try {
    const answer = JSON.parse(spawnSync("bash", ["-c", curl], { encoding: "utf8" }).stdout);
    expect(said).toMatch(/27\.2 % positive/);
    expect(said).toMatch(/logistic regression/);
    expect(said).toContain(`${answer.model} answers at http://localhost:${PORT}`);
    expect(answer.results[0].probability).toBeGreaterThan(0);
    expect(answer.results[0].probability).toBeLessThan(1);
  } finally {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGTERM");
  }
});
