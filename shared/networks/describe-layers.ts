// A network of layers in words, layer by layer, as people name them. Knows no file format.
import type { Activation } from "./activation.ts";
import type { Cell, CellText, Layer, LayeredNetwork, LayerText, Returns } from "./layers.ts";

const CELL_NAMES = { lstm: "LSTM", gru: "GRU", rnn: "SimpleRNN" } as const;
const POOL_NAMES = {
  first: "first row",
  last: "last row",
  mean: "mean over rows",
  max: "maximum over rows",
  ends: "last row of each direction",
} as const;

const BRANCH_WORDS = { concat: " beside ", sum: " + ", mul: " × " } as const;

/** `bidirectional LSTM(64, every step) → mean over rows → Dense(1)`: what a sequence goes through, the logit last. */
export function describeLayers({ layers }: { readonly layers: LayeredNetwork["layers"] | readonly LayerText[] }): string {
  return layers.map(describeLayer).join(" → ");
}

/** One layer: `Conv1D(32, 3 rows, 2 + 0 zero rows)`. */
export function describeLayer(layer: Layer | LayerText): string {
  switch (layer.kind) {
    case "recurrent":
      return `${CELL_NAMES[layer.cell.cell]}(${[...describeCell(layer.cell), ...(layer.backwards ? ["backwards"] : []), ...describeReturns(layer.returns)].join(", ")})`;
    case "bidirectional":
      return `bidirectional ${describeBoth(layer)}`;
    case "conv":
      return `Conv1D(${[
        layer.filters,
        countRows(layer.kernelSize),
        ...(layer.strides > 1 ? [`stride ${layer.strides}`] : []),
        ...(layer.dilationRate > 1 ? [`dilation ${layer.dilationRate}`] : []),
        ...describePads(layer.pads, "zero rows"),
      ].join(", ")})`;
    case "pooling":
      return `${layer.by === "max" ? "maximum" : "mean"} of ${[
        countRows(layer.poolSize),
        ...(layer.strides > 1 ? [`stride ${layer.strides}`] : []),
        ...describePads(layer.pads, layer.countsPads ? "zero rows" : "rows left out"),
      ].join(", ")}`;
    case "globalPooling":
      return layer.by.map((by) => POOL_NAMES[by]).join(" beside ");
    case "attentionPooling":
      return "mean over rows by attention";
    case "branches":
      return `(${layer.branches.map((branch) => describeLayers({ layers: branch }) || "as it is").join(BRANCH_WORDS[layer.merge])})`;
    case "flatten":
      return `flatten ${countRows(layer.steps)}`;
    case "reverse":
      return "rows reversed";
    case "dense":
      return `Dense(${layer.units})`;
    case "activation":
      return describeActivation(layer.activation);
    case "affine":
      return "scale and shift";
    case "layerNormalization":
      return "layer normalization";
  }
}

function describeBoth({ forward, backward, merge, returns }: Extract<Layer | LayerText, { kind: "bidirectional" }>): string {
  const [one, other] = [forward, backward].map((cell) => [CELL_NAMES[cell.cell], describeCell(cell).join(", ")]);
  const more = [...(merge === "concat" ? [] : [merge]), ...describeReturns(returns)];
  const parts = (words: string, isLast: boolean): string => [words, ...(isLast ? more : [])].join(", ");
  if (one.join() === other.join()) return `${one[0]}(${parts(one[1], true)})`;
  return `${one[0]}(${parts(one[1], false)}) and ${other[0]}(${parts(other[1], true)})`;
}

/** Units, and what is not as frameworks have it by default. */
function describeCell(cell: Cell | CellText): string[] {
  const { units, activation } = cell;
  const gates = cell.cell === "rnn" ? undefined : cell.recurrentActivation;
  return [
    `${units}`,
    ...(activation && activation.kind !== "tanh" ? [describeActivation(activation)] : []),
    ...(gates && gates.kind !== "sigmoid" ? [`gates ${describeActivation(gates)}`] : []),
    ...(cell.cell === "gru" && cell.recurrentBias === undefined ? ["reset before"] : []),
    ...(cell.initialHidden || (cell.cell === "lstm" && cell.initialCell) ? ["initial state"] : []),
  ];
}

function describeReturns(returns: Returns): string[] {
  return returns === "sequence" ? ["every step"] : returns === "cell" ? ["cell state"] : [];
}

function describePads([front, back]: readonly [number, number], name: string): string[] {
  return front + back === 0 ? [] : [`${front} + ${back} ${name}`];
}

function describeActivation(activation: Activation): string {
  switch (activation.kind) {
    case "leakyRelu":
      return `leaky relu ${activation.alpha}`;
    case "elu":
      return activation.alpha === 1 ? "elu" : `elu ${activation.alpha}`;
    case "gelu":
      return activation.approximate ? "gelu by tanh" : "gelu";
    case "hardSigmoid":
      return `hard sigmoid ${Number(activation.slope.toFixed(4))}`;
    default:
      return activation.kind;
  }
}

function countRows(count: number): string {
  return `${count} ${count === 1 ? "row" : "rows"}`;
}
