// What a sequence takes of memory until there is a split: the most that raw rows take, since networks get channels of them alone.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { encodeNpz } from "../../../trainer/readers/npz.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";

const folder = mkdtempSync(join(tmpdir(), "quickstep-memory-"));
afterAll(() => rmSync(folder, { recursive: true }));

const SIZE = 10 * 5;
// resourceUsage() would begin with what this process takes; the kernel's file has the program alone
const PROGRAM = `
import { readFileSync } from "node:fs";
import { prepareFolds } from "./trainer/pipeline/prepare-folds.ts";
import { readDataset } from "./trainer/readers/dataset.ts";
const [path, folder] = process.argv.slice(1);
const data = { ...(await readDataset([path], folder ? { store: { above: 1000, folder } } : {})), isOwned: true };
prepareFolds(data, { seed: 1, split: "auto", horizon: 0 }, () => {});
console.log(1024 * Number(/VmHWM:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]));
`;

/** Peak resident bytes of a process of its own that reads `N` sequences and splits them, with their rows in a file where `stored`. */
async function measurePeak(N: number, stored = false): Promise<number> {
  const path = join(folder, `${N}.npz`);
  const random = createRandom(N);
  const X = { shape: [N, 10, 5], data: Float64Array.from({ length: N * SIZE }, () => random.uniform()) };
  const y = { shape: [N], data: Uint8Array.from({ length: N }, () => random.integer(2)) };
  writeFileSync(path, await encodeNpz({ X, y }));
  return Number(
    execFileSync(process.execPath, ["--input-type=module", "-e", PROGRAM, path, ...(stored ? [folder] : [])], { encoding: "utf8" }),
  );
}

// 700 to 950 are usual (measured); one more copy of the rows takes 400
test.skipIf(process.platform !== "linux")("a sequence of 10 × 5 in float64, 400 bytes, is read and split in 1,100 bytes", async () => {
  const [few, many] = [await measurePeak(100_000), await measurePeak(400_000)];
  expect((many - few) / 300_000).toBeLessThan(1100);
});

// 80 and 352 were measured: numbers of rows and the table that finds them take about 300 for a while; the rows themselves would add 400
test.skipIf(process.platform !== "linux")("with its rows in a file it takes less than 600 bytes", async () => {
  const [few, many] = [await measurePeak(200_000, true), await measurePeak(500_000, true)];
  expect((many - few) / 300_000).toBeLessThan(600);
});
