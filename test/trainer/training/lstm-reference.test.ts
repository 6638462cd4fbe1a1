// The reference's own gradients against central differences of its losses: everything else is measured by it.
import { expect, test } from "vitest";
import { drawNetwork, drawSequences, drawValues, generator } from "../../fixtures/sequences.ts";
import { lastStates, lossGradients, meanLoss, statesGradients, toWeights } from "./lstm-reference.ts";

/** Truncation error about h²/6 · third derivative, rounding about 1e-16/h: both below 1e-10. */
const H = 1e-5;

test("the reference's gradients are its losses' slopes, for every parameter and input", () => {
  const random = generator(1);
  const weights = toWeights(drawNetwork(3, 5, 1, random));
  const sequences = { ...drawSequences(6, 4, 3, random), x: Float64Array.from(drawValues(6 * 4 * 3, random)) as unknown as Float32Array };
  const dStates = drawValues(6 * 5, random);
  const project = (): number => lastStates(weights, sequences).reduce((sum, h, n) => sum + h * dStates[n], 0);
  const loss = (): number => meanLoss(weights, sequences, sequences.labels);
  for (const [value, gradients] of [
    [loss, lossGradients(weights, sequences, sequences.labels)],
    [project, statesGradients(weights, sequences, dStates)],
  ] as const) {
    for (const [name, gradient] of Object.entries(gradients)) {
      const values = name === "x" ? sequences.x : weights[name as "kernel"];
      gradient.forEach((expected, n) => {
        const kept = values[n];
        values[n] = kept + H;
        const above = value();
        values[n] = kept - H;
        const below = value();
        values[n] = kept;
        expect((above - below) / (2 * H), `${name}[${n}]`).toBeCloseTo(expected, 8);
      });
    }
  }
});
