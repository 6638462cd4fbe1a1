// Time series as sktime and aeon keep them, .ts, and the .arff of the UCR and UEA archives: one sequence a line. Bytes → batches.
// Formats: aeon-toolkit.org/en/stable/api_reference/file_specifications/ts.html, waikato.github.io/weka-wiki/formats_and_processing/arff_stable
// Legend: T steps, F features.
import { DataError } from "../../shared/errors.ts";
import { MAX_FEATURES, MAX_TIMESTEPS } from "../../shared/sequence.ts";
import type { Labels } from "../statistics/labels.ts";
import type { Batch, Wanted } from "./batch.ts";
import { parseNumber } from "./dialect.ts";
import { toUtf8 } from "./encoding.ts";
import { expectNumber, openLabels, toLabel } from "./issues.ts";
import { padInFront } from "./padding.ts";
import { show } from "./quoting.ts";

/** A line: its features' texts, each of as many steps, and its label. */
interface Line {
  readonly features: readonly (readonly string[])[];
  readonly label: string | null;
}

/** Reads a file as a whole. Throws DataError naming the line. */
export async function* readTimeSeries(
  chunks: AsyncIterable<Uint8Array>,
  source: string,
  format: "ts" | "arff",
  wanted: Wanted,
): AsyncGenerator<Batch> {
  if (wanted.columns.length > 0)
    throw new DataError(source, `holds no column ${show(wanted.columns[0])}: .${format} holds sequences and labels`);
  const parts: Uint8Array[] = [];
  for await (const part of toUtf8(chunks, source)) parts.push(part);
  const lines = Buffer.concat(parts).toString("utf8").split(/\r?\n/);
  const start = lines.findIndex((line) => /^@data\s*$/i.test(line.trim())) + 1;
  if (start === 0) throw new DataError(source, `has no line @data, which .${format} needs`);
  const split = format === "ts" ? splitTs(lines.slice(0, start), source) : splitArff(lines.slice(0, start), source);
  const numbers: number[] = [];
  const starts = [0];
  const labels: number[] = [];
  let F = 0;
  let isLabelled = false;
  for (let i = start; i < lines.length; i++) {
    if (lines[i].trim() === "" || /^[#%]/.test(lines[i])) continue;
    const place = `${source}: line ${i + 1}`;
    const { features, label } = split(lines[i].trim(), place);
    if (F === 0) F = features.length;
    addSequence(features, F, place, wanted, numbers);
    starts.push(numbers.length);
    isLabelled = label !== null;
    if (label !== null && wanted.labels) labels.push(toLabel(labelValue(label), "the label", place, wanted));
  }
  if (F === 0) throw new DataError(source, "holds no sequence");
  const timesteps = starts.reduce((longest, at, n) => Math.max(longest, n === 0 ? 1 : (at - starts[n - 1]) / F), 1);
  const shape = { timesteps, features: F };
  const hasLabels = wanted.labels && isLabelled;
  const beside = { labels: hasLabels ? fillLabels(labels, wanted) : null, labelName: hasLabels ? "class" : null };
  yield {
    values: padInFront(numbers, starts, timesteps * F),
    shape,
    ...beside,
    probability: null,
    features: null,
    dtype: null,
    test: null,
    columns: {},
  };
}

/** `1,2,3:4,5,6:label`: features one after the other. Throws DataError where times stand beside the numbers. */
function splitTs(head: readonly string[], source: string): (line: string, place: string) => Line {
  const said = (name: string): string | undefined =>
    head.map((line) => new RegExp(`^@${name}\\s+(.*)$`, "i").exec(line.trim())?.[1]).find((found) => found !== undefined);
  if (/^true/i.test(said("timestamps") ?? ""))
    throw new DataError(
      source,
      "holds times beside its numbers (@timeStamps true), which are not read here: write a CSV of rows, for --key and --time",
    );
  if (/^true/i.test(said("targetlabel") ?? ""))
    throw new DataError(source, "holds numbers to predict (@targetLabel true), expected two classes: @classLabel true");
  const isLabelled = /^true/i.test(said("classLabel") ?? "");
  return (line, place) => {
    const fields = line.split(":");
    const label = isLabelled ? (fields.pop() ?? "").trim() : null;
    if (label === "" || fields.length === 0) throw new DataError(place, "has no label behind its last colon");
    return { features: fields.map((field) => field.split(",")), label };
  };
}

/** An attribute of an .arff: `@attribute att0 numeric`, `@attribute target {1,2}`. */
interface Attribute {
  readonly name: string;
  readonly type: string;
}

const RELATIONAL = /^relational$/i;

/** `1,2,3,label`: one feature; `"1,2,3\n4,5,6",label`: as many as there are lines in quotes. Throws DataError where columns are no steps. */
function splitArff(head: readonly string[], source: string): (line: string, place: string) => Line {
  const attributes = head.flatMap((line): Attribute[] => {
    const [, , quoted, bare, type] = /^\s*@attribute\s+(?:(['"])(.*?)\1|(\S+?))\s*((?<=\s)\S.*|\{.*)$/i.exec(line) ?? [];
    return type === undefined ? [] : [{ name: quoted ?? bare, type: type.trim() }];
  });
  const isRelational = attributes.some(({ type }) => RELATIONAL.test(type));
  const steps = attributes.slice(0, -1).filter(({ type }) => !RELATIONAL.test(type));
  requireClasses(attributes.at(-1), source);
  requireSteps(
    steps.map(({ name }) => name),
    source,
  );
  return (line, place) => {
    const [, , rows, after] = isRelational ? (/^(['"])(.*)\1\s*,(.*)$/.exec(line) ?? []) : [];
    if (isRelational && rows === undefined) throw new DataError(place, "has no values in quotes and a class behind them");
    const cells = isRelational ? [] : line.split(",");
    const label = after ?? cells.pop() ?? "";
    const features = isRelational ? rows.split("\\n").map((row) => row.split(",")) : [cells];
    const odd = features.find(({ length }) => length !== steps.length);
    if (odd) throw new DataError(place, `has ${odd.length} values before the class, expected ${steps.length}, one an attribute`);
    return { features, label: label.trim().replace(/^(['"])(.*)\1$/, "$2") };
  };
}

/** Throws DataError where the last attribute does not list classes, or is not named for them. */
function requireClasses(last: Attribute | undefined, source: string): void {
  if (last && (/^\{.*\}$/.test(last.type) || /^(class|target|label|y)$/i.test(last.name))) return;
  throw new DataError(
    source,
    `has ${last ? `the last attribute ${show(last.name)} of type ${show(last.type)}` : "no attribute"}, expected the classes there, as "@attribute target {1,2}"`,
  );
}

/** Throws DataError where several attributes are not called one name with numbers that follow each other. */
function requireSteps(names: readonly string[], source: string): void {
  const numbers = names.map((name) => /^(.*?)(\d+)$/.exec(name));
  const isStep = (n: number): boolean => numbers[n]?.[1] === numbers[0]?.[1] && Number(numbers[n]?.[2]) === Number(numbers[0]?.[2]) + n;
  if (names.length === 1 || names.every((_, n) => isStep(n))) return;
  const listed = names.slice(0, 3).map(show).join(", ") + (names.length > 3 ? ", …" : "");
  throw new DataError(
    source,
    `has the attributes ${listed}, expected the steps of one feature, as att0, att1, …: write a CSV, whose header names features and steps`,
  );
}

/** Appends (T,F) numbers. Throws DataError. */
function addSequence(features: Line["features"], F: number, place: string, { onIssue, gaps, gapAdvice }: Wanted, out: number[]): void {
  const T = features[0].length;
  if (features.length !== F || F > MAX_FEATURES)
    throw new DataError(place, `has ${features.length} features, expected ${Math.min(F, MAX_FEATURES)}`);
  if (T > MAX_TIMESTEPS) throw new DataError(place, `has ${T} steps, expected at most ${MAX_TIMESTEPS}`);
  const other = features.find(({ length }) => length !== T);
  if (other) throw new DataError(place, `has features of ${T} and of ${other.length} steps, expected as many of each`);
  for (let t = 0; t < T; t++)
    for (const feature of features) {
      const cell = feature[t].trim();
      const number = cell === "?" ? Number.NaN : parseNumber(cell, ".");
      if (!(gaps && Number.isNaN(number)) && (number === undefined || !Number.isFinite(number)))
        onIssue(place, `step ${t} is ${show(cell)}, ${expectNumber(Number.isNaN(number), { gapAdvice })}`);
      out.push(number ?? Number.NaN);
    }
}

function labelValue(text: string): number | string {
  const number = parseNumber(text, ".");
  return number === undefined || Number.isNaN(number) ? text : number;
}

function fillLabels(labels: readonly number[], { softLabels }: Wanted): Labels {
  const all = openLabels(labels.length, softLabels);
  all.set(labels);
  return all;
}
