// What a state dict of PyTorch does not hold: the forward pass, in words. `lstm(2, bidirectional) mean linear relu linear`.
// Knows no tensors.

import { MAX_POOLS } from "../../../shared/artifact/layer-texts.ts";
import { UsageError } from "../../../shared/errors.ts";
import type { Activation } from "../../../shared/networks/activation.ts";
import type { TorchDescription, TorchStep } from "../contract/said.ts";

const CELLS = ["lstm", "gru", "rnn"] as const;
/** Poolings that may stand side by side. */
const BESIDE = ["last", "state", "first", "mean", "max"] as const;
const POOLINGS = ["last", "state", "cell", "first", "mean", "max"] as const;
/** torch.nn's activations, with the settings that they have where nothing is said. */
const ACTIVATIONS: Readonly<Record<string, (setting: number | undefined) => Activation>> = {
  relu: () => ({ kind: "relu" }),
  leakyrelu: (alpha = 0.01) => ({ kind: "leakyRelu", alpha }),
  elu: (alpha = 1) => ({ kind: "elu", alpha }),
  selu: () => ({ kind: "selu" }),
  silu: () => ({ kind: "silu" }),
  gelu: () => ({ kind: "gelu", approximate: false }),
  tanh: () => ({ kind: "tanh" }),
  softplus: () => ({ kind: "softplus" }),
  softsign: () => ({ kind: "softsign" }),
  sigmoid: () => ({ kind: "sigmoid" }),
};
/** Layers over (N, channels, steps). */
const WINDOWS: Readonly<Record<string, "max" | "mean" | undefined>> = { conv1d: undefined, maxpool1d: "max", avgpool1d: "mean" };
const OTHERS = ["linear", "batchnorm", "layernorm", "flatten", "dropout"] as const;
/** Steps that take a cell's states as they are: in front of all others stands what is read of them. */
const TAKES_STATES: ReadonlySet<TorchStep["kind"]> = new Set(["cell", "pool", "pools", "flatten", "layernorm", "attention"]);
const MAX_LAYERS = 8;
const MAX_STEPS = 64;

/** The forward pass that most have. */
export const TORCH_USUAL = "lstm last linear";

/**
 * Reads the text of `--torch`: cells with their layers and directions in parentheses, what is read of the last one's states (`last` where
 * nothing is said), then the layers behind. A last `sigmoid` may be said or left out. Throws UsageError naming the word that does not fit.
 */
export function readTorchDescription(text: string, option: string): TorchDescription {
  const words = text.toLowerCase().match(/[a-z_][a-z_0-9]*(?:\+[a-z]+)*(?:\s*\([^()]*\))?|\S+/g) ?? [];
  const steps: TorchStep[] = [];
  if (!/^(lstm|gru|rnn|layer_?norm|batch_?norm|conv_?1d)\b/.test(words[0] ?? ""))
    throw new UsageError(`--${option} begins with "${words[0] ?? ""}", expected ${CELLS.join(", ")}, such as "${TORCH_USUAL}"`);
  for (const word of words.slice(0, MAX_STEPS)) {
    const step = readWord(word, text, option);
    if (step === "dropout") continue;
    const before = steps.at(-1);
    if (before?.kind === "cell" && !TAKES_STATES.has(step.kind)) steps.push({ kind: "pool", by: "last" });
    steps.push(step);
  }
  const last = steps.at(-1);
  if (steps.filter(({ kind }) => kind === "attention").length > 1)
    throw new UsageError(`--${option} "${text}" has attention twice, expected once`);
  const whole = last?.kind === "activation" && last.activation.kind === "sigmoid" ? steps.slice(0, -1) : steps;
  if (whole.at(-1)?.kind !== "linear")
    throw new UsageError(`--${option} "${text}" does not end in a linear layer: say the whole forward pass, such as "${TORCH_USUAL}"`);
  return whole;
}

function readWord(word: string, text: string, option: string): TorchStep | "dropout" {
  if (word.includes("+")) return readPools(word, option);
  const [, given = word, settings = ""] = word.match(/^([a-z_][a-z_0-9]*)(?:\s*\(([^()]*)\))?$/) ?? [];
  const name = given.replaceAll("_", "");
  const cell = CELLS.find((known) => known === name);
  if (cell !== undefined) return readCell(cell, settings, text, option);
  const by = POOLINGS.find((known) => known === name);
  if (by !== undefined) return { kind: "pool", by };
  if (Object.hasOwn(WINDOWS, name)) return readWindow(WINDOWS[name], settings, word, option);
  if (name === "attention") return readAttention(settings, text, option);
  const other = OTHERS.find((known) => known === name);
  if (other !== undefined) return other === "dropout" ? other : { kind: other };
  if (!Object.hasOwn(ACTIVATIONS, name))
    throw new UsageError(
      `--${option} has "${word}" at ${text.toLowerCase().indexOf(word)}, expected ${[...CELLS, ...POOLINGS, "attention", ...OTHERS, ...Object.keys(WINDOWS), ...Object.keys(ACTIVATIONS)].join(", ")}`,
    );
  const setting = settings.trim() === "" ? undefined : Number(settings);
  if (setting !== undefined && !Number.isFinite(setting))
    throw new UsageError(`--${option} has "${settings}" in "${word}", expected a number, such as leakyrelu(0.2)`);
  return { kind: "activation", activation: ACTIVATIONS[name](setting) };
}

/** `mean+max`: torch.cat([out.mean(1), out.max(1).values], 1). */
function readPools(word: string, option: string): TorchStep {
  const by = word.split("+").map((part) => {
    const found = BESIDE.find((known) => known === part);
    if (found === undefined)
      throw new UsageError(`--${option} has "${part}" in "${word}", expected ${BESIDE.join(", ")}, such as mean+max`);
    return found;
  });
  if (by.length > MAX_POOLS) throw new UsageError(`--${option} has ${by.length} poolings in "${word}", expected up to ${MAX_POOLS}`);
  return { kind: "pools", by };
}

/** `attention(linear tanh linear)`: what makes the score of each step; one linear where nothing is said. */
function readAttention(settings: string, text: string, option: string): TorchStep {
  const words = settings.trim() === "" ? ["linear"] : settings.trim().split(/[\s,]+/);
  const steps = words.map((word) => readWord(word, text, option)).filter((step) => step !== "dropout");
  if (!steps.some(({ kind }) => kind === "linear") || steps.some(({ kind }) => kind !== "linear" && kind !== "activation"))
    throw new UsageError(
      `--${option} has "${settings}" in attention, expected linear and activations, such as attention(linear tanh linear)`,
    );
  return { kind: "attention", steps };
}

function readCell(cell: (typeof CELLS)[number], settings: string, text: string, option: string): TorchStep {
  let [layers, isBidirectional, isRelu] = [1, false, false];
  for (const setting of settings.split(",").map((part) => part.trim())) {
    if (setting === "bidirectional") isBidirectional = true;
    else if (setting === "relu" && cell === "rnn") isRelu = true;
    else if (/^[1-9]$/.test(setting) && Number(setting) <= MAX_LAYERS) layers = Number(setting);
    else if (setting !== "")
      throw new UsageError(
        `--${option} has "${setting}" in "${text}", expected a number of layers from 1 to ${MAX_LAYERS}, or bidirectional`,
      );
  }
  return { kind: "cell", cell, layers, isBidirectional, isRelu };
}

/** `conv1d(padding=1, stride=2, dilation=2)`, `maxpool1d(2, stride=1)`: names and defaults as torch.nn has them. */
function readWindow(by: "max" | "mean" | undefined, settings: string, word: string, option: string): TorchStep {
  const said = new Map<string, string>();
  for (const part of settings.split(",").map((one) => one.replaceAll(" ", ""))) {
    const [, key = by ? "kernel_size" : "", value = ""] = part.match(/^(?:([a-z_]+)=)?(\d{1,4}|same|valid)$/) ?? [];
    const isKnown = (by ? ["kernel_size", "stride", "padding"] : ["kernel_size", "stride", "padding", "dilation"]).includes(key);
    const isNumber = /^\d+$/.test(value) && (key === "padding" || Number(value) >= 1);
    if (part !== "" && !(isKnown && (isNumber || (key === "padding" && !by))))
      throw new UsageError(`--${option} has "${part}" in "${word}", expected settings such as conv1d(padding=1, stride=2) or maxpool1d(2)`);
    if (part !== "") said.set(key, value);
  }
  const size = said.has("kernel_size") ? Number(said.get("kernel_size")) : undefined;
  const padding = said.get("padding") ?? "0";
  if (by) {
    if (size === undefined) throw new UsageError(`--${option} has "${word}" without its size, expected one such as maxpool1d(2)`);
    return { kind: "pooling", by, size, stride: Number(said.get("stride") ?? size), padding: Number(padding) };
  }
  return {
    kind: "conv",
    size,
    stride: Number(said.get("stride") ?? 1),
    padding: padding === "same" ? "same" : padding === "valid" ? 0 : Number(padding),
    dilation: Number(said.get("dilation") ?? 1),
  };
}

function describeWindow(step: Extract<TorchStep, { kind: "conv" | "pooling" }>): string {
  const { size, stride, padding } = step;
  const isPooling = step.kind === "pooling";
  const settings = [
    ...(size === undefined ? [] : [isPooling ? `${size}` : `kernel_size=${size}`]),
    ...(stride === (isPooling ? size : 1) ? [] : [`stride=${stride}`]),
    ...(padding === 0 ? [] : [`padding=${padding}`]),
    ...(isPooling || step.dilation === 1 ? [] : [`dilation=${step.dilation}`]),
  ];
  const name = isPooling ? (step.by === "max" ? "maxpool1d" : "avgpool1d") : "conv1d";
  return settings.length > 0 ? `${name}(${settings.join(", ")})` : name;
}

/** The steps in words, as `--torch` takes them. */
export function describeTorch(steps: TorchDescription): string {
  return steps
    .map((step) => {
      if (step.kind === "activation") return step.activation.kind.toLowerCase();
      if (step.kind === "pool") return step.by;
      if (step.kind === "pools") return step.by.join("+");
      if (step.kind === "conv" || step.kind === "pooling") return describeWindow(step);
      if (step.kind === "attention") {
        const inner = describeTorch(step.steps);
        return inner === "linear" ? step.kind : `attention(${inner})`;
      }
      if (step.kind !== "cell") return step.kind;
      const settings = [
        ...(step.layers > 1 ? [step.layers] : []),
        ...(step.isBidirectional ? ["bidirectional"] : []),
        ...(step.isRelu ? ["relu"] : []),
      ];
      return settings.length > 0 ? `${step.cell}(${settings.join(", ")})` : step.cell;
    })
    .join(" ");
}
