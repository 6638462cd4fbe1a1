// Which networks of layers are the one that training makes, and runs in the kernel's fused path: LSTM → Dense(1). Knows no format.
import type { LayeredNetwork } from "./layers.ts";
import type { Network } from "./lstm.ts";

/** The same network as LSTM → Dense(1); undefined where it has other layers, or a cell with other activations than gates hard or true. */
export function plainNetwork({ channels, layers }: LayeredNetwork): Network | undefined {
  const [lstm, head] = layers;
  if (layers.length !== 2 || lstm.kind !== "recurrent" || lstm.returns !== "state" || head.kind !== "dense" || head.units !== 1)
    return undefined;
  const { cell, backwards } = lstm;
  if (cell.cell !== "lstm" || cell.activation !== undefined) return undefined;
  const { units, kernel, recurrent, bias, recurrentActivation, initialHidden, initialCell } = cell;
  if (recurrentActivation !== undefined && recurrentActivation.kind !== "hardSigmoid") return undefined;
  const zeros = new Float32Array(units);
  return {
    channels,
    units,
    kernel,
    recurrent,
    bias,
    headKernel: head.kernel,
    headBias: head.bias,
    ...(recurrentActivation && { hardGates: recurrentActivation.slope }),
    ...(backwards && { backwards }),
    ...((initialHidden ?? initialCell) && { initial: { hidden: initialHidden ?? zeros, cell: initialCell ?? zeros } }),
  };
}
