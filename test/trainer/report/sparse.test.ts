import { describe, expect, test } from "vitest";
import { gatherReport } from "../../../trainer/report/gather.ts";
import { renderReport } from "../../../trainer/report/page.ts";
import { type Changes, makeInput, N } from "./fixture.ts";
import { parseTags } from "./tags.ts";

const level = (features: number) => Array.from({ length: features }, (_, a) => ({ base: "feature", a, view: "level" }) as const);
const names = (count: number) => Array.from({ length: count }, (_, f) => `f${f}`);
const epoch = { trainLoss: 0.5, validationLoss: 0.5, learningRate: 1e-3 };

describe("says no NaN, undefined or null with", () => {
  test.each<[string, Changes]>([
    [
      "a constant score, one epoch and no truth in constants",
      {
        probabilities: new Float32Array(N / 2).fill(0.25),
        input: { history: [epoch], truth: { bayesLogLoss: 0.42, recovered: Number.NaN } },
      },
    ],
    ["scores of 0 and 1, no epoch", { probabilities: Float32Array.from({ length: N / 2 }, (_, n) => n % 2), input: { history: [] } }],
    [
      "a test part of one class, losses that are not numbers",
      {
        labels: Uint8Array.from({ length: N }, (_, n) => (n < N / 2 ? n % 2 : 0)),
        input: { history: [epoch, { ...epoch, trainLoss: Number.NaN, validationLoss: Infinity }] },
      },
    ],
    [
      "one row of one feature, losses far above the rest",
      { model: { timesteps: 1, features: ["only"], channels: level(1) }, input: { history: [{ ...epoch, trainLoss: 900 }, epoch] } },
    ],
    ["more features than are drawn", { model: { timesteps: 12, features: names(26), channels: level(26) } }],
    ["zero rows that are data, channels as they come", { model: { padding: "none", standardise: false } }],
    [
      "values at the ends of float64, a known truth",
      {
        model: { channels: level(5) },
        values: Float64Array.from(
          { length: N * 50 },
          (_, i) => [Number.MAX_VALUE, -Number.MAX_VALUE, 5e-324, 1, 0][(i * 7 + (i >> 3)) % 5] || 1,
        ),
        input: { leftOut: 1, truth: { bayesLogLoss: 0.42, recovered: 0.98 } },
      },
    ],
    [
      "values that hardly differ",
      { model: { channels: level(5) }, values: Float64Array.from({ length: N * 50 }, (_, i) => 1 + (i % 3) * 2 ** -52) },
    ],
    ["constant features", { model: { channels: level(5) }, values: new Float64Array(N * 50).fill(3) }],
  ])("%s", async (_, changes) => {
    const page = await renderReport(gatherReport(makeInput(changes)));
    const text = parseTags(page).map(({ attributes }) => Object.values(attributes).join(" "));
    expect(`${text.join(" ")} ${page.replace(/<style>[^<]*<\/style>/, "").replace(/<[^>]*>/g, " ")}`).not.toMatch(
      /\b(NaN|Infinity|undefined|null)\b|\[object/,
    );
  });
});
