// The lines that `diagnose` prints run in Keras as they are, on five generated data sets, padded and not, and reach the log loss that they promise.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { encodeNpz } from "../../../trainer/readers/npz.ts";
import { generateFx } from "../../../trainer/sample/fx.ts";
import { plant } from "../../studies/diagnosis/planted.ts";
import { differenceOnly, mixedScales } from "../../studies/quality/generators.ts";
import { describeOutside } from "../environment.ts";
import { quickstepPrints } from "../quickstep.ts";

interface DataSet {
  readonly values: Float64Array;
  readonly labels: ArrayLike<number>;
  /** (N,T,F) */
  readonly shape: readonly number[];
  /** As --tried takes it. */
  readonly tried?: string;
  /** Whether rows are missing, which the lines mask. */
  readonly isPadded: boolean;
}

const N = 6000;
const padded = ({ values, labels }: { readonly values: Float64Array; readonly labels: Uint8Array }): DataSet => ({
  values,
  labels,
  shape: [N, 10, 5],
  isPadded: true,
});

function planted(name: "movement-tiny: raw" | "features-unscaled: small", strength: number): DataSet {
  const { data, baseline } = plant(name, strength, 1, 0);
  return {
    values: data.values,
    labels: data.labels,
    shape: [data.labels.length, data.shape.timesteps, data.shape.features],
    tried: baseline.replace(",mask", ""), // no row is missing
    isPadded: false,
  };
}

const DATA_SETS: Readonly<Record<string, () => DataSet>> = {
  "prices that move by 1e-5, padded": () => padded(generateFx(N, 5)),
  "a difference of two large features, padded": () => padded(differenceOnly(N, 5)),
  "scales of 1e-6 and 1e9, padded": () => padded(mixedScales(N, 5)),
  "levels far apart, movements that count": () => planted("movement-tiny: raw", 200),
  "units that a network does not hear": () => planted("features-unscaled: small", 1e4),
};
/** Of the promise: what another framework, other first weights and another held-out part may differ by. */
const TOLERANCE = 0.02;

describeOutside("keras", (python) => {
  const folder = mkdtempSync(join(tmpdir(), "quickstep-lines-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each(Object.keys(DATA_SETS))("%s", async (name) => {
    const { values, labels, shape, tried, isPadded } = DATA_SETS[name]();
    const file = join(folder, "data.npz");
    writeFileSync(file, await encodeNpz({ X: { data: values, shape }, y: { data: Float64Array.from(labels), shape: [shape[0]] } }));
    const options = tried === undefined ? [] : ["--tried", tried];
    const { script }: { script: string[] | undefined } = JSON.parse(await quickstepPrints("diagnose", file, "--json", ...options));
    expect(
      script?.some((line) => line.includes("keras.layers.Masking(")),
      "a mask",
    ).toBe(isPadded);
    const [, promised] = /(?:val_loss about|measured over the whole file:) (\d\.\d+)/.exec(script?.at(-1) ?? "") ?? [];
    expect(promised, "lines with a promise").toBeDefined();
    const { loss, sequences } = JSON.parse(await python.run("lines.py", [file], script));
    expect(sequences).toBeGreaterThan(shape[0] / 6);
    console.log(`${name}: promised ${promised}, Keras reaches ${loss.toFixed(3)} on ${sequences} sequences`);
    expect(loss).toBeLessThanOrEqual(Number(promised) + TOLERANCE);
  });
});
