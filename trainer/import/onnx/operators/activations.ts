// Operators that change each number by a function, in float64. Definitions: github.com/onnx/onnx/blob/main/docs/Operators.md.
import type { Activation } from "../../../../shared/networks/activation.ts";
import { evaluateActivation } from "../../contract/activations.ts";
import { type AttributeReader, anything, number, type Operator, operator } from "./operator.ts";

function each<R extends Record<string, AttributeReader<unknown>>>(
  attributes: R,
  functionOf: (values: { readonly [K in keyof R]: ReturnType<R[K]> }) => (x: number) => number,
): Operator {
  return operator({ inputs: ["X"], attributes, evaluate: ([{ dims, data }], values) => [{ dims, data: data.map(functionOf(values)) }] });
}

const of =
  (activation: Activation) =>
  (x: number): number =>
    evaluateActivation(activation, x);

export const ACTIVATION_OPERATORS: Readonly<Record<string, Operator>> = {
  Relu: each({}, () => of({ kind: "relu" })),
  LeakyRelu: each({ alpha: number(0.01) }, ({ alpha }) => of({ kind: "leakyRelu", alpha })),
  Elu: each({ alpha: number(1) }, ({ alpha }) => of({ kind: "elu", alpha })),
  Selu: each({}, () => of({ kind: "selu" })),
  Gelu: each({ approximate: anything }, ({ approximate }) => of({ kind: "gelu", approximate: approximate === "tanh" })),
  Tanh: each({}, () => Math.tanh),
  Softplus: each({}, () => of({ kind: "softplus" })),
  Softsign: each({}, () => of({ kind: "softsign" })),
  HardSigmoid: each(
    { alpha: number(0.2), beta: number(0.5) },
    ({ alpha, beta }) =>
      (x) =>
        Math.max(0, Math.min(1, alpha * x + beta)),
  ),
  Exp: each({}, () => Math.exp),
  Reciprocal: each({}, () => (x) => 1 / x),
  Not: each({}, () => (x) => Number(x === 0)),
};
