// ONNX' LSTM in float64, from its definition (github.com/onnx/onnx/blob/main/docs/Operators.md#LSTM, equations of the default
// activations), and what of it can be imported. Knows no graph.
// Legend: T steps, N sequences, F inputs, U units; gates i,o,f,c.
import { type Attributes, anything, number, numbers, OperatorError, readAttributes, texts, type ValuesOf } from "./operator.ts";

export interface LstmSettings {
  readonly reverse: boolean;
  readonly batchFirst: boolean;
  /** Slope of HardSigmoid in the gates, null for Sigmoid. */
  readonly hardGates: number | null;
}

const ATTRIBUTES = {
  direction: anything,
  clip: anything,
  input_forget: anything,
  activations: texts,
  activation_alpha: numbers,
  activation_beta: numbers,
  layout: number(0),
};
/** ONNX' defaults of HardSigmoid. */
const [HARD_SIGMOID_ALPHA, HARD_SIGMOID_BETA] = [0.2, 0.5];

/** The settings in a node's attributes. Throws OperatorError naming what the kernel cannot compute. */
export function readLstmSettings(attributes: Attributes): LstmSettings {
  return settingsOf(readAttributes(ATTRIBUTES, attributes));
}

function settingsOf({ direction = "forward", clip, input_forget, layout, ...rest }: ValuesOf<typeof ATTRIBUTES>): LstmSettings {
  if (direction !== "forward" && direction !== "reverse")
    throw new OperatorError(`is ${direction}`, "two directions would take a second LSTM: train with one");
  if (clip !== undefined)
    throw new OperatorError(`clips its cell input at ${clip} (clip)`, "quickstep's kernel does not clip: train without");
  if (input_forget) throw new OperatorError("couples its input and forget gates (input_forget)", "quickstep's kernel has both gates");
  return { reverse: direction === "reverse", batchFirst: layout === 1, hardGates: hardGatesOf(rest) };
}

function hardGatesOf({
  activations = ["Sigmoid", "Tanh", "Tanh"],
  activation_alpha: [alpha] = [HARD_SIGMOID_ALPHA],
  activation_beta: [beta] = [HARD_SIGMOID_BETA],
}: Pick<ValuesOf<typeof ATTRIBUTES>, "activations" | "activation_alpha" | "activation_beta">): number | null {
  const [gate, candidate, output] = activations.map((activation) => activation.toLowerCase());
  if (activations.length !== 3 || !/^(hard)?sigmoid$/.test(gate) || candidate !== "tanh" || output !== "tanh")
    throw new OperatorError(
      `has the activations ${activations.join(", ")}`,
      "quickstep's kernel computes Sigmoid or HardSigmoid, Tanh, Tanh",
    );
  if (gate === "sigmoid") return null;
  if (!(alpha > 0 && beta === 0.5))
    throw new OperatorError(
      `has a HardSigmoid of ${alpha} · x + ${beta}`,
      "quickstep's kernel computes slopes above 0 and 0.5 in the middle",
    );
  // Float32 cannot hold these two: what was meant is known.
  return [0.2, 1 / 6].find((exact) => Math.fround(exact) === alpha) ?? alpha;
}
