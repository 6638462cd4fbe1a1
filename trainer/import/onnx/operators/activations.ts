// Operators that change each number by a function, in float64. Definitions: github.com/onnx/onnx/blob/main/docs/Operators.md.
import { evaluateActivation } from "../../contract/activations.ts";
import { ACTIVATIONS, readActivation } from "./named-activation.ts";
import type { Tensor } from "./node.ts";
import { anything, number, type Operator, operator } from "./operator.ts";

const each = (change: (x: number) => number): Operator =>
  operator({ inputs: ["X"], evaluate: ([x]: readonly Tensor[]) => [{ dims: x.dims, data: x.data.map(change) }] });

function activation(name: string): Operator {
  return operator({
    inputs: ["X"],
    attributes: { alpha: anything, beta: anything, approximate: anything },
    evaluate([{ dims, data }], values) {
      const given = Object.entries(values).filter((entry) => entry[1] !== undefined) as [string, number | string][];
      const read = readActivation(name, new Map(given));
      return [{ dims, data: data.map((x) => evaluateActivation(read, x)) }];
    },
  });
}

export const ACTIVATION_OPERATORS: Readonly<Record<string, Operator>> = {
  ...Object.fromEntries([...ACTIVATIONS].map((name) => [name, activation(name)])),
  // With any middle, although no layer has one
  HardSigmoid: operator({
    inputs: ["X"],
    attributes: { alpha: number(0.2), beta: number(0.5) },
    evaluate: ([{ dims, data }], { alpha, beta }) => [{ dims, data: data.map((x) => Math.max(0, Math.min(1, alpha * x + beta))) }],
  }),
  // √2·x · Φ(√2·x) is what gelu makes of √2·x
  Erf: each((x) => (x === 0 ? 0 : (2 * evaluateActivation({ kind: "gelu", approximate: false }, Math.SQRT2 * x)) / (Math.SQRT2 * x) - 1)),
  Exp: each(Math.exp),
  Reciprocal: each((x) => 1 / x),
  Not: each((x) => Number(x === 0)),
};
