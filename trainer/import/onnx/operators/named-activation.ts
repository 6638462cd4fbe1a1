// Activations by the names that ONNX has for them, as operators and in the lists of LSTM, GRU and RNN; with ONNX' defaults
// (github.com/onnx/onnx/blob/main/docs/Operators.md). Knows no tensor.
import type { Activation } from "../../../../shared/networks/activation.ts";
import { SECOND_ENGINE } from "../../contract/reject-file.ts";
import { type Attributes, OperatorError } from "./operator.ts";

interface Parameters {
  readonly alpha: number | undefined;
  readonly beta: number | undefined;
  readonly approximate?: boolean;
}

/** How many of a list of alphas and betas an activation takes, and what it is. */
const NAMED: Readonly<Record<string, { readonly takes?: "alpha" | "both"; read(parameters: Parameters): Activation }>> = {
  Relu: { read: () => ({ kind: "relu" }) },
  LeakyRelu: { takes: "alpha", read: ({ alpha = 0.01 }) => ({ kind: "leakyRelu", alpha }) },
  Elu: { takes: "alpha", read: ({ alpha = 1 }) => ({ kind: "elu", alpha }) },
  Selu: { read: () => ({ kind: "selu" }) },
  Gelu: { read: ({ approximate = false }) => ({ kind: "gelu", approximate }) },
  Tanh: { read: () => ({ kind: "tanh" }) },
  Sigmoid: { read: () => ({ kind: "sigmoid" }) },
  Softplus: { read: () => ({ kind: "softplus" }) },
  Softsign: { read: () => ({ kind: "softsign" }) },
  HardSigmoid: { takes: "both", read: ({ alpha = 0.2, beta = 0.5 }) => hardSigmoid(alpha, beta) },
};
const BY_LOWER_CASE = new Map(Object.entries(NAMED).map(([name, one]) => [name.toLowerCase(), one]));

/** The operators that are activations. */
export const ACTIVATIONS: ReadonlySet<string> = new Set(Object.keys(NAMED));

/** The activation of an operator among ACTIVATIONS. Throws OperatorError for one that the kernel has not. */
export function readActivation(operator: string, attributes: Attributes): Activation {
  const value = (name: string): number | undefined => (attributes.has(name) ? Number(attributes.get(name)) : undefined);
  return NAMED[operator].read({ alpha: value("alpha"), beta: value("beta"), approximate: attributes.get("approximate") === "tanh" });
}

/** The activation called `name` in a recurrent node, in capitals or not, which takes its numbers from `alphas` and `betas`. Throws OperatorError. */
export function takeActivation(name: string, alphas: number[], betas: number[]): Activation {
  if (name.toLowerCase() === "affine") return linearOf(alphas.shift() ?? 1, betas.shift() ?? 0);
  const named = BY_LOWER_CASE.get(name.toLowerCase());
  if (named === undefined) throw new OperatorError(`has the activation ${name}`, SECOND_ENGINE);
  const alpha = named.takes ? alphas.shift() : undefined;
  return named.read({ alpha, beta: named.takes === "both" ? betas.shift() : undefined });
}

/** α·x + β, which only recurrent operators have. */
function linearOf(alpha: number, beta: number): Activation {
  if (alpha !== 1 || beta !== 0) throw new OperatorError(`has the activation ${alpha} · x + ${beta}`, SECOND_ENGINE);
  return { kind: "linear" };
}

/** Float32 cannot hold the slopes that Keras has: what was meant is known. */
function hardSigmoid(alpha: number, beta: number): Activation {
  if (beta !== 0.5 || !(alpha > 0)) throw new OperatorError(`has a HardSigmoid of ${alpha} · x + ${beta}`, SECOND_ENGINE);
  return { kind: "hardSigmoid", slope: [0.2, 1 / 6].find((exact) => Math.fround(exact) === Math.fround(alpha)) ?? alpha };
}
