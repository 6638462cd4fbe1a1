// The search as `train` runs it, on data of which the right answer is known.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { encodeNpz } from "../../../trainer/readers/npz.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { counts, differenceOnly, type Generated } from "../../studies/quality/generators.ts";

const MAIN = fileURLToPath(new URL("../../../trainer/main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "quickstep-search-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function train(
  name: string,
  { values, labels, features }: Pick<Generated, "values" | "labels" | "features">,
): Promise<{ said: string; verdict: string; channels: string[] }> {
  const path = join(folder, `${name}.npz`);
  const shape = [labels.length, values.length / labels.length / features.length, features.length];
  writeFileSync(
    path,
    await encodeNpz({
      X: { data: values, shape },
      y: { data: labels, shape: [labels.length] },
      features: { data: [...features], shape: [features.length] },
    }),
  );
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, "train", path, "--learner", "lstm", "--epochs", "6", "--json"], {
    encoding: "utf8",
  });
  expect(status, stderr).toBe(0);
  const document = JSON.parse(stdout);
  return { said: stderr, verdict: document.verdict.code, channels: document.channels };
}

test("finds that only a difference of two features matters", async () => {
  const { channels } = await train("difference", differenceOnly(20_000, 201));
  expect(channels.some((name) => name.includes("near") && name.includes("far"))).toBe(true);
});

test("tries what all-zero rows mean where they stand inside sequences", async () => {
  expect((await train("counts", counts(20_000, 202))).said).toMatch(/padding: none \(.*leading 0\.\d+, any 0\.\d+, none 0\.\d+/);
});

test("finds what counts only as a total beside another", { timeout: 120_000 }, async () => {
  const { channels } = await train("totals", counts(40_000, 204));
  for (const name of ["carts", "views", "clicks"]) expect(channels.join()).toContain(name); // clicks alone, or less than views
});

test("serves the base rate where labels are drawn blindly", async () => {
  const random = createRandom(203);
  const made = differenceOnly(6000, 203);
  const { verdict } = await train("blind", { ...made, labels: made.labels.map(() => (random.uniform() < 0.25 ? 1 : 0)) });
  expect(verdict).toBe("base-rate-only");
});
