// Keras' activation functions by their names, in every spelling since Keras 1, and what each computes (keras/src/activations/activations.py).
import type { Activation } from "../../../shared/networks/activation.ts";
import { evaluateActivation } from "../contract/activations.ts";
import { rejectFile, SECOND_ENGINE } from "../contract/reject-file.ts";
import { describeLayer, type Layer } from "./layer.ts";

/** An activation, or a softmax, which is one only at the end of a model. */
export type KerasActivation = Activation | { readonly kind: "softmax" };

/** Keras 1 and 2: max(0, min(1, 0.2·x + 0.5)); Keras 3: relu6(x + 3) / 6. */
const HARD_SIGMOID_SLOPES = { untilKeras2: 0.2, sinceKeras3: 1 / 6 };

/** The slope of leaky_relu where a layer's settings or a name alone say none: Keras 2 has 0.3 for the layer, 0.2 for the function. */
const LEAKY_SLOPE = { layer: 0.3, name: 0.2 };

/** The activation that `value` names: a text, or the object that Keras 3 and 2.15 write for a function or a layer. Throws DataError. */
export function readActivation(value: unknown, layer: Layer, major: number, source: string): KerasActivation {
  const name = activationName(value);
  const settings = typeof value === "object" && value !== null ? (value as { config?: unknown }).config : undefined;
  const config = typeof settings === "object" && settings !== null ? (settings as Record<string, unknown>) : undefined;
  const activation = activationOf(name, config, major);
  return (
    activation ??
    rejectFile(source, `${describeLayer(layer)} has the activation ${name}`, `quickstep does not compute it; ${SECOND_ENGINE}`)
  );
}

/** The activation that a layer of its own is: ReLU, LeakyReLU, ELU, Softmax. Undefined for settings that quickstep does not compute. */
export function activationOf(
  name: string,
  config: Readonly<Record<string, unknown>> | undefined,
  major: number,
): KerasActivation | undefined {
  const number = (keys: readonly string[], missing: number): number => {
    const given = keys.map((key) => config?.[key]).find((one) => one !== undefined && one !== null);
    return typeof given === "number" ? given : missing;
  };
  const key = name.toLowerCase().replaceAll("_", "");
  switch (key) {
    case "linear":
    case "relu":
    case "tanh":
    case "sigmoid":
    case "softplus":
    case "softsign":
    case "selu":
    case "silu":
    case "softmax":
      return key === "relu" ? reluOf(config) : { kind: key };
    case "swish":
      return { kind: "silu" };
    case "leakyrelu":
      return { kind: "leakyRelu", alpha: number(["negative_slope", "alpha"], config === undefined ? LEAKY_SLOPE.name : LEAKY_SLOPE.layer) };
    case "elu":
      return { kind: "elu", alpha: number(["alpha"], 1) };
    case "gelu":
      return { kind: "gelu", approximate: config?.approximate === true };
    case "hardsigmoid":
      return { kind: "hardSigmoid", slope: major >= 3 ? HARD_SIGMOID_SLOPES.sinceKeras3 : HARD_SIGMOID_SLOPES.untilKeras2 };
    default:
      return undefined;
  }
}

/** max(x, 0), or with a slope below 0; undefined with a ceiling or a threshold. */
function reluOf(config: Readonly<Record<string, unknown>> | undefined): Activation | undefined {
  const { max_value, threshold, negative_slope } = config ?? {};
  if ((max_value ?? null) !== null || (threshold ?? 0) !== 0) return undefined;
  return typeof negative_slope === "number" && negative_slope !== 0 ? { kind: "leakyRelu", alpha: negative_slope } : { kind: "relu" };
}

/** `sigmoid`: a text, or the object that Keras writes for a function. Absent is `linear`. */
export function activationName(activation: unknown): string {
  if (typeof activation === "object" && activation !== null) {
    const { config, class_name } = activation as Record<string, unknown>;
    return typeof config === "string" ? config : String(class_name);
  }
  return String(activation ?? "linear");
}

/** What an activation makes of a row, as Keras defines it. */
export function runActivation(activation: KerasActivation, row: Float64Array): Float64Array {
  if (activation.kind !== "softmax") return row.map((x) => evaluateActivation(activation, x));
  const exponentials = row.map((x) => Math.exp(x - Math.max(...row)));
  const sum = exponentials.reduce((a, b) => a + b);
  return exponentials.map((x) => x / sum);
}
