// Convolutions and pooling over steps, and what PyTorch computes there, in float64. PyTorch has rows as (channels, steps); here they are steps
// of channels. Definitions: docs.pytorch.org/docs/stable/generated/torch.nn.Conv1d.html, …MaxPool1d.html, …AvgPool1d.html.
// Legend: T steps, W width, K kernel size.
import { turnConvKernel } from "../contract/conv-kernel.ts";
import type { DraftLayer } from "../contract/draft-layers.ts";
import { MAX_UNITS } from "../contract/imported-network.ts";
import { rejectFile } from "../contract/reject-file.ts";
import type { TorchStep } from "../contract/said.ts";
import { parameterOf, type TorchModule } from "./modules.ts";

export type Rows = readonly Float64Array[];

/** A step with its weights. */
export interface TorchLayer {
  readonly layers: readonly DraftLayer[];
  /** What PyTorch makes of one sequence's rows. */
  run(rows: Rows): Rows;
  /** `lstm(8)` */
  readonly words: string;
  /** How many steps must come in; there where the weights tell. */
  readonly steps?: number;
}

type ConvStep = Extract<TorchStep, { kind: "conv" }>;
type PoolingStep = Extract<TorchStep, { kind: "pooling" }>;

const AS_IT_IS = "say --torch as the model is";

/** A Conv1d of one group. Throws DataError where its weights or what is said do not fit the rows. */
export function buildConv(step: ConvStep, { module, W }: { module: TorchModule | undefined; W: number }, source: string): TorchLayer {
  const [filters, inputs, K] = module!.parameters.get("weight")!.shape;
  const { name } = module!;
  if (inputs !== W)
    rejectFile(
      source,
      `${name} takes ${inputs} channels, where the layers in front leave ${W}`,
      "quickstep reads convolutions of one group",
    );
  if (filters < 1 || filters > MAX_UNITS) rejectFile(source, `${name} has ${filters} outputs`, `expected 1 to ${MAX_UNITS}`);
  if (step.size !== undefined && step.size !== K)
    rejectFile(source, `${name} has a kernel of ${K}, where --torch says ${step.size}`, AS_IT_IS);
  if (step.padding === "same" && step.stride !== 1) rejectFile(source, "has padding=same beside a stride, which PyTorch refuses", AS_IT_IS);
  const weight = parameterOf(module!, "weight", [filters, W, K], source);
  const bias = module!.parameters.has("bias") ? parameterOf(module!, "bias", [filters], source) : new Float64Array(filters);
  const { stride: strides, dilation: dilationRate } = step;
  const total = (K - 1) * dilationRate;
  const pads = step.padding === "same" ? ([Math.floor(total / 2), Math.ceil(total / 2)] as const) : ([step.padding, step.padding] as const);
  const kernel = turnConvKernel(weight, K, W, filters);
  const product = (row: Float64Array | undefined, m: number, k: number): number =>
    row === undefined ? 0 : row.reduce((part, x, w) => part + x * weight[(m * W + w) * K + k], 0);
  return {
    layers: [{ kind: "conv", filters, kernelSize: K, strides, dilationRate, pads, kernel, bias }],
    words: `${name || "Conv1d"}(${W}, ${filters}, ${K})`,
    run: (rows) =>
      windowsOf(rows, K, strides, dilationRate, pads).map((window) =>
        bias.map((b, m) => window.reduce((sum, row, k) => sum + product(row, m, k), b)),
      ),
  };
}

/** A MaxPool1d or AvgPool1d; the latter counts its pads. Throws DataError for pads beyond half of the window, as PyTorch does. */
export function buildPooling({ by, size: K, stride: strides, padding: pad }: PoolingStep, source: string): TorchLayer {
  if (2 * pad > K) rejectFile(source, `has padding=${pad} for windows of ${K}, which PyTorch refuses`, AS_IT_IS);
  const pads = [pad, pad] as const;
  const pooled = (values: readonly number[]): number => (by === "max" ? Math.max(...values) : values.reduce((a, b) => a + b, 0) / K);
  return {
    layers: [{ kind: "pooling", by, poolSize: K, strides, pads, ...(by === "mean" && pad > 0 && { countsPads: true as const }) }],
    words: by === "max" ? `maxpool1d(${K})` : `avgpool1d(${K})`,
    run: (rows) =>
      windowsOf(rows, K, strides, 1, pads).map((window) => rows[0].map((_, w) => pooled(window.flatMap((row) => (row ? [row[w]] : []))))),
  };
}

/** The rows of each window; undefined where a pad stands. */
function windowsOf(
  rows: Rows,
  K: number,
  strides: number,
  dilation: number,
  [front, back]: readonly number[],
): (Float64Array | undefined)[][] {
  const count = Math.floor((rows.length + front + back - (K - 1) * dilation - 1) / strides) + 1;
  return Array.from({ length: count }, (_, n) => Array.from({ length: K }, (_, k) => rows[n * strides + k * dilation - front]));
}
