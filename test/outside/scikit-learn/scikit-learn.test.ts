// scikit-learn: every metric that reports print is its metric to 1e-12, and a StandardScaler's file stands in front of an import.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { readNpy } from "../../../shared/npy.ts";
import { readScaler } from "../../../trainer/import/scaler.ts";
import { computeMetrics } from "../../../trainer/statistics/metrics.ts";
import { measureOperatingPoints } from "../../../trainer/statistics/operating-points.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { importBytes, scoreBytes } from "../../fixtures/import/importing.ts";
import { describeOutside } from "../environment.ts";

const FIXTURES = fileURLToPath(new URL("../../fixtures/import/", import.meta.url));
const SEQUENCES = join(FIXTURES, "sequences.npy");
/** The kernel's float32 against a scaler in float64: parity.test.ts argues the bound. */
const PARITY = 2e-6;
const TOLERANCE = 1e-12;

/** Labels drawn from probabilities that are off by `slope`; `digits` makes ties. */
function drawn(seed: number, N: number, bias: number, slope: number, digits?: number) {
  const random = createRandom(seed, 0);
  const cases = Array.from({ length: N }, () => {
    const z = bias + 1.5 * random.normal();
    const p = Math.fround(1 / (1 + Math.exp(-slope * z)));
    return {
      label: random.uniform() < 1 / (1 + Math.exp(-z)) ? 1 : 0,
      p: digits === undefined ? p : Math.round(p * 10 ** digits) / 10 ** digits,
    };
  });
  return { labels: cases.map(({ label }) => label), probabilities: cases.map(({ p }) => p), thresholds: [0.25, 0.5, 0.75] };
}

describeOutside("scikit-learn", (python) => {
  const folder = mkdtempSync(join(tmpdir(), "quickstep-sklearn-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  test("each metric is scikit-learn's within 1e-12: calibrated, overconfident, rare and tied scores", async () => {
    const cases = [
      drawn(1, 300, 0, 1),
      drawn(2, 5000, -1.2, 2.5),
      drawn(3, 4000, -4, 1),
      drawn(4, 2000, -1, 1, 1),
      drawn(5, 2000, 1, 1, 2),
    ];
    const expected: Record<string, unknown>[] = JSON.parse(await python.run("metrics.py", [], cases));
    for (const [at, { points, ...metrics }] of expected.entries()) {
      const { labels, probabilities, thresholds } = cases[at];
      const ours: Record<string, unknown> = { ...computeMetrics(labels, probabilities) };
      for (const [name, value] of Object.entries(metrics))
        expect(Math.abs((ours[name] as number) - (value as number)), name).toBeLessThanOrEqual(TOLERANCE);
      const named = thresholds.map((threshold) => ({ name: `${threshold}`, threshold }));
      // labels at a threshold compare float32 with float32
      const measured = measureOperatingPoints(named, labels, Float32Array.from(probabilities));
      for (const [k, point] of (points as Record<string, number | null>[]).entries())
        for (const [name, value] of Object.entries(point)) {
          const figure = measured[k].figures?.[name as "f1"];
          if (value === null) expect(figure).toBeUndefined();
          else expect(Math.abs(figure!.value - value), `${name} at ${thresholds[k]}`).toBeLessThanOrEqual(TOLERANCE);
        }
    }
  });

  test("a StandardScaler, as JSON and as .npz, stands in front of a network; joblib's file and a pickle are refused with the way forward", async () => {
    await python.run("scaler.py", [folder, SEQUENCES]);
    const numbers = (path: string): Float64Array => readNpy(readFileSync(path), path).data as Float64Array;
    const model = readFileSync(join(FIXTURES, "good/lstm100.h5"));
    const expected = scoreBytes((await importBytes(model)).bytes, numbers(join(folder, "scaled.npy")));
    for (const name of ["scaler.json", "scaler.npz"]) {
      const scaler = await readScaler(readFileSync(join(folder, name)), name);
      const scores = scoreBytes((await importBytes(model, { scaler })).bytes, numbers(SEQUENCES));
      for (const [n, p] of expected.entries()) expect(Math.abs(scores[n] - p)).toBeLessThanOrEqual(PARITY);
    }
    for (const name of ["scaler.joblib", "scaler.pkl"])
      await expect(readScaler(readFileSync(join(folder, name)), name)).rejects.toThrow(
        /neither JSON .* nor an \.npz .*: a pickle is never read/,
      );
  });
});
