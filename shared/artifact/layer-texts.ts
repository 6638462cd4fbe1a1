// A network's layers as metadata say them: kinds, sizes, single numbers. Weights are tensors: layer-tensors.ts.
// Legend: C channels, T steps, R rows, W width.
import { type Activation, PLAIN_ACTIVATIONS } from "../networks/activation.ts";
import { describeLayer } from "../networks/describe-layers.ts";
import {
  BRANCH_MERGES,
  GLOBAL_POOLS,
  type Layer,
  type LayerText,
  MERGES,
  OPTIONAL_WEIGHTS,
  rowsAfter,
  widthAfter,
} from "../networks/layers.ts";
import { MAX_TIMESTEPS, type Padding } from "../sequence.ts";
import { asObject, fail, isFiniteNumber, isIndex, show } from "./checks.ts";

const MAX_LAYERS = 64;
/** Poolings side by side in one layer. */
export const MAX_POOLS = 4;
const MAX_BRANCHES = 8;
/** Branches within branches. */
const MAX_DEPTH = 4;
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
  (value) => Array.isArray(value) && isIndex(value.length - 1, MAX_POOLS) && value.every((by) => GLOBAL_POOLS.includes(by)),
  `1 to ${MAX_POOLS} of ${GLOBAL_POOLS.join(", ")}`,
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

/** Lists of layers, which may be empty; a layer of theirs is checked like any other. */
const branches: Check = (value, what) => {
  if (!Array.isArray(value) || !isIndex(value.length - 2, MAX_BRANCHES - 1))
    fail(`${what} is ${show(value)}, expected 2 to ${MAX_BRANCHES} lists`);
  if (what.split(".branches").length > MAX_DEPTH + 1) fail(`${what} lies deeper than ${MAX_DEPTH} branches`);
  for (const [b, branch] of value.entries()) checkList(branch, `${what}[${b}]`, 0);
};

const LAYER_FIELDS: Readonly<Record<Layer["kind"], Fields>> = {
  recurrent: { cell, "backwards?": yes, returns },
  bidirectional: { forward: cell, backward: cell, merge: among(MERGES), returns },
  conv: { filters: units, kernelSize: rows, strides: rows, dilationRate: rows, pads },
  pooling: { by: among(["max", "mean"]), poolSize: rows, strides: rows, pads, "countsPads?": yes },
  globalPooling: { by: pools },
  attentionPooling: {},
  branches: { branches, merge: among(BRANCH_MERGES) },
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
  checkList(value, what, 1);
  const layers = value as LayerText[];
  checkSizes(layers, what, shape);
  return layers;
}

function checkList(value: unknown, what: string, least: number): void {
  if (!Array.isArray(value) || value.length < least || value.length > MAX_LAYERS)
    fail(`${what} is ${show(value)}, expected ${least} to ${MAX_LAYERS} layers`);
  for (const [i, layer] of value.entries()) checkLayer(layer, `${what}[${i}]`);
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
    const [R, W] = checkSizesOf(layers, what, [length, channels], `a sequence of ${length} of up to ${T} rows`);
    if (R !== 1 || W !== 1) fail(`${what} leaves ${R} × ${W} numbers of a sequence of ${length} rows, expected one, the logit`);
  }
}

/** The rows and their width behind layers. */
function checkSizesOf(
  layers: readonly LayerText[],
  what: string,
  given: readonly [number, number],
  sequence: string,
): readonly [number, number] {
  let [R, W] = given;
  for (const [i, layer] of layers.entries()) {
    const before = [R, W] as const;
    if (layer.kind === "branches") {
      const left = layer.branches.map((branch, b) => checkSizesOf(branch, `${what}[${i}].branches[${b}]`, before, sequence));
      if (layer.merge !== "concat" && left.some(([, width]) => width !== left[0][1]))
        fail(
          `${what}[${i}].branches leave rows of ${left.map(([, width]) => width).join(", ")} numbers, expected as many each for a ${layer.merge}`,
        );
    }
    [R, W] = [rowsAfter(layer, R), widthAfter(layer, W)];
    if (!(R >= 1))
      fail(
        `${what}[${i}] is ${describeLayer(layer)}, which ${sequence} reaches with ${before[0]} rows: padding must be none, and the rows enough`,
      );
    if (R * W > MAX_ROW_NUMBERS) fail(`${what}[${i}] leaves ${R} rows of ${W} numbers, expected at most ${MAX_ROW_NUMBERS} numbers`);
    if (layer.kind === "attentionPooling" && W < 1) fail(`${what}[${i}] is given rows of one number, expected a score behind others`);
    if (layer.kind === "globalPooling" && layer.by.includes("ends") && before[1] % 2 === 1)
      fail(`${what}[${i}] takes the ends of rows of ${before[1]} numbers, expected two halves`);
  }
  return [R, W];
}

/** What is said of a layer in metadata: all but its weights, `true` for one that not each has. */
export function textOfLayer(layer: Layer): LayerText {
  return withoutWeights(layer) as LayerText;
}

function withoutWeights(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutWeights);
  if (typeof value !== "object" || value === null) return value;
  const text: Record<string, unknown> = {};
  for (const [key, part] of Object.entries(value))
    if (part instanceof Float32Array) {
      if (OPTIONAL_WEIGHTS.some((name) => name === key)) text[key] = true;
    } else if (part !== undefined) text[key] = withoutWeights(part);
  return text;
}
