// `bilstm:64,lstm:32,dense:16:relu` → the layers of a network. docs/training.md has the grammar.
import { UsageError } from "../../shared/errors.ts";
import type { Activation } from "../../shared/networks/activation.ts";
import { CELLS, type LayerSpec, POOLS } from "../training/layer-spec.ts";

const MAX_LAYERS = 24;
const MAX_UNITS = 1024;
const MAX_ROWS = 64;

const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  linear: { kind: "linear" },
  relu: { kind: "relu" },
  elu: { kind: "elu", alpha: 1 },
  selu: { kind: "selu" },
  silu: { kind: "silu" },
  tanh: { kind: "tanh" },
  sigmoid: { kind: "sigmoid" },
  softplus: { kind: "softplus" },
  softsign: { kind: "softsign" },
};

/** One layer's text: its name, what stands behind it, and how an error names the place. */
interface Term {
  readonly name: string;
  readonly values: readonly string[];
  fail(problem: string): never;
}

type Form = (term: Term) => LayerSpec;

const recurrentForms = CELLS.flatMap((cell) =>
  [false, true].map((both): [string, Form] => [
    both ? `bi${cell}` : cell,
    (term) => ({ kind: "recurrent", cell, both, units: readCount(term, 0, "units", MAX_UNITS), returns: "state" }),
  ]),
);

const FORMS: Readonly<Record<string, Form>> = {
  ...Object.fromEntries(recurrentForms),
  dense: (term) => ({ kind: "dense", units: readCount(term, 0, "units", MAX_UNITS), activation: readActivation(term, 1) }),
  conv1d: (term) => ({
    kind: "conv",
    filters: readCount(term, 0, "filters", MAX_UNITS),
    rows: readCount(term, 1, "rows", MAX_ROWS),
    activation: readActivation(term, 2),
  }),
  ...Object.fromEntries(POOLS.map((by): [string, Form] => [by, () => ({ kind: "pool", by })])),
  dropout: (term) => ({ kind: "dropout", rate: readShare(term) }),
  batchnorm: () => ({ kind: "batchnorm" }),
  layernorm: () => ({ kind: "layernorm" }),
};

/** How many values stand behind a name, at most. */
const VALUES: Readonly<Record<string, number>> = { dense: 2, conv1d: 3, mean: 0, max: 0, last: 0, batchnorm: 0, layernorm: 0 };

/**
 * The layers that `text` says, without the dense layer of one unit that follows them all. A recurrent layer hands on every row where a layer
 * behind it needs rows, else its last state. Throws UsageError, which `what` begins, with the layer and the character of what is wrong.
 */
export function parseLayers(text: string, what: string): readonly LayerSpec[] {
  const terms = splitTerms(text, what);
  if (terms.length > MAX_LAYERS) throw new UsageError(`${what} must be at most ${MAX_LAYERS} layers, got ${terms.length}`);
  const layers = terms.map(readTerm);
  checkRows(layers, terms);
  return layers.map((layer, i) =>
    layer.kind === "recurrent" && layers.slice(i + 1).some(needsRows) ? { ...layer, returns: "sequence" } : layer,
  );
}

function splitTerms(text: string, what: string): Term[] {
  let at = 0;
  return text.split(",").map((part, i) => {
    const start = at + part.length - part.trimStart().length + 1;
    at += part.length + 1;
    const [name, ...values] = part.split(":").map((word) => word.trim());
    const fail = (problem: string): never => {
      throw new UsageError(`${what}, layer ${i + 1} (character ${start}): ${problem}, got ${part.trim() || "nothing"}`);
    };
    return { name, values, fail };
  });
}

function readTerm(term: Term): LayerSpec {
  const { name, values, fail } = term;
  if (!Object.hasOwn(FORMS, name)) fail(`must begin with one of ${Object.keys(FORMS).join(", ")}`);
  const most = VALUES[name] ?? 1;
  if (values.length > most)
    fail(most === 0 ? `${name} takes no value` : `${name} takes at most ${most} ${most === 1 ? "value" : "values"}`);
  return FORMS[name](term);
}

function readCount({ name, values, fail }: Term, place: number, what: string, most: number): number {
  const number = Number(values[place]);
  if (!values[place] || !Number.isInteger(number) || number < 1 || number > most)
    fail(`${name} needs its ${what}, a whole number from 1 to ${most}${place > 0 ? `, as value ${place + 1}` : ""}`);
  return number;
}

function readActivation({ values, fail }: Term, place: number): Activation {
  const name = values[place] ?? "linear";
  if (!Object.hasOwn(ACTIVATIONS, name)) fail(`the activation must be one of ${Object.keys(ACTIVATIONS).join(", ")}`);
  return ACTIVATIONS[name];
}

function readShare({ values, fail }: Term): number {
  const rate = Number(values[0]);
  if (!values[0] || !(rate > 0 && rate < 1)) fail("dropout needs the share that is dropped, above 0 and below 1");
  return rate;
}

function needsRows({ kind }: LayerSpec): boolean {
  return kind === "recurrent" || kind === "conv" || kind === "pool";
}

/** Rows come in, and one is left: behind a pooling, or behind the last recurrent layer. */
function checkRows(layers: readonly LayerSpec[], terms: readonly Term[]): void {
  const last = layers.findLastIndex(needsRows);
  const pooled = layers.findIndex(({ kind }) => kind === "pool");
  if (pooled >= 0 && last > pooled)
    terms[last].fail(`${terms[last].name} needs rows, and ${terms[pooled].name} before it (layer ${pooled + 1}) has left one`);
  const end = terms[layers.length - 1];
  if (last < 0 || layers[last].kind === "conv")
    end.fail("every row is left behind the last layer: add mean, max or last where one is to be made of all");
}
