// A Keras model from its plan and its weights: the network in our layout, and Keras' own forward pass in float64. Knows no file.
// Legend: T steps, F features, U units.
import type { Network } from "../../../shared/networks/lstm.ts";
import { addFront, type Front, plainFront } from "../contract/front.ts";
import { type ImportedNetwork, sigmoid } from "../contract/imported-network.ts";
import { rejectFile } from "../contract/reject-file.ts";
import type { KerasPlan } from "./config.ts";
import { type DenseWeights, readDense } from "./dense.ts";
import type { Layer, Stage, Weights } from "./layer.ts";
import { LAYERS } from "./layers.ts";
import { type Gates, interleave, readGates, step } from "./lstm.ts";

/** A model with its weights, as Keras has them. */
interface KerasModel {
  readonly plan: KerasPlan;
  readonly F: number;
  readonly U: number;
  readonly stages: readonly Stage[];
  readonly gates: Gates;
  /** Behind the LSTM, (U) each. */
  readonly behind: readonly Stage[];
  readonly dense: DenseWeights;
}

/** `weightsOf` gives a layer's float arrays in Keras' order; `format` is what the card says of the file. Throws DataError. */
export function buildKeras(
  plan: KerasPlan,
  weightsOf: (layer: Layer) => readonly Weights[],
  format: string,
  source: string,
): ImportedNetwork {
  const { gates, F, U } = readGates(plan.lstm, weightsOf(plan.lstm), source);
  if (plan.features !== null && plan.features !== F)
    rejectFile(source, `takes ${plan.features} features, but its LSTM has weights for ${F}`, "the file is damaged: save the model again");
  const dense = readDense(plan.dense, weightsOf(plan.dense), U, source);
  const stageOf = (layer: Layer, width: number): Stage => LAYERS.get(layer.type)!.readStage!(layer, weightsOf(layer), width, source);
  const stages = plan.front.map((layer) => stageOf(layer, F));
  const behind = plan.behind.map((layer) => stageOf(layer, U));
  const model: KerasModel = { plan, F, U, stages, gates, behind, dense };
  return {
    format,
    findings: describe(model),
    timesteps: plan.timesteps,
    padding: plan.mask === null ? "none" : plan.mask === 0 ? "any" : null,
    ...(plan.mask && { mask: plan.mask }),
    front: stages.reduce((before: Front, { mean, scale }) => addFront(before, mean, scale), plainFront(F)),
    network: networkOf(model),
    forward: (rows) => forward(model, rows),
  };
}

function networkOf(model: KerasModel): Network {
  const { F, U, gates } = model;
  const { hardGates, backwards } = model.plan;
  const { headKernel, headBias } = foldHead(model);
  return {
    channels: F,
    units: U,
    kernel: interleave(gates, "kernel", F, U),
    recurrent: interleave(gates, "recurrent", U, U),
    bias: interleave(gates, "bias", 1, U),
    headKernel: Float32Array.from(headKernel),
    headBias: Float32Array.of(headBias),
    ...(hardGates !== null && { hardGates }),
    ...(backwards && { backwards }),
  };
}

/** The layers behind the LSTM as one linear layer: (U) weights and a bias of the logit of label 1. */
function foldHead({ U, behind, dense: { K, kernel, bias } }: KerasModel): { headKernel: Float64Array; headBias: number } {
  let weights = Float64Array.from({ length: U }, (_, u) => kernel[u * K + K - 1] - (K === 2 ? kernel[u * K] : 0));
  let headBias = bias[K - 1] - (K === 2 ? bias[0] : 0);
  for (const { mean, scale } of behind.toReversed()) {
    weights = weights.map((weight, u) => weight / scale[u]);
    headBias -= weights.reduce((sum, weight, u) => sum + weight * mean[u], 0);
  }
  return { headKernel: weights, headBias };
}

function describe({ plan, F, U, dense: { K } }: KerasModel): string[] {
  const { mask, front, behind, hardGates, backwards, ignored, findings } = plan;
  const chain = [
    ...(mask === null ? [] : [`Masking(${mask})`]),
    ...front.map(({ type }) => type),
    `LSTM(${U})`,
    ...behind.map(({ type }) => type),
    K === 2 ? "Dense(2, softmax), whose second number is the probability of label 1" : "Dense(1, sigmoid)",
  ];
  return [
    `${chain.join(" → ")} on ${F} features${ignored.length > 0 ? `; ${[...new Set(ignored)].join(", ")} ignored` : ""}`,
    hardGates === null
      ? "gates: sigmoid"
      : `gates: hard_sigmoid, ${hardGates === 0.2 ? "0.2 · x + 0.5, as Keras 1 and 2 have it" : "x / 6 + 0.5, as Keras 3 has it"}`,
    describeMask(mask),
    ...(backwards ? ["go_backwards: steps are read from the last to the first"] : []),
    ...findings,
  ];
}

function describeMask(mask: number | null): string {
  if (mask === null) return "no Masking: all-zero rows are data (padding: none)";
  return mask === 0 ? "Masking(0): all-zero rows are passed over (padding: any)" : `Masking(${mask}): rows of ${mask} are passed over`;
}

/** `rows` (T,F) → probability, layer by layer. */
function forward({ plan, F, U, stages, gates, behind, dense: { K, kernel, bias } }: KerasModel, rows: Float64Array): number {
  const T = rows.length / F;
  let h: Float64Array = new Float64Array(U);
  let c: Float64Array = new Float64Array(U);
  for (let k = 0; k < T; k++) {
    const t = plan.backwards ? T - 1 - k : k;
    let x = rows.subarray(t * F, (t + 1) * F);
    if (plan.mask !== null && x.every((value) => Math.fround(value) === plan.mask)) continue;
    for (const { apply } of stages) x = apply(x);
    [h, c] = step(gates, plan.hardGates, x, h, c);
  }
  const state = behind.reduce((before, { apply }) => apply(before), h);
  const logit = (k: number): number => state.reduce((sum, value, u) => sum + value * kernel[u * K + k], bias[k]);
  return K === 2 ? 1 / (1 + Math.exp(logit(0) - logit(1))) : sigmoid(logit(0));
}
