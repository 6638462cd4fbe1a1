import { describe, expect, test } from "vitest";
import { permutationImportance } from "../../../trainer/explanation/importance.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { randomOf } from "../../fixtures/model.ts";

const T = 4;
const C = 3;

/** Lengths 1 … 4 in turn; a rule that reads channel 1 of the last row and nothing else. */
function makeCase(n: number) {
  const random = randomOf(3);
  const channels = Float32Array.from({ length: n * T * C }, () => random() - 0.5);
  const lengths = Int32Array.from({ length: n }, (_, i) => 1 + (i % T));
  const rule = (values: Float32Array, of: Int32Array): Float32Array =>
    Float32Array.from(of, (length, i) => (values[(i * T + length - 1) * C + 1] > 0 ? 0.9 : 0.1));
  return { scored: { channels, lengths, labels: rule(channels, lengths).map(Math.round) }, rule };
}

describe("permutation importance", () => {
  test("is the expected loss for what the rule reads and exactly 0 for everything else", () => {
    const { scored, rule } = makeCase(400);
    const { channels, steps, sequences } = permutationImportance(scored, T, rule, createRandom(1));
    expect(sequences).toBe(400);
    // A swapped value has the other sign half of the time: then 0.9 becomes 0.1, ln 9 nats, and half of that is expected.
    expect(Math.abs(channels[1].rise - Math.log(9) / 2)).toBeLessThan(0.15); // about four standard errors of 400 × 5 deals
    expect([channels[0].rise, channels[2].rise]).toEqual([0, 0]);
    expect(Math.abs(steps[0].rise - channels[1].rise)).toBeLessThan(0.1);
    expect(steps.slice(1).map(({ rise }) => rise)).toEqual([0, 0, 0]);
    expect(steps.map(({ from, to }) => [from, to])).toEqual([0, 1, 2, 3].map((age) => [age, age]));
  });

  test("gives the same figures for the same seed", () => {
    const { scored, rule } = makeCase(100);
    const run = (seed: number) => permutationImportance(scored, T, rule, createRandom(seed));
    expect(run(1)).toEqual(run(1));
    expect(run(2)).not.toEqual(run(1));
  });

  test("never changes a length, and never makes data of padding", () => {
    const { scored } = makeCase(100);
    for (let n = 0; n < 100; n++) scored.channels.fill(-7, (n * T + scored.lengths[n]) * C, (n + 1) * T * C);
    permutationImportance(
      scored,
      T,
      (values, lengths) => {
        lengths.forEach((length, i) => {
          for (let t = 0; t < length; t++) expect(values[(i * T + t) * C]).not.toBe(-7);
        });
        return new Float32Array(lengths.length).fill(0.5);
      },
      createRandom(1),
    );
  });

  test("keeps within its budget on long, wide and many sequences", () => {
    const rows = { scored: 0 };
    const [n, steps, width] = [500, 200, 30];
    const { sequences, repeats, ...effects } = permutationImportance(
      { channels: new Float32Array(n * steps * width), lengths: new Int32Array(n).fill(steps), labels: new Uint8Array(n) },
      steps,
      (_, lengths) => {
        rows.scored += lengths.reduce((sum, length) => sum + length, 0);
        return new Float32Array(lengths.length).fill(0.5);
      },
      createRandom(1),
    );
    expect(rows.scored).toBeLessThan(1_300_000);
    expect([sequences, repeats, effects.steps.length]).toEqual([120, 1, 20]);
    expect(effects.steps.at(-1)).toMatchObject({ from: 190, to: 199, rise: 0 });
  });
});
