// What a state dict of PyTorch does not hold: the forward pass, in words. `lstm(2, bidirectional) mean linear relu linear`.
// Knows no tensors.
import { UsageError } from "../../../shared/errors.ts";
import type { TorchDescription } from "../contract/said.ts";

const CELLS = ["lstm", "gru", "rnn"] as const;
const POOLINGS = ["last", "first", "mean", "max", "cell"] as const;
const HEAD = ["linear", "relu", "leakyrelu", "elu", "gelu", "tanh", "softplus", "sigmoid"];
const MAX_LAYERS = 8;

/** What quickstep runs. */
export const TORCH_SUPPORTED = "lstm last linear";

/**
 * Reads the text of `--torch`: a cell with its layers and directions in parentheses, what is read of its states (`last` where nothing is
 * said), then the layers behind. A last `sigmoid` may be said or left out. Throws UsageError naming the word that does not fit.
 */
export function readTorchDescription(text: string, option: string): TorchDescription {
  const words = text.toLowerCase().match(/[a-z_]+(?:\s*\([^()]*\))?|\S+/g) ?? [];
  const [first = "", ...rest] = words;
  const { cell, layers, isBidirectional } = readCell(first, text, option);
  const isPooled = POOLINGS.some((pooling) => pooling === rest[0]);
  const pooling = isPooled ? (rest[0] as TorchDescription["pooling"]) : "last";
  const head = rest.slice(isPooled ? 1 : 0).map((word) => word.replace("_", ""));
  const unknown = head.find((word) => !HEAD.includes(word));
  if (unknown !== undefined)
    throw new UsageError(
      `--${option} has "${unknown}" at ${text.toLowerCase().indexOf(unknown)}, expected ${[...POOLINGS, ...HEAD].join(", ")}`,
    );
  const last = head.at(-1) === "sigmoid" ? head.slice(0, -1) : head;
  if (last.at(-1) !== "linear")
    throw new UsageError(`--${option} "${text}" does not end in a linear layer: say the whole forward pass, such as "${TORCH_SUPPORTED}"`);
  return { cell, layers, isBidirectional, pooling, head: last };
}

function readCell(word: string, text: string, option: string): Pick<TorchDescription, "cell" | "layers" | "isBidirectional"> {
  const [, name, settings = ""] = word.match(/^([a-z_]+)(?:\s*\(([^()]*)\))?$/) ?? [];
  const cell = CELLS.find((known) => known === name);
  if (cell === undefined)
    throw new UsageError(`--${option} begins with "${word}", expected ${CELLS.join(", ")}, such as "${TORCH_SUPPORTED}"`);
  let [layers, isBidirectional] = [1, false];
  for (const setting of settings.split(",").map((part) => part.trim())) {
    if (setting === "bidirectional") isBidirectional = true;
    else if (/^[1-9]$/.test(setting) && Number(setting) <= MAX_LAYERS) layers = Number(setting);
    else if (setting !== "")
      throw new UsageError(
        `--${option} has "${setting}" in "${text}", expected a number of layers from 1 to ${MAX_LAYERS}, or bidirectional`,
      );
  }
  return { cell, layers, isBidirectional };
}

/** The words of what quickstep does not run, each as it was said; none where all of it runs. */
export function unsupportedWords({ cell, layers, isBidirectional, pooling, head }: TorchDescription): string[] {
  return [
    ...(cell === "lstm" ? [] : [cell]),
    ...(layers === 1 ? [] : [`${layers} layers`]),
    ...(isBidirectional ? ["bidirectional"] : []),
    ...(pooling === "last" ? [] : [pooling]),
    ...(head.length === 1 ? [] : [`${head.join(" ")} behind it`]),
  ];
}
