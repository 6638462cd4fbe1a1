// A state dict of PyTorch → ImportedNetwork: its modules in the order of the forward pass that is said, whatever they are called. Names and
// shapes: trainer/export/torch-layout.ts. Definition: docs.pytorch.org/docs/stable/nn.html.
// Legend: T steps, F features, W width, U units.

import { type Layer, rowsAfter } from "../../../shared/networks/layers.ts";
import { MAX_TIMESTEPS } from "../../../shared/sequence.ts";
import { METADATA_KEY } from "../../export/torch-layout.ts";
import { type DraftLayer, logitOf, settleLayers, widthBehind } from "../contract/draft-layers.ts";
import { parseExportMetadata } from "../contract/export-metadata.ts";
import { plainFront } from "../contract/front.ts";
import { type ImportedNetwork, sigmoid } from "../contract/imported-network.ts";
import { rejectFile, SECOND_ENGINE } from "../contract/reject-file.ts";
import { PADDING_MEANINGS, type Said, type TorchDescription, type TorchStep } from "../contract/said.ts";
import { countLinears, likelyAttention, splitLinears } from "./attention.ts";
import { measureModule } from "./cells.ts";
import { describeTorch, readTorchDescription, TORCH_USUAL } from "./description.ts";
import { type ModuleKind, readModules, type TorchModule } from "./modules.ts";
import type { Safetensors } from "./safetensors.ts";
import { buildStep } from "./steps.ts";
import type { TorchLayer } from "./windows.ts";

/**
 * Reads a state dict. Throws DataError naming what does not fit, and where neither the forward pass is `said` nor outputs of the model are
 * there to prove it: a state dict holds weights alone.
 */
export function readTorch(file: Safetensors, source: string, said: Said): ImportedNetwork {
  const text = file.metadata[METADATA_KEY];
  if (text !== undefined) rejectStackMember(text, source);
  const modules = readModules(file, source);
  const [first] = modules.get("cell") ?? [];
  if (first === undefined && !modules.get("conv")?.length)
    return rejectFile(
      source,
      `holds no recurrent module: none of its tensors (${[...file.tensors.keys()].slice(0, 5).join(", ")}) is named …weight_ih_l0`,
      `quickstep reads the state dict of torch.nn.LSTM, GRU, RNN or Conv1d with layers around it; ${SECOND_ENGINE}`,
    );
  const F = widthOf(said.torch, modules, first, source);
  const exportMetadata = text === undefined ? undefined : parseExportMetadata(text, F, source);
  const steps = exportMetadata ? readTorchDescription(TORCH_USUAL, "torch") : settleSteps(said, modules, source);
  const { built, layers, timesteps } = buildSteps(steps, modules, F, said, source);
  const classes = widthBehind(layers, F);
  const end: DraftLayer = classes === 2 ? { kind: "softmax" } : { kind: "activation", activation: { kind: "sigmoid" } };
  const logit = logitOf([...layers, end], F, false);
  if (typeof logit === "string")
    return rejectFile(
      source,
      logit,
      `quickstep reads Linear(units, 1), behind which a sigmoid stands, or Linear(units, 2); ${SECOND_ENGINE}`,
    );
  const { slope, intercept } = exportMetadata?.calibration ?? { slope: 1, intercept: 0 };
  return {
    format: exportMetadata ? "PyTorch safetensors, as quickstep exports it" : "PyTorch safetensors",
    findings: [
      `${built.map(({ words }) => words).join(" → ")} on ${F} features; the two biases of each cell are summed`,
      ...(exportMetadata ? [] : [describeEnd(steps, classes, said)]),
    ],
    timesteps,
    padding: exportMetadata?.recipe.padding ?? null,
    front: plainFront(F),
    network: settleLayers(logit.layers, F),
    forward(values) {
      let rows: readonly Float64Array[] = Array.from({ length: values.length / F }, (_, t) => values.subarray(t * F, (t + 1) * F));
      for (const { run } of built) rows = run(rows);
      const [row] = rows;
      return classes === 2 ? 1 / (1 + Math.exp(row[0] - row[1])) : sigmoid(slope * row[0] + intercept);
    },
    exportMetadata,
  };
}

/** How many numbers a step has: as many as the first module of the forward pass takes. */
function widthOf(
  said: TorchDescription | undefined,
  modules: ReadonlyMap<ModuleKind, readonly TorchModule[]>,
  cell: TorchModule | undefined,
  source: string,
): number {
  const conv = modules.get("conv")?.[0]?.parameters.get("weight")?.shape[1];
  const isConvFirst = conv !== undefined && (said?.find(({ kind }) => kind === "conv" || kind === "cell")?.kind ?? "conv") === "conv";
  return conv !== undefined && (isConvFirst || cell === undefined) ? conv : measureModule(cell!, source).W;
}

/** Throws DataError where the export holds one member of several. */
function rejectStackMember(exported: string, source: string): void {
  if (!/"stack":/.test(exported)) return;
  rejectFile(
    source,
    "is an export of one member of several: import reads one network",
    "the artifact that was exported holds the whole model",
  );
}

function describeEnd(steps: TorchDescription, classes: number, { torch }: Said): string {
  const end = classes === 2 ? "a softmax, whose second number is the probability of label 1, follows" : "a sigmoid follows the Linear";
  const isTwoWay = steps.some((step) => step.kind === "cell" && step.isBidirectional);
  const reading = !isTwoWay
    ? ""
    : steps.some((step) => step.kind === "pool" && step.by === "state")
      ? "; state is each direction's last state, torch.cat([h_n[-2], h_n[-1]], 1)"
      : steps.some((step) => step.kind === "pool" && step.by === "last")
        ? "; last is output[:, -1], where the backward direction has read one step alone (state: torch.cat([h_n[-2], h_n[-1]], 1))"
        : "";
  return `the forward pass is "${describeTorch(steps)}", and ${end}: ${torch ? "as --torch says" : "assumed, and proved by --check"}${reading}`;
}

/** The forward pass as it is said, or, where outputs prove it, as the modules look. Throws DataError where neither is there. */
function settleSteps(
  { torch, isChecked, padding }: Said,
  modules: ReadonlyMap<ModuleKind, readonly TorchModule[]>,
  source: string,
): TorchDescription {
  if (torch) return torch;
  const likely = likelySteps(modules, source);
  if (isChecked) return likely;
  const proof = "prove the import with --check pairs.npz (X and p, some inputs and outputs of the model)";
  const words = `--torch "${describeTorch(likely)}" if that is what the model computes`;
  return rejectFile(
    source,
    `is a state dict, which does not hold the forward pass${padding === undefined ? ", nor what all-zero rows are" : ""}${hintOf(modules)}`,
    padding === undefined ? `say ${words}, or ${proof}; and say --padding: ${PADDING_MEANINGS}` : `say ${words}, or ${proof}`,
  );
}

/** Cells, the last state, and Linear layers with a ReLU between them. */
function likelySteps(modules: ReadonlyMap<ModuleKind, readonly TorchModule[]>, source: string): TorchDescription {
  const convs = (modules.get("conv") ?? []).flatMap((): TorchStep[] => [
    { kind: "conv", stride: 1, padding: 0, dilation: 1 },
    { kind: "activation", activation: { kind: "relu" } },
  ]);
  const cells = (modules.get("cell") ?? []).map((module): TorchStep => {
    const { cell, layers, isBidirectional } = measureModule(module, source);
    return { kind: "cell", cell, layers, isBidirectional, isRelu: false };
  });
  const isTwoWay = cells.some((step) => step.kind === "cell" && step.isBidirectional);
  const attention = likelyAttention(modules.get("linear") ?? []);
  const heads = (modules.get("linear") ?? []).slice(attention ? countLinears([attention]) : 0);
  const linears = heads.flatMap((_, k): TorchStep[] => [
    ...(k > 0 ? [{ kind: "activation", activation: { kind: "relu" } } as const] : []),
    { kind: "linear" },
  ]);
  if (attention) return [...convs, ...cells, attention, ...linears];
  return [...convs, ...cells, { kind: "pool", by: cells.length === 0 ? "mean" : isTwoWay ? "state" : "last" }, ...linears];
}

/** `fc.1` without `fc.0`: something without weights stands between. */
function hintOf(modules: ReadonlyMap<ModuleKind, readonly TorchModule[]>): string {
  const names = [...modules.values()].flat().map(({ name }) => name);
  for (const { name } of modules.get("linear") ?? []) {
    const [, stem, number] = name.match(/^(.*\.)(\d+)$/) ?? []; // of nn.Sequential; fc1 and fc2 are names that a person chose
    if (Number(number) > 0 && !names.includes(`${stem}${Number(number) - 1}`))
      return `: ${name} has no ${stem}${Number(number) - 1}, so something without weights stands in front of it`;
  }
  return "";
}

/** The steps with their modules, in order. Throws DataError where there are more or fewer modules of a kind, or shapes do not fit. */
function buildSteps(
  steps: TorchDescription,
  modules: ReadonlyMap<ModuleKind, readonly TorchModule[]>,
  F: number,
  said: Said,
  source: string,
) {
  checkCounts(steps, modules, source);
  const { scorers, others } = splitLinears(steps, modules.get("linear") ?? [], said.isChecked, source);
  const left = new Map([...modules].map(([kind, list]) => [kind, kind === "linear" ? [...others] : [...list]]));
  const built: TorchLayer[] = [];
  const layers: DraftLayer[] = [];
  let timesteps: number | null = null;
  for (const [k, step] of steps.entries()) {
    const over = steps.slice(0, k).findLast(({ kind }) => kind === "cell" || kind === "conv" || kind === "pooling");
    const isChannelsFirst = over !== undefined && over.kind !== "cell";
    const place = {
      module: left.get(step.kind as ModuleKind)?.shift(),
      scorers,
      W: widthBehind(layers, F),
      before: steps[k - 1],
      next: steps[k + 1],
      nextModule: left.get("linear")?.[0],
      isChannelsFirst,
      flattened: isChannelsFirst && steps[k - 1]?.kind === "flatten" ? built[k - 1].steps : undefined,
    };
    const layer = buildStep(step, place, source);
    if (layer.steps !== undefined) timesteps = stepsBefore(layers, layer.steps, said.timesteps, source);
    built.push(layer);
    layers.push(...layer.layers);
  }
  return { built, layers, timesteps };
}

/** How many steps a sequence has, of which `layers` leave `steps`. Throws DataError where several numbers would do and none of them is said. */
function stepsBefore(layers: readonly DraftLayer[], steps: number, said: number | null, source: string): number {
  const leaves = (T: number): number => layers.reduce((rows, layer) => rowsAfter(layer as Layer, rows), T);
  const fitting = Array.from({ length: MAX_TIMESTEPS }, (_, t) => t + 1).filter((T) => leaves(T) === steps);
  if (fitting.length === 0)
    return rejectFile(source, `flattens ${steps} steps, which no sequence of up to ${MAX_TIMESTEPS} leaves`, "say --torch as the model is");
  const [only, ...others] = said === null ? fitting : fitting.filter((T) => T === said);
  if (only === undefined || others.length > 0)
    rejectFile(source, `flattens ${steps} steps, which sequences of ${fitting.join(", ")} leave`, "say --timesteps");
  return only;
}

function checkCounts(steps: TorchDescription, modules: ReadonlyMap<ModuleKind, readonly TorchModule[]>, source: string): void {
  for (const kind of ["cell", "conv", "linear", "batchnorm", "layernorm"] as const) {
    const said = kind === "linear" ? countLinears(steps) : steps.filter((step) => step.kind === kind).length;
    const found = modules.get(kind) ?? [];
    if (said === found.length) continue;
    const names = found.map(({ name }) => name || "the state dict itself").join(", ") || "none";
    const word = {
      cell: "recurrent modules",
      conv: "Conv1d modules",
      linear: "Linear modules",
      batchnorm: "BatchNorm modules",
      layernorm: "LayerNorm modules",
    }[kind];
    rejectFile(
      source,
      `holds ${found.length} ${word} (${names}), where the forward pass "${describeTorch(steps)}" has ${said}`,
      `say --torch with every module in the order of computation, such as "lstm(2, bidirectional) mean linear relu linear"; ${SECOND_ENGINE}`,
    );
  }
}
