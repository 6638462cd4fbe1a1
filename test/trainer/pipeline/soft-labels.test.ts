// Soft labels train: they are read where --soft-labels says so, refused where it does not, and what is known of a probability is learnt.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterAll, expect, test } from "vitest";
import { type LabelledDataset, type ReadOptions, readDataset } from "../../../trainer/readers/dataset.ts";
import { describeRead } from "../../../trainer/readers/describe.ts";
import { encodeNpz } from "../../../trainer/readers/npz.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { makeData, runStack } from "../../fixtures/stack-runs.ts";

const folder = mkdtempSync(join(tmpdir(), "quickstep-soft-"));
afterAll(() => rmSync(folder, { recursive: true }));
const LABELS = [0, 0.25, 0.5, 1];
const at = (name: string): string => join(folder, name);

async function writeAll(labels: readonly number[]): Promise<Readonly<Record<string, ReadOptions>>> {
  const N = labels.length;
  const X = { data: Float64Array.from({ length: N * 4 }, (_, i) => i + 1), shape: [N, 2, 2] };
  const y = { data: Float64Array.from(labels), shape: [N] };
  writeFileSync(at("soft.npz"), await encodeNpz({ X, y }));
  writeFileSync(at("soft.csv"), `a_0,b_0,a_1,b_1,y\n${labels.map((label, n) => `${n},1,2,3,${label}\n`).join("")}`);
  writeFileSync(at("rows.csv"), `a,b,y\n${labels.map((label, n) => `${n},1,${label}\n`).join("")}`);
  writeFileSync(at("soft.jsonl"), labels.map((label, n) => JSON.stringify({ sequence: [[n, 1]], label })).join("\n"));
  const columns = ["a_0", "b_0", "a_1", "b_1"].map((name, c) => ({ name, data: labels.map((_, n) => n + c), type: "DOUBLE" as const }));
  const columnData = [...columns, { name: "y", data: [...labels], type: "DOUBLE" as const }];
  writeFileSync(at("soft.parquet"), new Uint8Array(parquetWriteBuffer({ columnData })));
  return { "soft.npz": {}, "soft.csv": {}, "rows.csv": { window: 1 }, "soft.jsonl": {}, "soft.parquet": {} };
}

test("every format holds soft labels, and it is said", async () => {
  for (const [name, options] of Object.entries(await writeAll(LABELS))) {
    const { labels, facts } = await readDataset([at(name)], { ...options, softLabels: true });
    expect(labels, name).toEqual(Float64Array.from(LABELS));
    expect(describeRead(facts), name).toMatch(/soft label (y|label), 43\.8 % positive/);
  }
});

test("without the option they are refused, and the option is named; beyond 0 and 1 they are refused with it", async () => {
  const many = Array.from({ length: 200 }, (_, n) => n / 199);
  for (const labels of [LABELS, many])
    for (const [name, options] of Object.entries(await writeAll(labels)))
      await expect(readDataset([at(name)], options), name).rejects.toThrow(
        "say --soft-labels where they are probabilities of a 1; else two classes only",
      );
  for (const [name, options] of Object.entries(await writeAll([0, 0.5, 1.5])))
    await expect(readDataset([at(name)], { ...options, softLabels: true }), name).rejects.toThrow(
      /is 1\.5, expected a soft label from 0 to 1/,
    );
});

/** The true probability of each sequence, of which a label of 1 was drawn. */
function makeKnown(N: number): { readonly data: LabelledDataset; readonly truth: Float64Array } {
  const random = createRandom(9);
  const shape = { N, T: 2, F: 2 };
  const drawn = makeData(shape, () => random.uniform() < 0.5);
  const truth = Float64Array.from({ length: N }, (_, n) => 0.45 / (1 + Math.exp(-2 * drawn.values[n * 4 + 3] - drawn.values[n * 4])));
  const labels = truth.map(() => 0);
  return { data: { ...drawn, labels, probability: truth }, truth };
}

test.each(["linear", "trees"] as const)(
  "%s recovers a known probability from soft labels, all below one half, as from nothing else",
  { timeout: 240_000 },
  async (learner) => {
    const { data, truth } = makeKnown(2100);
    const random = createRandom(4);
    const drawn = Uint8Array.from(truth, (p) => (random.uniform() < p ? 1 : 0));
    const soft = await runStack({ ...data, labels: truth }, { learner });
    const hard = await runStack({ ...data, labels: drawn }, { learner });
    const recovered = [soft, hard].map(({ trained }) => trained.truth?.recovered ?? Number.NaN);
    expect(recovered[0]).toBeGreaterThan(0.8); // the logit is not linear, and trees have steps
    expect(recovered[0]).toBeGreaterThan(recovered[1] + 0.01);
    const { card } = soft.trained.model;
    expect(card.test.positiveRate).toBeLessThan(0.45);
    expect(card.test.logLoss).toBeLessThan(card.test.baseRateLogLoss);
  },
);
