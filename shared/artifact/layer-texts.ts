// A network's layers as metadata say them: kinds, sizes, single numbers. Weights are tensors: layer-tensors.ts.
// Legend: C channels, T steps, R rows, W width.
import { type Activation, PLAIN_ACTIVATIONS } from "../networks/activation.ts";
import { describeLayer } from "../networks/describe-layers.ts";
import { GLOBAL_POOLS, type Layer, type LayerText, MERGES, OPTIONAL_WEIGHTS, rowsAfter, widthAfter } from "../networks/layers.ts";
import { MAX_TIMESTEPS, type Padding } from "../sequence.ts";
import { asObject, fail, isFiniteNumber, isIndex, show } from "./checks.ts";

const MAX_LAYERS = 64;
/** Units of a cell or a dense layer, filters. */
export const MAX_UNITS = 4096;
/** R · W between two layers: eight sequences of it take 8 MB, and a network holds five times that (shared/layers/run-layers.ts). */
const MAX_ROW_NUMBERS = 1 << 18;

/** What sizes of layers depend on beside the layers: all sequences have T rows where padding is `none`, else 1 … T. */
export interface LayersShape {
  readonly channels: number;
  readonly timesteps: number;
  readonly padding: Padding;
}

/** Throws ArtifactError where `value`, which `what` names, is not what a field may be. */
type Check = (value: unknown, what: string) => void;

function expectThat(isGood: (value: unknown) => boolean, expected: string): Check {
  return (value, what) => {
    if (!isGood(value)) fail(`${what} is ${show(value)}, expected ${expected}`);
  };
}

const count = (most: number): Check => expectThat((value) => isIndex(value, most + 1) && value >= 1, `1 to ${most}`);
const among = (names: readonly string[]): Check =>
  expectThat((value) => names.some((name) => name === value), `one of ${names.join(", ")}, or update and redeploy quickstep`);
const yes: Check = expectThat((value) => value === true, "true or nothing");
const bool: Check = expectThat((value) => typeof value === "boolean", "true or false");
const finite: Check = expectThat(isFiniteNumber, "a number");
const positive: Check = expectThat((value) => isFiniteNumber(value) && value > 0, "a number above 0");
const pads: Check = expectThat(
  (value) => Array.isArray(value) && value.length === 2 && value.every((rows) => isIndex(rows, MAX_TIMESTEPS + 1)),
  `the rows in front and behind, 0 to ${MAX_TIMESTEPS} each`,
);
const pools: Check = expectThat(
  (value) => Array.isArray(value) && isIndex(value.length - 1, 4) && value.every((by) => GLOBAL_POOLS.includes(by)),
  `1 to 4 of ${GLOBAL_POOLS.join(", ")}`,
);
const rows = count(MAX_TIMESTEPS);
const units = count(MAX_UNITS);

/** Fields by name; with `?` behind it, one may be left out. */
type Fields = Readonly<Record<string, Check>>;

const ACTIVATION_FIELDS: Readonly<Record<Activation["kind"], Fields>> = {
  ...(Object.fromEntries(PLAIN_ACTIVATIONS.map((kind) => [kind, {}])) as Record<(typeof PLAIN_ACTIVATIONS)[number], Fields>),
  leakyRelu: { alpha: finite },
  elu: { alpha: finite },
  gelu: { approximate: bool },
  hardSigmoid: { slope: positive },
};
const activation: Check = (value, what) => checkKind(value, what, "kind", ACTIVATION_FIELDS);

const EVERY_CELL: Fields = { units, "activation?": activation, "initialHidden?": yes };
const CELL_FIELDS: Readonly<Record<string, Fields>> = {
  lstm: { ...EVERY_CELL, "recurrentActivation?": activation, "initialCell?": yes },
  gru: { ...EVERY_CELL, "recurrentActivation?": activation, "recurrentBias?": yes },
  rnn: EVERY_CELL,
};
const cell: Check = (value, what) => checkKind(value, what, "cell", CELL_FIELDS);
const returns = among(["sequence", "state", "cell"]);

const LAYER_FIELDS: Readonly<Record<Layer["kind"], Fields>> = {
  recurrent: { cell, "backwards?": yes, returns },
  bidirectional: { forward: cell, backward: cell, merge: among(MERGES), returns },
  conv: { filters: units, kernelSize: rows, strides: rows, dilationRate: rows, pads },
  pooling: { by: among(["max", "mean"]), poolSize: rows, strides: rows, pads, "countsPads?": yes },
  globalPooling: { by: pools },
  flatten: { steps: rows },
  reverse: {},
  dense: { units },
  activation: { activation },
  affine: {},
  layerNormalization: { epsilon: positive },
};

/** Checks an object whose field `name` says which fields it has: exactly those of `fields`. */
function checkKind(value: unknown, what: string, name: string, fields: Readonly<Record<string, Fields>>): void {
  const object = asObject(value, what);
  const kind = object[name];
  if (typeof kind !== "string" || !Object.hasOwn(fields, kind))
    fail(`${what}.${name} is ${show(kind)}, which this code does not know: update and redeploy quickstep`);
  const own = fields[kind];
  for (const key of Object.keys(object))
    if (key !== name && !Object.hasOwn(own, key) && !Object.hasOwn(own, `${key}?`))
      fail(`${what}.${key} is ${show(object[key])}, which this code does not know: update and redeploy quickstep`);
  for (const [key, check] of Object.entries(own)) {
    const bare = key.replace("?", "");
    if (bare === key || object[bare] !== undefined) check(object[bare], `${what}.${bare}`);
  }
}

/** Throws ArtifactError naming the first layer that is off, or that has no rows, or too many numbers, for a sequence of that shape. */
export function parseLayers(value: unknown, what: string, shape: LayersShape): LayerText[] {
  if (!Array.isArray(value) || value.length < 1 || value.length > MAX_LAYERS)
    fail(`${what} is ${show(value)}, expected 1 to ${MAX_LAYERS} layers`);
  for (const [i, layer] of value.entries()) checkLayer(layer, `${what}[${i}]`);
  const layers = value as LayerText[];
  checkSizes(layers, what, shape);
  return layers;
}

function checkLayer(value: unknown, what: string): void {
  checkKind(value, what, "kind", LAYER_FIELDS);
  const layer = value as LayerText;
  const cells = layer.kind === "recurrent" ? [layer.cell] : layer.kind === "bidirectional" ? [layer.forward, layer.backward] : [];
  if (cells.length > 0 && "returns" in layer && layer.returns === "cell" && cells.some(({ cell }) => cell !== "lstm"))
    fail(`${what}.returns is "cell", expected it of an LSTM alone`);
  if (layer.kind === "bidirectional" && layer.merge !== "concat" && layer.forward.units !== layer.backward.units)
    fail(`${what}.backward.units is ${layer.backward.units}, expected ${layer.forward.units}, as forward has, to merge by ${layer.merge}`);
  if (layer.kind === "pooling" && Math.max(...layer.pads) >= layer.poolSize)
    fail(`${what}.pads is ${show(layer.pads)}, expected fewer rows than the ${layer.poolSize} of a window`);
}

/** For every length that a sequence may have: each layer leaves a row at least, and the last one number. */
function checkSizes(layers: readonly LayerText[], what: string, { channels, timesteps: T, padding }: LayersShape): void {
  for (let length = padding === "none" ? T : 1; length <= T; length++) {
    let [R, W] = [length, channels];
    for (const [i, layer] of layers.entries()) {
      const before = R;
      [R, W] = [rowsAfter(layer, R), widthAfter(layer, W)];
      if (!(R >= 1))
        fail(
          `${what}[${i}] is ${describeLayer(layer)}, which a sequence of ${length} of up to ${T} rows reaches with ${before} rows: padding must be none, and the rows enough`,
        );
      if (R * W > MAX_ROW_NUMBERS) fail(`${what}[${i}] leaves ${R} rows of ${W} numbers, expected at most ${MAX_ROW_NUMBERS} numbers`);
    }
    if (R !== 1 || W !== 1) fail(`${what} leaves ${R} × ${W} numbers of a sequence of ${length} rows, expected one, the logit`);
  }
}

/** What is said of a layer in metadata: all but its weights, `true` for one that not each has. */
export function textOfLayer(layer: Layer): LayerText {
  return withoutWeights(layer) as unknown as LayerText;
}

function withoutWeights(object: object): Record<string, unknown> {
  const text: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(object))
    if (value instanceof Float32Array) {
      if (OPTIONAL_WEIGHTS.some((name) => name === key)) text[key] = true;
    } else if (value !== undefined)
      text[key] = typeof value === "object" && value !== null && !Array.isArray(value) ? withoutWeights(value) : value;
  return text;
}
