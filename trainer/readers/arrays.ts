// What NumPy arrays mean: which names an archive may use, which shapes and values each array may have. Knows neither bytes nor
// files. Legend: N sequences, T steps, F features.
import { DataError } from "../../shared/errors.ts";
import { type NpyArray, showShape } from "../../shared/npy.ts";
import { DEFAULT_SHAPE, MAX_FEATURES, MAX_TIMESTEPS, type Shape } from "../../shared/sequence.ts";
import { toArrayColumn, toLabels } from "./array-labels.ts";
import type { Batch, Column, LabelledPart, Wanted } from "./batch.ts";
import { toStatic } from "./encode-inputs.ts";
import { expectNumber, FILL_ADVICE } from "./issues.ts";
import type { Npz } from "./npz.ts";
import { show } from "./quoting.ts";
import { RAGGED_ADVICE, RAGGED_NAMES, readRagged } from "./ragged.ts";
import type { Remark } from "./reading.ts";

const NAMES = {
  values: ["X", "x", "X_train", "x_train"],
  labels: ["y", "Y", "labels", "label", "target", "y_train", "Y_train"],
  probability: ["probability", "p"],
  testValues: ["X_test", "x_test"],
  testLabels: ["y_test", "Y_test"],
  testProbability: ["probability_test", "p_test"],
  validationValues: ["X_val", "x_val", "X_valid", "x_valid", "X_validation", "x_validation", "X_dev", "x_dev"],
  validationLabels: ["y_val", "Y_val", "y_valid", "Y_valid", "y_validation", "y_dev"],
} as const;

/** Reads an archive's arrays by name. Throws DataError. */
export async function readArchive(archive: Npz, source: string, wanted: Wanted): Promise<Batch> {
  const { npz, unread } = trackReads(archive);
  const find = nameFinder(npz, source, wanted);
  const valuesName = find("values");
  const named = npz.names.includes("features") ? await npz.read("features") : null;
  const read =
    valuesName === null
      ? { ...(await readRaggedValues(npz, listNames(npz), source, wanted)), remarks: [] }
      : toValues(await npz.read(valuesName, RAGGED_ADVICE), valuesName, source, wanted, named?.data.length);
  const N = read.values.length / (read.shape.timesteps * read.shape.features);
  return { ...(await readBeside({ npz, unread, find, named, N, ...read }, source, wanted)), values: read.values };
}

/** As readArchive, a piece of the sequences at a time where they are many and `wanted.inPieces`; parts of their own come with the first. Throws DataError. */
export async function* readArchivePieces(archive: Npz, source: string, wanted: Wanted): AsyncGenerator<Batch> {
  const { npz, unread } = trackReads(archive);
  const find = nameFinder(npz, source, wanted);
  const name = find("values");
  const opened = name === null || !wanted.inPieces || wanted.statics.length > 0 ? null : await npz.openPieces(name, RAGGED_ADVICE);
  if (name === null || opened === null) return yield await readArchive(archive, source, wanted);
  const named = npz.names.includes("features") ? await npz.read("features") : null;
  const { N, pieces } = opened;
  let beside: Omit<Batch, "values"> | undefined;
  let from = 0;
  for await (const piece of pieces) {
    const { values, ...read } = toValues(piece, name, source, wanted, named?.data.length, from);
    const to = from + piece.shape[0];
    const isFirst = beside === undefined;
    beside ??= await readBeside({ npz, unread, find, named, N, ...read }, source, wanted);
    const { labels, probability, columns, test, validation, remarks, ...rest } = beside;
    const cut = Object.entries(columns).map(([column, cells]) => [column, cells.slice(from, to)]);
    yield {
      ...rest,
      values,
      labels: labels?.slice(from, to) ?? null,
      probability: probability?.slice(from, to) ?? null,
      columns: Object.fromEntries(cut),
      test: isFirst ? test : null,
      ...(isFirst && validation && { validation }),
      ...(isFirst && { remarks }),
    };
    from = to;
  }
}

type Find = (role: keyof typeof NAMES) => string | null;

/** The name that an archive uses for a role, or null. Throws DataError where it uses two. */
function nameFinder(npz: Npz, source: string, wanted: Wanted): Find {
  return (role) => {
    const names = role === "labels" && wanted.label !== undefined ? [wanted.label] : NAMES[role];
    const present = names.filter((name) => npz.names.includes(name));
    if (present.length > 1) throw new DataError(source, `holds both ${present.join(" and ")}: keep one of them`);
    return present[0] ?? null;
  };
}

function listNames({ names }: Npz): string {
  return names.length === 0 ? "no array" : `${names.slice(0, 8).join(", ")}${names.length > 8 ? ", …" : ""}`;
}

interface BesideInput extends Pick<ReturnType<typeof toValues>, "shape" | "dtype" | "remarks"> {
  readonly npz: Npz;
  unread(): readonly string[];
  readonly find: Find;
  /** The names of features that the archive holds. */
  readonly named: NpyArray | null;
  readonly N: number;
}

/** All but the sequences of an archive that holds `N`. Throws DataError. */
async function readBeside(
  { npz, unread, find, named, N, shape, dtype, remarks }: BesideInput,
  source: string,
  wanted: Wanted,
): Promise<Omit<Batch, "values">> {
  const holds = listNames(npz);
  const readLabels = async (name: string, count: number) => toLabels(await npz.read(name), name, source, count, wanted);
  const readProbability = async (name: string | null, count: number) =>
    name === null ? null : toProbability(await npz.read(name), name, source, count);

  const labelsName = wanted.labels ? find("labels") : null;
  if (wanted.labels && wanted.label !== undefined && labelsName === null)
    throw new DataError(source, `holds ${holds}, expected also ${wanted.label}, which --label names`);
  const columns: Record<string, Column> = {};
  for (const name of wanted.columns) {
    if (!npz.names.includes(name)) throw new DataError(source, `holds ${holds}, expected also ${name}`);
    const column = toArrayColumn(await npz.read(name), name, source, N);
    columns[name] = wanted.statics.includes(name) ? toStatic(column, name, source, wanted) : column;
  }
  const labelled = labelsName === null ? { labels: null, remarks: [] } : await readLabels(labelsName, N);
  const content = {
    labels: labelled.labels,
    probability: wanted.parts ? await readProbability(find("probability"), N) : null,
    shape,
    features: nameRows(nameArray(named, shape, source, wanted), shape, source, wanted),
    dtype,
    labelName: labelsName,
    columns,
  };
  /** A part of its own, by the name of its sequences and the names that its labels may have. */
  const readPart = async (name: string, role: "testLabels" | "validationLabels", probabilityName: string | null): Promise<LabelledPart> => {
    const labelsOfPart = find(role);
    if (labelsOfPart === null) throw new DataError(source, `holds ${name} without ${NAMES[role][0]}: add it, or leave ${name} out`);
    const part = toValues(await npz.read(name), name, source, wanted);
    checkShape(part.shape, shape, source, `the sequences of ${name}`);
    const count = part.values.length / (shape.timesteps * shape.features);
    const { labels } = await readLabels(labelsOfPart, count);
    const probability = await readProbability(probabilityName, count);
    if (wanted.statics.length === 0) return { values: part.values, labels, probability };
    return { values: part.values, labels, probability, statics: await readStaticsOf(npz, name, count, source, wanted) };
  };
  const testName = wanted.parts ? find("testValues") : null;
  const validationName = wanted.parts ? find("validationValues") : null;
  const test = testName === null ? null : await readPart(testName, "testLabels", find("testProbability"));
  const validation = validationName !== null && wanted.validation ? await readPart(validationName, "validationLabels", null) : undefined;
  const said = [...remarks, ...labelled.remarks, ...describeUnread(unread(), validationName, validationName && find("validationLabels"))];
  return { ...content, test, ...(validation && { validation }), remarks: said };
}

/** The archive as it is, and which of its arrays nobody has read. */
function trackReads(archive: Npz): { readonly npz: Npz; unread(): readonly string[] } {
  const unread = new Set(archive.names);
  const read: Npz["read"] = (name, advice) => {
    unread.delete(name);
    return archive.read(name, advice);
  };
  const openPieces: Npz["openPieces"] = (name, advice) => {
    unread.delete(name);
    return archive.openPieces(name, advice);
  };
  return { npz: { ...archive, read, openPieces }, unread: () => [...unread] };
}

/** What there is to say of arrays that are not read: of a validation part by its name, of all others together. */
function describeUnread(names: readonly string[], ...[values, labels]: readonly (string | null)[]): Remark[] {
  const isPart = values !== null && names.includes(values);
  const others = names.filter((name) => !isPart || (name !== values && name !== labels));
  return [
    ...(isPart ? [{ code: "validation-left-out", array: values } as const] : []),
    ...(others.length > 0 ? [{ code: "arrays-left-out", arrays: others } as const] : []),
  ];
}

/** Names of the features: those that the archive holds, else those that `--features` gives. Throws DataError where both say other names. */
function nameArray(named: NpyArray | null, shape: Shape, source: string, wanted: Wanted): readonly string[] | null {
  if (named === null) return nameFeatures(shape, wanted, source);
  const names = toNames(named, shape, source);
  const said = wanted.features;
  if (said === undefined || said.join("\0") === names.join("\0")) return names;
  throw new DataError(
    source,
    `names its features ${names.join(", ")}, but --features says ${said.join(", ")}: leave --features out, or say --rename OLD=NEW`,
  );
}

/** What is given once a sequence of a part: `age_test` of `X_test`. Throws DataError where the archive lacks one. */
async function readStaticsOf(npz: Npz, part: string, N: number, source: string, { statics }: Wanted): Promise<Record<string, Column>> {
  const columns: Record<string, Column> = {};
  for (const name of statics) {
    const own = `${name}${part.slice(part.indexOf("_"))}`;
    if (!npz.names.includes(own))
      throw new DataError(source, `holds ${part} without ${own}, what is static of its sequences: add it, or leave ${part} out`);
    columns[name] = toArrayColumn(await npz.read(own), own, source, N);
  }
  return columns;
}

/** Rows of all sequences, and their lengths or offsets. Throws DataError where the archive holds neither. */
async function readRaggedValues(npz: Npz, holds: string, source: string, wanted: Wanted): Promise<ReturnType<typeof readRagged>> {
  const { values, lengths, offsets } = RAGGED_NAMES;
  const named = [lengths, offsets].filter((name) => npz.names.includes(name));
  if (!npz.names.includes(values) || named.length === 0)
    throw new DataError(source, `holds ${holds}, expected X and y: name them, as np.savez(file, X=X, y=y)`);
  if (named.length > 1) throw new DataError(source, `holds both ${lengths} and ${offsets}: keep one of them`);
  if (wanted.axes !== undefined)
    throw new DataError(source, `holds ${values} and ${named[0]}, rows of features, and no array of sequences: leave --axes out`);
  const [name] = named;
  return readRagged(await npz.read(values, RAGGED_ADVICE), { name, array: await npz.read(name) }, source, wanted);
}

/** Throws DataError where a test part has sequences of another shape. */
export function checkShape(shape: Shape, expected: Shape, source: string, what: string): void {
  if (shape.timesteps !== expected.timesteps || shape.features !== expected.features)
    throw new DataError(
      source,
      `${what} are ${shape.timesteps} × ${shape.features}, expected ${expected.timesteps} × ${expected.features} as in the training data`,
    );
}

/**
 * Sequences of shape (N,T,F), or flat (N,T·F) as the model takes them, else of 10 × 5; (N,F,T) where `wanted.axes` says so. `names`
 * features have names. An error counts from `first`. Throws DataError, also where the axes stand as nothing says.
 */
export function toValues(
  array: NpyArray,
  name: string,
  source: string,
  wanted: Pick<Wanted, "onIssue" | "gaps" | "gapAdvice" | "onRounded" | "axes" | "target" | "features">,
  names: number | undefined = wanted.features?.length,
  first = 0,
): { values: Float64Array; shape: Shape; dtype: string; remarks: readonly Remark[] } {
  const { timesteps, features } = wanted.target
    ? { timesteps: wanted.target.timesteps, features: wanted.target.features.length }
    : DEFAULT_SHAPE;
  const flatColumns = timesteps * features;
  const isFlat = array.shape.length === 2 && array.shape[1] === flatColumns;
  if (array.shape.length !== 3 && !isFlat)
    throw new DataError(
      source,
      `${name} has shape ${showShape(array.shape)}, expected (N, T, F), or (N, ${flatColumns}) for ${timesteps} steps of ${features} features: reshape it`,
    );
  const isTurned = wanted.axes === "nft";
  const [N, A, B] = isFlat ? [array.shape[0], ...(isTurned ? [features, timesteps] : [timesteps, features])] : array.shape;
  const [T, F] = isTurned ? [B, A] : [A, B];
  if (N === 0) throw new DataError(source, `${name} has shape ${showShape(array.shape)}: it holds no sequence`);
  if (T < 1 || T > MAX_TIMESTEPS || F < 1 || F > MAX_FEATURES)
    throw new DataError(
      source,
      `${name} has shape ${showShape(array.shape)}, expected (N, T, F) with T from 1 to ${MAX_TIMESTEPS} and F from 1 to ${MAX_FEATURES}`,
    );
  if (!isFlat) checkAxes(array, [T, F], name, source, wanted, names);
  const numbers = toNumbers(array, name, source);
  const values = isTurned ? turn(numbers, T, F) : numbers;
  for (let i = 0; i < values.length; i++)
    if (wanted.gaps && Number.isNaN(values[i]))
      values[i] = Number.NaN; // one bit pattern, so that equal rows are equal
    else if (!Number.isFinite(values[i])) {
      const place = `[${first + Math.floor(i / (T * F))}][${Math.floor(i / F) % T}][${i % F}]`;
      wanted.onIssue(source, `${name}${place} is ${values[i]}, ${expectNumber(Number.isNaN(values[i]), wanted, FILL_ADVICE)}`);
    }
  if (/64$/.test(array.dtype) && array.dtype !== "float64") wanted.onRounded?.(countRounded(values));
  return { values, shape: { timesteps: T, features: F }, dtype: array.dtype, remarks: isTurned ? [{ code: "turned" }] : [] };
}

/** Throws DataError where the names, `--features` or the model say that features stand where steps should. */
function checkAxes(
  { shape }: NpyArray,
  [T, F]: readonly [number, number],
  name: string,
  source: string,
  { target, axes }: Pick<Wanted, "target" | "axes">,
  names: number | undefined,
): void {
  const expected = names ?? target?.features.length ?? F;
  if (F === expected || T !== expected) return;
  const who = names === undefined ? "the model takes" : "there are names of";
  throw new DataError(
    source,
    `${name} has shape ${showShape(shape)}, which is ${T} steps of ${F} features, but ${who} ${expected} features: say --axes ${axes === "nft" ? "ntf" : "nft"} where features stand ${axes === "nft" ? "behind" : "before"} steps`,
  );
}

/** (N,F,T) → (N,T,F) */
function turn(values: Float64Array, T: number, F: number): Float64Array {
  const out = new Float64Array(values.length);
  for (let n = 0; n < values.length; n += T * F)
    for (let f = 0; f < F; f++) for (let t = 0; t < T; t++) out[n + t * F + f] = values[n + f * T + t];
  return out;
}

/** Whole numbers that may have been others before they became float64. */
function countRounded(values: Float64Array): number {
  let count = 0;
  for (const value of values) if (Math.abs(value) >= 2 ** 53) count++;
  return count;
}

function toProbability(array: NpyArray, name: string, source: string, N: number): Float64Array {
  const values = column(array, name, source, N);
  for (let n = 0; n < N; n++)
    if (!(values[n] >= 0 && values[n] <= 1))
      throw new DataError(source, `${name}[${n}] is ${values[n]}, expected a probability from 0 to 1`);
  return values;
}

function toNames({ shape, data }: NpyArray, { features: F }: Shape, source: string): readonly string[] {
  if (data instanceof Float64Array || shape.length !== 1 || shape[0] !== F)
    throw new DataError(source, `features has shape ${showShape(shape)}, expected ${F} names as text, as np.array(["open", …])`);
  if (data.includes("") || new Set(data).size !== F) throw new DataError(source, "features holds an empty name or one name twice");
  return data;
}

/** The names that `--features` gives, or null. */
export function nameFeatures({ features: F }: Shape, { features }: Pick<Wanted, "features">, source: string): readonly string[] | null {
  if (features !== undefined && features.length !== F)
    throw new DataError(source, `has ${F} features, but --features names ${features.length}: ${features.join(", ")}`);
  return features ?? null;
}

/** `names` of rows, which hold numbers alone. Throws DataError where one of them is a category, or is to be one. */
export function nameRows(
  names: readonly string[] | null,
  shape: Shape,
  source: string,
  { inputs, target, statics }: Pick<Wanted, "inputs" | "target" | "statics">,
): readonly string[] | null {
  const rows = names ?? target?.features ?? Array.from({ length: shape.features }, (_, f) => `f${f}`);
  const category = rows.find((name) => !statics.includes(name) && inputs?.of(name).kind === "category");
  if (category === undefined) return names;
  throw new DataError(
    source,
    `holds numbers alone, but ${show(category)} is a category of each row: give CSV, Parquet, Arrow or JSON lines`,
  );
}

function column(array: NpyArray, name: string, source: string, N: number | null): Float64Array {
  return toNumbers({ ...array, data: toArrayColumn(array, name, source, N) }, name, source);
}

function toNumbers({ data }: NpyArray, name: string, source: string): Float64Array {
  if (data instanceof Float64Array) return data;
  throw new DataError(source, `${name} holds text, expected numbers: save it with .astype('float64')`);
}
