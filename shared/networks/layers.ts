// A network as a list of layers: the types, and the sizes that follow from them. What each layer computes is layers-definition.ts.
// Knows no kernel and no file format.
//
// Between layers lie rows, (R,W) of one sequence; a vector is one row. The first layer is given the sequence's valid rows, R = its
// length, of C channels: rows that the recipe passes over as padding reach no layer, so a mask is nothing that a layer knows of.
// The last layer leaves one row of one number, the logit.
// Legend: T steps, R rows, W width, C channels, U units, K kernel size.
import type { Activation } from "./activation.ts";

interface CellWeights {
  /** U */
  readonly units: number;
  /** (W,GU) with G gates; columns gate by unit */
  readonly kernel: Float32Array;
  /** (U,GU) */
  readonly recurrent: Float32Array;
  /** (GU) */
  readonly bias: Float32Array;
  /** Of the candidate, and of an LSTM's output; left out: tanh. */
  readonly activation?: Activation;
  /** (U) given: the state before the first step; else zeros. */
  readonly initialHidden?: Float32Array;
}

/** G = 4, gates i,f,c,o. */
export interface LstmCell extends CellWeights {
  readonly cell: "lstm";
  /** Of the gates i, f and o; left out: sigmoid. */
  readonly recurrentActivation?: Activation;
  /** (U) given: the cell state before the first step; else zeros. */
  readonly initialCell?: Float32Array;
}

/** G = 3, gates z,r,h. The new state is z · old + (1 − z) · candidate. */
export interface GruCell extends CellWeights {
  readonly cell: "gru";
  /** Of the gates z and r; left out: sigmoid. */
  readonly recurrentActivation?: Activation;
  /**
   * (U) given: the reset gate multiplies the state's part of the candidate, and this bias with it (Keras' reset_after, PyTorch, ONNX'
   * linear_before_reset). Left out: the reset gate multiplies the state before the recurrent weights do (Keras' reset_after=False).
   */
  readonly recurrentBias?: Float32Array;
}

/** G = 1. */
export interface RnnCell extends CellWeights {
  readonly cell: "rnn";
}

export type Cell = LstmCell | GruCell | RnnCell;

/** What a recurrent layer hands on: the state of every step, the state after its last step, or an LSTM's cell state after it. */
export type Returns = "sequence" | "state" | "cell";

export const MERGES = ["concat", "sum", "mul", "ave"] as const;
export const BRANCH_MERGES = ["concat", "sum", "mul"] as const;
/** `ends`: the first half of the last row and the second half of the first, which are the last states of two directions side by side. */
export const GLOBAL_POOLS = ["first", "last", "mean", "max", "ends"] as const;

export type Layer =
  /** `backwards`: steps are read from the last row to the first. Each row of a sequence that it returns stands where it was read. */
  | { readonly kind: "recurrent"; readonly cell: Cell; readonly backwards?: true; readonly returns: Returns }
  /** Two cells read the same rows, `backward` from the last to the first; then their rows, or their last states, are merged. */
  | {
      readonly kind: "bidirectional";
      readonly forward: Cell;
      readonly backward: Cell;
      readonly merge: (typeof MERGES)[number];
      readonly returns: Returns;
    }
  /** Kernel (K,W,filters), bias (filters). `pads`: rows of zeros in front and behind. Row r is made of rows r·strides + k·dilationRate. */
  | {
      readonly kind: "conv";
      readonly filters: number;
      readonly kernelSize: number;
      readonly strides: number;
      readonly dilationRate: number;
      readonly pads: readonly [front: number, back: number];
      readonly kernel: Float32Array;
      readonly bias: Float32Array;
    }
  /** The maximum or mean of each column over windows. Pads are passed over, or, where `countsPads`, are zeros in a mean. */
  | {
      readonly kind: "pooling";
      readonly by: "max" | "mean";
      readonly poolSize: number;
      readonly strides: number;
      readonly pads: readonly [front: number, back: number];
      readonly countsPads?: true;
    }
  /** All rows become one; several poolings stand side by side. */
  | { readonly kind: "globalPooling"; readonly by: readonly (typeof GLOBAL_POOLS)[number][] }
  /** All rows become one, their mean weighted by the softmax over rows of each row's last number, which stays behind. */
  | { readonly kind: "attentionPooling" }
  /** Each branch reads the same rows, and all leave as many, which are merged. A branch of no layers leaves what it reads. */
  | { readonly kind: "branches"; readonly branches: readonly (readonly Layer[])[]; readonly merge: (typeof BRANCH_MERGES)[number] }
  /** `steps` rows become one, row by row: exactly so many come in. */
  | { readonly kind: "flatten"; readonly steps: number }
  /** The last row becomes the first. */
  | { readonly kind: "reverse" }
  /** Kernel (W,U), bias (U). */
  | { readonly kind: "dense"; readonly units: number; readonly kernel: Float32Array; readonly bias: Float32Array }
  | { readonly kind: "activation"; readonly activation: Activation }
  /** x · scale + shift, (W) each: what a BatchNormalization comes to. */
  | { readonly kind: "affine"; readonly scale: Float32Array; readonly shift: Float32Array }
  /** Over each row: (x − mean) / √(variance + epsilon) · gamma + beta, (W) each (Ba et al. 2016). */
  | { readonly kind: "layerNormalization"; readonly gamma: Float32Array; readonly beta: Float32Array; readonly epsilon: number };

/** A network of any layers. shared/networks/lstm.ts has the one that training makes. */
export interface LayeredNetwork {
  /** C */
  readonly channels: number;
  readonly layers: readonly Layer[];
}

/** `T` without its weights; one that not each has is `true` where it is there. */
type WithoutWeights<T> = T extends unknown
  ? {
      [K in keyof T as T[K] extends Float32Array ? never : K]: T[K] extends Float32Array | undefined
        ? true
        : T[K] extends Cell
          ? WithoutWeights<T[K]>
          : T[K] extends readonly (readonly Layer[])[]
            ? readonly (readonly LayerText[])[]
            : T[K];
    }
  : never;

/** A cell without its weights. */
export type CellText = WithoutWeights<Cell>;

/** A layer without its weights: all that JSON holds of it, and all that sizes depend on. */
export type LayerText = WithoutWeights<Layer>;

/** Gates of a cell. */
export const GATES = { lstm: 4, gru: 3, rnn: 1 } as const;

/** Weights that not each cell has, (U) each. */
export const OPTIONAL_WEIGHTS = ["recurrentBias", "initialHidden", "initialCell"] as const;

/** A cell's functions, those left out as frameworks have them; of a simple recurrent layer, which has no gates, the second means nothing. */
export function activationsOf(cell: Cell): { readonly activation: Activation; readonly recurrentActivation: Activation } {
  const recurrentActivation = cell.cell === "rnn" ? undefined : cell.recurrentActivation;
  return { activation: cell.activation ?? { kind: "tanh" }, recurrentActivation: recurrentActivation ?? { kind: "sigmoid" } };
}

/** The width of what a layer hands on, given rows of width W. */
export function widthAfter(layer: Layer | LayerText, W: number): number {
  switch (layer.kind) {
    case "recurrent":
      return layer.cell.units;
    case "bidirectional":
      return layer.forward.units + (layer.merge === "concat" ? layer.backward.units : 0);
    case "conv":
      return layer.filters;
    case "globalPooling":
      return W * layer.by.length;
    case "attentionPooling":
      return W - 1;
    case "branches": {
      const widths = layer.branches.map((branch) => widthBehind(branch, W));
      return layer.merge === "concat" ? widths.reduce((sum, width) => sum + width) : widths[0];
    }
    case "flatten":
      return W * layer.steps;
    case "dense":
      return layer.units;
    default:
      return W;
  }
}

/** The width of what layers in a row leave of rows of width W. */
export function widthBehind(layers: readonly (Layer | LayerText)[], W: number): number {
  return layers.reduce((width, layer) => widthAfter(layer, width), W);
}

/**
 * How many rows a layer hands on, given `rows`: below 1 where they are too few for its windows, NaN where a flatten is given another number, or
 * branches leave different ones.
 */
export function rowsAfter(layer: Layer | LayerText, rows: number): number {
  switch (layer.kind) {
    case "recurrent":
    case "bidirectional":
      return layer.returns === "sequence" ? rows : 1;
    case "conv":
      return countWindows(rows, layer.pads, (layer.kernelSize - 1) * layer.dilationRate + 1, layer.strides);
    case "pooling":
      return countWindows(rows, layer.pads, layer.poolSize, layer.strides);
    case "globalPooling":
    case "attentionPooling":
      return 1;
    case "branches": {
      const [count, ...others] = layer.branches.map((branch) => branch.reduce((left, inner) => rowsAfter(inner, left), rows));
      return others.every((other) => other === count) ? count : Number.NaN;
    }
    case "flatten":
      return rows === layer.steps ? 1 : Number.NaN;
    default:
      return rows;
  }
}

function countWindows(rows: number, [front, back]: readonly [number, number], size: number, strides: number): number {
  return Math.floor((front + rows + back - size) / strides) + 1;
}
