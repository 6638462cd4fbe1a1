// One step of a described forward pass with its module: what it comes to in our layers, and what PyTorch computes there, in float64.
// Legend: T steps, W width, U units.
import type { Activation } from "../../../shared/networks/activation.ts";
import { evaluateActivation } from "../contract/activations.ts";
import type { DraftLayer } from "../contract/draft-layers.ts";
import { MAX_UNITS } from "../contract/imported-network.ts";
import { rejectFile, SECOND_ENGINE } from "../contract/reject-file.ts";
import type { TorchStep } from "../contract/said.ts";
import { buildAttention } from "./attention.ts";
import { measureModule, readCell, type TorchCell } from "./cells.ts";
import { parameterOf, type TorchModule } from "./modules.ts";
import { buildConv, buildPooling, type Rows, type TorchLayer } from "./windows.ts";

interface Place {
  readonly module: TorchModule | undefined;
  /** The Linear modules of attention's scores. */
  readonly scorers: readonly TorchModule[];
  /** Of the rows that come. */
  readonly W: number;
  readonly before: TorchStep | undefined;
  readonly next: TorchStep | undefined;
  readonly nextModule: TorchModule | undefined;
  /** Of rows that a convolution leaves: PyTorch has them as (channels, steps), and flattens them channel by channel. */
  readonly isChannelsFirst: boolean;
  /** Where one row comes that is flattened channel by channel: its steps. */
  readonly flattened: number | undefined;
}

const BATCH_EPSILON = 1e-5; // torch.nn.BatchNorm1d's and LayerNorm's default: a state dict does not hold it

/** The step, given rows of width W. Throws DataError where the module's parameters do not fit. */
export function buildStep(step: TorchStep, place: Place, source: string): TorchLayer {
  switch (step.kind) {
    case "cell":
      return buildCells(step, place, source);
    case "pool":
      return buildPool(step.by);
    case "pools":
      return buildPools(step.by, place, source);
    case "attention": {
      const build = (inner: TorchStep, module: TorchModule | undefined, W: number): TorchLayer =>
        buildStep(inner, { ...place, module, W, flattened: undefined }, source);
      return buildAttention(step, place.scorers, place.W, build, source);
    }
    case "flatten":
      return buildFlatten(place, source);
    case "conv":
      return buildConv(step, place, source);
    case "pooling":
      return buildPooling(step, source);
    case "linear":
      return buildLinear(place, source);
    case "activation":
      return buildActivation(step.activation);
    case "batchnorm":
      return buildBatchNorm(place, source);
    case "layernorm":
      return buildLayerNorm(place, source);
  }
}

function buildCells(step: Extract<TorchStep, { kind: "cell" }>, { module, W, next }: Place, source: string): TorchLayer {
  const found = measureModule(module!, source);
  const name = module!.name || "the state dict";
  const layersOf = (count: number): string => `has ${count} ${count === 1 ? "layer" : "layers"}`;
  const differ =
    step.cell !== found.cell
      ? `is a ${found.cell}, where --torch says ${step.cell}`
      : step.layers !== found.layers
        ? `${layersOf(found.layers)}, where --torch says ${step.layers}`
        : step.isBidirectional !== found.isBidirectional
          ? `is ${found.isBidirectional ? "bidirectional, where --torch says one direction" : "of one direction, where --torch says bidirectional"}`
          : undefined;
  if (differ) rejectFile(source, `${name} ${differ}`, "say --torch as the model is");
  const { U } = found;
  const reading = next?.kind === "pool" && (next.by === "state" || next.by === "cell") ? next.by : "sequence";
  if (reading === "cell" && step.cell !== "lstm")
    rejectFile(source, `${module!.name} is a ${step.cell}, which has no cell state`, "say state");
  const directions = step.isBidirectional ? ["", "_reverse"] : [""];
  const stack: TorchCell[][] = Array.from({ length: step.layers }, (_, l) => {
    const width = l === 0 ? W : U * directions.length;
    return directions.map((direction) => readCell(module!, step.cell, `l${l}${direction}`, width, U, step.isRelu, source));
  });
  const layers = stack.map(([forward, backward], l): DraftLayer => {
    const returns = l === stack.length - 1 && reading !== "sequence" ? reading : "sequence";
    if (backward === undefined) return { kind: "recurrent", cell: forward.cell, returns };
    return { kind: "bidirectional", forward: forward.cell, backward: backward.cell, merge: "concat", returns };
  });
  return {
    layers,
    words: `${step.cell}(${U}${step.layers > 1 ? `, ${step.layers} layers` : ""}${step.isBidirectional ? ", bidirectional" : ""})`,
    run: (rows) => runStack(stack, rows, reading),
  };
}

function runStack(stack: readonly (readonly TorchCell[])[], rows: Rows, reading: "sequence" | "state" | "cell"): Rows {
  let current = rows;
  let last: Record<"state" | "cell", Float64Array> = { state: new Float64Array(), cell: new Float64Array() };
  for (const [forward, backward] of stack) {
    const there = forward.run(current);
    const back = backward?.run(current.toReversed());
    const returned = back?.states.toReversed();
    last = {
      state: join(there.states.at(-1)!, back?.states.at(-1)),
      cell: join(there.memory, back?.memory),
    };
    current = there.states.map((state, t) => join(state, returned?.[t]));
  }
  return reading === "sequence" ? current : [last[reading]];
}

function join(a: Float64Array, b: Float64Array | undefined): Float64Array {
  return b === undefined ? a : Float64Array.of(...a, ...b);
}

function buildPool(by: Extract<TorchStep, { kind: "pool" }>["by"]): TorchLayer {
  if (by === "state" || by === "cell") return { layers: [], run: (rows) => rows, words: by };
  const pools: Record<typeof by, (rows: Rows, w: number) => number> = {
    last: (rows, w) => rows[rows.length - 1][w],
    first: (rows, w) => rows[0][w],
    mean: (rows, w) => rows.reduce((sum, row) => sum + row[w], 0) / rows.length,
    max: (rows, w) => Math.max(...rows.map((row) => row[w])),
  };
  return { layers: [{ kind: "globalPooling", by: [by] }], run: (rows) => [rows[0].map((_, w) => pools[by](rows, w))], words: by };
}

/** Side by side; the last states of two directions are the ends of their rows. */
function buildPools(by: Extract<TorchStep, { kind: "pools" }>["by"], { before }: Place, source: string): TorchLayer {
  const isTwoWay = before?.kind === "cell" && before.isBidirectional;
  if (before?.kind !== "cell" && by.includes("state")) rejectFile(source, "has no cell whose state stands beside others", "say last");
  const run = (pool: (typeof by)[number], rows: Rows): Float64Array => {
    const [row] = buildPool(pool === "state" ? "last" : pool).run(rows);
    return pool === "state" && isTwoWay ? row.map((x, w) => (w < row.length / 2 ? x : rows[0][w])) : row;
  };
  return {
    layers: [{ kind: "globalPooling", by: by.map((pool) => (pool !== "state" ? pool : isTwoWay ? "ends" : "last")) }],
    run: (rows) => [Float64Array.from(by.flatMap((pool) => [...run(pool, rows)]))],
    words: by.join("+"),
  };
}

function buildFlatten({ W, next, nextModule, isChannelsFirst }: Place, source: string): TorchLayer {
  if (isChannelsFirst && next?.kind !== "linear")
    rejectFile(
      source,
      "flattens what a convolution leaves, and no linear follows at once",
      `quickstep reads a Linear behind it; ${SECOND_ENGINE}`,
    );
  const inputs = nextModule?.parameters.get("weight")?.shape[1] ?? 0;
  const steps = inputs / W;
  if (!Number.isInteger(steps) || steps < 1)
    return rejectFile(
      source,
      `flattens rows of ${W} numbers, but the Linear behind takes ${inputs}`,
      `say --torch as the model is; ${SECOND_ENGINE}`,
    );
  return {
    layers: [{ kind: "flatten", steps }],
    run: (rows) => [
      isChannelsFirst
        ? Float64Array.from({ length: W * rows.length }, (_, at) => rows[at % rows.length][Math.floor(at / rows.length)])
        : Float64Array.from(rows.flatMap((row) => [...row])),
    ],
    words: "flatten",
    steps,
  };
}

function buildLinear({ module, W, flattened: R }: Place, source: string): TorchLayer {
  const U = module!.parameters.get("weight")!.shape[0];
  if (U < 1 || U > MAX_UNITS) rejectFile(source, `${module!.name} has ${U} outputs`, `expected 1 to ${MAX_UNITS}`);
  const weight = parameterOf(module!, "weight", [U, W], source);
  const bias = module!.parameters.has("bias") ? parameterOf(module!, "bias", [U], source) : new Float64Array(U);
  const columnOf = (w: number): number => (R === undefined ? w : (w % (W / R)) * R + Math.floor(w / (W / R)));
  const kernel = Float64Array.from({ length: W * U }, (_, at) => weight[(at % U) * W + columnOf(Math.floor(at / U))]);
  return {
    layers: [{ kind: "dense", units: U, kernel, bias }],
    run: (rows) => rows.map((row) => bias.map((b, u) => row.reduce((sum, x, w) => sum + weight[u * W + w] * x, b))),
    words: `${module!.name || "Linear"}(${W}, ${U})`,
  };
}

function buildActivation(activation: Activation): TorchLayer {
  return {
    layers: [{ kind: "activation", activation }],
    run: (rows) => rows.map((row) => row.map((x) => evaluateActivation(activation, x))),
    words: activation.kind,
  };
}

function affineOf(module: TorchModule, W: number, source: string): { weight: Float64Array; bias: Float64Array } {
  const read = (key: string, missing: number): Float64Array =>
    module.parameters.has(key) ? parameterOf(module, key, [W], source) : new Float64Array(W).fill(missing);
  return { weight: read("weight", 1), bias: read("bias", 0) };
}

function buildBatchNorm({ module, W }: Place, source: string): TorchLayer {
  const { weight, bias } = affineOf(module!, W, source);
  const mean = parameterOf(module!, "running_mean", [W], source);
  const deviation = parameterOf(module!, "running_var", [W], source).map((variance) => Math.sqrt(variance + BATCH_EPSILON));
  const constant = weight.findIndex((value, w) => value === 0 || !Number.isFinite(deviation[w]));
  if (constant >= 0) rejectFile(source, `${module!.name} makes a constant of column ${constant}`, SECOND_ENGINE);
  return {
    layers: [
      { kind: "affine", mean: mean.map((m, w) => m - (bias[w] * deviation[w]) / weight[w]), scale: deviation.map((d, w) => d / weight[w]) },
    ],
    run: (rows) => rows.map((row) => row.map((x, w) => ((x - mean[w]) / deviation[w]) * weight[w] + bias[w])),
    words: "batchnorm",
  };
}

function buildLayerNorm({ module, W }: Place, source: string): TorchLayer {
  const { weight: gamma, bias: beta } = affineOf(module!, W, source);
  const normalise = (row: Float64Array): Float64Array => {
    const mean = row.reduce((sum, x) => sum + x) / W;
    const variance = row.reduce((sum, x) => sum + (x - mean) ** 2, 0) / W;
    return row.map((x, w) => ((x - mean) / Math.sqrt(variance + BATCH_EPSILON)) * gamma[w] + beta[w]);
  };
  return {
    layers: [{ kind: "layerNormalization", gamma, beta, epsilon: BATCH_EPSILON }],
    run: (rows) => rows.map(normalise),
    words: "layernorm",
  };
}
