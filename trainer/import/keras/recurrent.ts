// Keras' recurrent layers: LSTM, GRU, SimpleRNN, and Bidirectional around one. Settings, weights in Keras' order, and each cell in float64.
// Definitions: keras.io/api/layers/recurrent_layers; LSTMCell.call, GRUCell.call and SimpleRNNCell.call in keras/src/layers/rnn.
// Legend: W width, U units; gates i,f,c,o of an LSTM, z,r,h of a GRU.
import type { Activation } from "../../../shared/networks/activation.ts";
import { MERGES } from "../../../shared/networks/layers.ts";
import type { DraftCell, DraftLayer } from "../contract/draft-layers.ts";
import { MAX_UNITS } from "../contract/imported-network.ts";
import { rejectFile, SECOND_ENGINE } from "../contract/reject-file.ts";
import { readActivation } from "./activations.ts";
import { type CellRun, readGru, readLstm, readSimpleRnn } from "./cells.ts";
import {
  type BuiltLayer,
  classOf,
  describeLayer,
  type Layer,
  type PlanDraft,
  type PlannedLayer,
  requireSequence,
  type Signal,
  sizeIn,
  type Weights,
} from "./layer.ts";
import { unwrapOne } from "./rnn.ts";

/** Settings that may not be true, and what to do about each. */
const FLAGS: readonly [key: string, fix: string][] = [
  ["return_state", `quickstep hands on one thing from layer to layer; ${SECOND_ENGINE}`],
  ["stateful", "scores would depend on earlier ones: save a model with stateful=False"],
  ["time_major", "save a model with sequences first"],
];

const CELLS = new Map([
  ["LSTM", readLstm],
  ["GRU", readGru],
  ["SimpleRNN", readSimpleRnn],
]);

/** Adds a recurrent layer to the draft. Throws DataError naming a setting that quickstep cannot compute. */
export function planRecurrent(draft: PlanDraft, layer: Layer, source: string): void {
  requireSequence(draft, layer, source);
  checkSettings(draft, layer, source);
  const { return_sequences, go_backwards } = layer.config;
  readMask(draft);
  if (return_sequences === true && go_backwards === true && draft.mask !== null)
    rejectFile(
      source,
      `${describeLayer(layer)} turns the steps around, and the mask with them not`,
      `quickstep does not compute the layers behind it as Keras does; ${SECOND_ENGINE}`,
    );
  leave(draft, return_sequences === true);
}

/** Adds Bidirectional to the draft. Throws DataError naming a setting that quickstep cannot compute. */
export function planBidirectional(draft: PlanDraft, layer: Layer, source: string): void {
  requireSequence(draft, layer, source);
  const [forward, backward] = directionsOf(layer);
  for (const one of [forward, backward]) {
    if (!CELLS.has(one.type))
      rejectFile(
        source,
        `${describeLayer(layer)} wraps ${one.type}`,
        `quickstep runs LSTM, GRU and SimpleRNN in it, and RNN around one of their cells; ${SECOND_ENGINE}`,
      );
    checkSettings(draft, one, source);
  }
  if (forward.config.go_backwards === true)
    rejectFile(source, `${describeLayer(forward)} has go_backwards=True inside Bidirectional`, SECOND_ENGINE);
  const merge = mergeOf(layer);
  if (!MERGES.some((known) => known === merge))
    rejectFile(
      source,
      `${describeLayer(layer)} has merge_mode ${String(merge)}`,
      `quickstep merges by ${MERGES.join(", ")}; ${SECOND_ENGINE}`,
    );
  if (forward.type !== backward.type || unitsOf(forward, source) !== unitsOf(backward, source))
    if (merge !== "concat") rejectFile(source, `${describeLayer(layer)} merges two layers of different sizes`, SECOND_ENGINE);
  readMask(draft);
  leave(draft, forward.config.return_sequences === true);
}

function readMask(draft: PlanDraft): void {
  if (draft.mask === null) return;
  draft.readMask = draft.mask;
  draft.isCarried = true;
}

function leave(draft: PlanDraft, isSequence: boolean): void {
  draft.isSequence = isSequence;
  if (!isSequence) draft.steps = 1;
}

function checkSettings(draft: PlanDraft, layer: Layer, source: string): void {
  const { config } = layer;
  for (const [key, fix] of FLAGS) if (config[key] === true) rejectFile(source, `${describeLayer(layer)} has ${key}=True`, fix);
  // Of all steps, which Bidirectional asks for so, nothing reads those that are masked
  if (config.zero_output_for_mask === true && config.return_sequences !== true && draft.mask !== null)
    rejectFile(
      source,
      `${describeLayer(layer)} leaves zeros where its last step is masked (zero_output_for_mask)`,
      `quickstep passes over masked steps; ${SECOND_ENGINE}`,
    );
  functionsOf(layer, draft.major, source);
  unitsOf(layer, source);
}

function unitsOf(layer: Layer, source: string): number {
  return sizeIn(layer, "units", MAX_UNITS, source);
}

/** Of the candidate and the gates, by the layer's settings and the version's defaults. */
function functionsOf(layer: Layer, major: number, source: string): { activation: Activation; recurrentActivation: Activation } {
  const { config } = layer;
  const inside = config.recurrent_activation ?? (major < 3 ? "hard_sigmoid" : "sigmoid");
  const [activation, recurrentActivation] = [config.activation ?? "tanh", layer.type === "SimpleRNN" ? "sigmoid" : inside].map((value) => {
    const read = readActivation(value, layer, major, source);
    return read.kind === "softmax" ? rejectFile(source, `${describeLayer(layer)} has a softmax inside`, SECOND_ENGINE) : read;
  });
  return { activation, recurrentActivation };
}

interface Direction {
  readonly cell: DraftCell;
  readonly run: CellRun;
}

function readDirection(layer: Layer, weights: readonly Weights[], W: number, major: number, source: string): Direction {
  const functions = functionsOf(layer, major, source);
  return CELLS.get(layer.type)!(layer, weights, { W, U: unitsOf(layer, source), ...functions }, source);
}

/** A recurrent layer with its weights. Throws DataError where they do not fit. */
export function buildRecurrent({ layer, major }: PlannedLayer, weights: readonly Weights[], W: number, source: string): BuiltLayer {
  const { cell, run } = readDirection(layer, weights, W, major, source);
  const backwards = layer.config.go_backwards === true;
  const isSequence = layer.config.return_sequences === true;
  const layers: DraftLayer[] = [
    { kind: "recurrent", cell, ...(backwards && { backwards }), returns: isSequence ? "sequence" : "state" },
    ...(isSequence && backwards ? [{ kind: "reverse" } as const] : []), // Keras hands on the steps in the order in which it read them
  ];
  return {
    layers,
    words: `${layer.type}(${cell.units})`,
    run: (signal) => leaveRows(signal, runDirection(run, signal, backwards), isSequence),
  };
}

/** Two recurrent layers with their weights, the forward one's first. Throws DataError where they do not fit. */
export function buildBidirectional({ layer, major }: PlannedLayer, weights: readonly Weights[], W: number, source: string): BuiltLayer {
  const half = weights.length / 2;
  const [forward, backward] = directionsOf(layer).map((one, k) =>
    readDirection(one, weights.slice(k * half, (k + 1) * half), W, major, source),
  );
  const isSequence = directionsOf(layer)[0].config.return_sequences === true;
  const merge = mergeOf(layer) as (typeof MERGES)[number];
  const join = {
    concat: (a: Float64Array, b: Float64Array) => Float64Array.of(...a, ...b),
    sum: pairwise((a, b) => a + b),
    mul: pairwise((a, b) => a * b),
    ave: pairwise((a, b) => (a + b) / 2),
  }[merge];
  return {
    layers: [{ kind: "bidirectional", forward: forward.cell, backward: backward.cell, merge, returns: isSequence ? "sequence" : "state" }],
    words: `Bidirectional(${directionsOf(layer)[0].type}(${forward.cell.units}), ${merge})`,
    run(signal) {
      const [one, other] = [runDirection(forward.run, signal, false), runDirection(backward.run, signal, true)];
      const turned = isSequence ? other.toReversed() : other;
      return leaveRows(
        signal,
        one.map((row, t) => join(row, turned[t])),
        isSequence,
      );
    },
  };
}

function pairwise(combine: (a: number, b: number) => number): (a: Float64Array, b: Float64Array) => Float64Array {
  return (a, b) => a.map((x, u) => combine(x, b[u]));
}

/** The outputs in the order in which steps are read; a masked step repeats the one before, zeros at first. */
function runDirection(run: CellRun, { rows, mask }: Signal, backwards: boolean): Float64Array[] {
  const order = rows.map((_, t) => (backwards ? rows.length - 1 - t : t));
  const state = run.start();
  let output: Float64Array = new Float64Array(state[0].length);
  return order.map((t) => {
    if (mask?.[t] !== false) {
      run.step(rows[t], state);
      output = state[0].slice();
    }
    return output;
  });
}

function leaveRows({ mask }: Signal, outputs: readonly Float64Array[], isSequence: boolean): Signal {
  return isSequence ? { rows: outputs, mask } : { rows: [outputs[outputs.length - 1]], mask: null };
}

function mergeOf({ config }: Layer): unknown {
  return config.merge_mode === undefined ? "concat" : config.merge_mode;
}

/** The two layers in a Bidirectional; the second is the first's twin where the config has none. */
function directionsOf(layer: Layer): readonly [Layer, Layer] {
  const inner = (value: unknown): Layer | undefined => {
    const entry = (value ?? {}) as Readonly<Record<string, unknown>>;
    const { class_name, config } = entry;
    const settings = (config ?? {}) as Readonly<Record<string, unknown>>;
    return class_name === undefined
      ? undefined
      : unwrapOne({ type: classOf(entry), name: `${layer.name}/${settings.name ?? class_name}`, config: settings, ordinal: 0 });
  };
  const forward = inner(layer.config.layer) ?? { type: "nothing", name: layer.name, config: {}, ordinal: 0 };
  return [forward, inner(layer.config.backward_layer) ?? forward];
}
