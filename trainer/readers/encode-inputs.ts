// Batches of inputs, with codes where categories stand → batches of features. Knows no format.
// Legend: N sequences, T steps, I inputs, F features.
import { codeOf, countStatics, expandInputs, expandNames, type Input, isEmptyRow } from "../../shared/recipe/inputs.ts";
import { isSameSet } from "./align.ts";
import type { Batch, Column, LabelledPart, Part, Wanted } from "./batch.ts";
import { editFurther } from "./further-windows.ts";
import { checkNames, type FoundInputs, type InputReading, type InputTable, knownInputTable, readCell } from "./input-table.ts";
import { expectNumber, throwIssue } from "./issues.ts";
import { show } from "./quoting.ts";

/** Of each of F features the reading of its input, by name or, as a model takes them, by position; null where nobody looks for categories. */
export function readingsOf(
  features: readonly string[] | null,
  F: number,
  { inputs, target, byPosition }: Pick<Wanted, "inputs" | "target" | "byPosition">,
): readonly InputReading[] | null {
  if (inputs === undefined) return null;
  const isByName = features !== null && !byPosition && (target === undefined || isSameSet(features, target.features));
  const names = isByName ? features : (target?.features ?? features);
  return names?.length === F ? names.map((name) => inputs.of(name)) : null;
}

/** The inputs; where the levels of some are missing in `values` (N,T,I), the empty level joins. */
function settleLevels(values: Float64Array, inputs: readonly Input[], clock = false): Input[] {
  const I = inputs.length + (clock ? 1 : 0);
  const isEmpty = Uint8Array.from({ length: values.length / I }, (_, row) => Number(isEmptyRow(inputs, values, row * I, clock)));
  return inputs.map((input, i) => {
    if (input.levels === undefined) return input;
    const isMissing = isEmpty.some((empty, row) => Number.isNaN(values[row * I + i]) && (empty === 0 || input.static === true));
    return isMissing ? { ...input, levels: ["", ...input.levels] } : input;
  });
}

/** The codes in `values` (N,T,I), in the order of their coming, become those of the settled `inputs`. */
function recode(values: Float64Array, inputs: readonly Input[], table: InputTable, clock = false): void {
  const I = inputs.length + (clock ? 1 : 0);
  for (const [i, input] of inputs.entries()) {
    if (input.levels === undefined) continue;
    const { codes } = table.of(input.name);
    const places = new Int32Array(codes.size + 1);
    for (const [level, code] of codes) places[code] = codeOf(input, level);
    for (let at = i; at < values.length; at += I) if (values[at] > 0) values[at] = places[values[at]];
  }
}

type Encoded = Pick<Batch, "shape" | "features" | "further"> & Part & { readonly inputs?: readonly Input[] };

/** A whole set whose inputs `table` has found out, as features. `values` change. Throws DataError as settle does. */
export function encodeFound<B extends Encoded>(batch: B, table: FoundInputs, statics: readonly string[], source: string): B {
  const { values, shape } = batch;
  const names = batch.features ?? Array.from({ length: shape.features }, (_, f) => `f${f}`);
  const given = shape.clock ? names.slice(0, -1) : names;
  const found = table.settle(given, statics, source);
  if (found === undefined) return batch;
  const inputs = settleLevels(values, found, shape.clock);
  recode(values, inputs, table, shape.clock);
  checkNames(expandNames(inputs), source);
  const encoded = encode(batch, inputs, names.slice(given.length));
  if (batch.further === undefined) return encoded;
  const further = editFurther(batch.further, (read) => {
    recode(read, inputs, table, shape.clock);
    return expandInputs(inputs, read, shape.timesteps, shape.clock);
  });
  return { ...encoded, further };
}

/**
 * The batch with its columns `statics`, which readers gave as numbers and codes, as the last features of all rows; `inputs` of a model whose
 * rows have one number more, their time, before that one.
 */
export function joinStatics(batch: Batch, statics: readonly string[], inputs: readonly Input[] | undefined): Batch {
  if (statics.length === 0) return batch;
  const { values, shape, columns } = batch;
  const { timesteps: T, features: own } = shape;
  const time = inputs && own > inputs.length - statics.length ? 1 : 0;
  const beside = statics.map((name) => columns[name] as Float64Array);
  const names = batch.features ?? Array.from({ length: own }, (_, f) => `f${f}`);
  return {
    ...batch,
    values: widenRows(values, own, T, beside, time),
    shape: { ...shape, features: own + statics.length },
    features: [...names.slice(0, own - time), ...statics, ...names.slice(own - time)],
    columns: Object.fromEntries(Object.entries(columns).filter(([name]) => !statics.includes(name))),
  };
}

/** Rows (N,T,W) with S columns (N) behind them, or before the row's time: (N,T,W+S). */
function widenRows(values: Float64Array, W: number, T: number, beside: readonly Float64Array[], time: 0 | 1): Float64Array {
  const F = W + beside.length;
  const out = new Float64Array((values.length / W) * F);
  for (let row = 0; row * W < values.length; row++) {
    out.set(values.subarray(row * W, (row + 1) * W - time), row * F);
    for (let s = 0; s < beside.length; s++) out[row * F + W - time + s] = beside[s][Math.floor(row / T)];
    if (time) out[(row + 1) * F - 1] = values[(row + 1) * W - 1];
  }
  return out;
}

/** (N) numbers of a static input, or a category's codes. */
export function toStatic(
  column: Column,
  name: string,
  source: string,
  { inputs, gaps, gapAdvice, onIssue }: Pick<Wanted, "inputs" | "gaps" | "gapAdvice" | "onIssue">,
): Float64Array {
  const input = inputs?.of(name);
  return Float64Array.from(column as ArrayLike<number | string>, (cell, n) => {
    const value = readCell(input, cell, `${source}: ${name}[${n}]`);
    if (value !== undefined && (Number.isFinite(value) || (Number.isNaN(value) && (gaps || input?.kind === "category")))) return value;
    onIssue(
      source,
      `${name}[${n}] is ${typeof cell === "string" ? show(cell) : cell}, ${expectNumber(Number.isNaN(value), { gapAdvice })}`,
    );
    return Number.NaN;
  });
}

/**
 * A part that came with a set of `inputs`, whose levels the set alone decided, as features: its statics join the rows. `timesteps`: T.
 * `gaps`: numbers may be missing. Throws DataError where a static is no value of its input.
 */
export function encodePart(
  part: LabelledPart,
  inputs: readonly Input[],
  { timesteps, gaps }: { readonly timesteps: number; readonly gaps: boolean },
  source: string,
): LabelledPart {
  const { statics = {}, ...others } = part;
  const reading = { inputs: knownInputTable(inputs), gaps, onIssue: throwIssue };
  const beside = inputs.filter((input) => input.static).map(({ name }) => toStatic(statics[name], name, source, reading));
  const values = widenRows(part.values, inputs.length - beside.length, timesteps, beside, 0);
  return { ...others, values: expandInputs(inputs, values, timesteps) };
}

/** A batch of a model's inputs as features. */
export function encodeKnown<B extends Encoded>(batch: B, inputs: readonly Input[]): B {
  const time = batch.shape.features - inputs.length;
  if (time !== 0 && time !== 1) return batch; // whoever takes the shape refuses it
  return encode(
    time === 0 ? batch : { ...batch, shape: { ...batch.shape, clock: true } },
    inputs,
    batch.features?.slice(inputs.length) ?? [],
  );
}

function encode<B extends Encoded>(batch: B, inputs: readonly Input[], time: readonly string[]): B {
  const { values, shape } = batch;
  const features = [...expandNames(inputs), ...time];
  const statics = countStatics(inputs);
  return {
    ...batch,
    values: expandInputs(inputs, values, shape.timesteps, shape.clock),
    shape: { ...shape, features: features.length, ...(statics > 0 && { statics }) },
    features,
    inputs,
  };
}
