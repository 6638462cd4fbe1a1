// One set of sequences, written in every form of names that people's tools give it, for tests that read it back.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { decodeArtifact } from "../../../shared/artifact/artifact.ts";
import { readBatches } from "../../../trainer/readers/data-files.ts";
import { fillFrom, type ReadOptions } from "../../../trainer/readers/options.ts";

export const FEATURES: readonly string[] = ["open", "high", "low", "close", "volume"];
export const T = 10;
const F = FEATURES.length;

/** The deployed sample, which takes 10 steps of FEATURES. */
export const model = decodeArtifact(readFileSync(fileURLToPath(new URL("../../../edge/model.safetensors", import.meta.url))));

export interface ReadBack {
  /** (N) sequences of T·F numbers, shorter ones as short as they are */
  readonly values: number[][];
  readonly columns: Readonly<Record<string, readonly unknown[]>>;
}

/** Reads a file as `score` does: for the sample, without labels. */
export async function readForModel(path: string, options: ReadOptions = {}): Promise<ReadBack> {
  const values: number[][] = [];
  const columns: Record<string, unknown[]> = {};
  for await (const batch of readBatches([path], { ...fillFrom(options, model.recipe), ignoreLabels: true })) {
    const size = batch.shape.timesteps * batch.shape.features;
    for (let n = 0; n * size < batch.values.length; n++) values.push(Array.from(batch.values.subarray(n * size, (n + 1) * size)));
    for (const [key, column] of Object.entries(batch.columns)) (columns[key] ??= []).push(...column);
  }
  return { values, columns };
}

type Way = readonly [example: string, write: (feature: string, t: number) => string];

const lag = (t: number): number => T - 1 - t;

/** Ways of writing step t of T, the oldest is 0, that say one thing only. */
export const WAYS: readonly Way[] = [
  ["open_0", (f, t) => `${f}_${t}`],
  ["open_1 … open_10", (f, t) => `${f}_${t + 1}`],
  ["open_00", (f, t) => `${f}_${String(t).padStart(2, "0")}`],
  ["open__0", (f, t) => `${f}__${t}`],
  ["open.0", (f, t) => `${f}.${t}`],
  ["open 0", (f, t) => `${f} ${t}`],
  ["open[0]", (f, t) => `${f}[${t}]`],
  ["open(0)", (f, t) => `${f}(${t})`],
  ["open-0", (f, t) => `${f}-${t}`],
  ["open0", (f, t) => `${f}${t}`],
  ["t0_open", (f, t) => `t${t}_${f}`],
  ["0_open", (f, t) => `${t}_${f}`],
  ["step0.open", (f, t) => `step${t}.${f}`],
  ["open_t0", (f, t) => `${f}_t${t}`],
  ["open_t-9 … open_t0", (f, t) => `${f}_t${t === T - 1 ? "0" : `-${lag(t)}`}`],
  ["open_t-9 … open_t", (f, t) => `${f}_t${t === T - 1 ? "" : `-${lag(t)}`}`],
  ["open_-9 … open_0", (f, t) => `${f}_${t === T - 1 ? "0" : `-${lag(t)}`}`],
  ["open(t-9) … open(t)", (f, t) => `${f}(t${t === T - 1 ? "" : `-${lag(t)}`})`],
  ["open(t-10) … open(t-1)", (f, t) => `${f}(t-${T - t})`],
  ["open(t-4) … open(t+5)", (f, t) => `${f}(t${t < 4 ? t - 4 : t === 4 ? "" : `+${t - 4}`})`],
  ["open_lag9 … open_lag0", (f, t) => `${f}_lag${lag(t)}`],
  ["open_lag10 … open_lag1", (f, t) => `${f}_lag${T - t}`],
  ["open_lag_9", (f, t) => `${f}_lag_${lag(t)}`],
  ["open.Lag.9", (f, t) => `${f}.Lag.${lag(t)}`],
  ["lag9_open", (f, t) => `lag${lag(t)}_${f}`],
  ["open_shift9", (f, t) => `${f}_shift${lag(t)}`],
  ["open_lag9 … open", (f, t) => (t === T - 1 ? f : `${f}_lag${lag(t)}`)],
  ["open_lag9 … open(t)", (f, t) => (t === T - 1 ? `${f}(t)` : `${f}_lag${lag(t)}`)],
  ["open(t−9) … open(t), with a typesetter's minus", (f, t) => `${f}(t${t === T - 1 ? "" : `\u2212${lag(t)}`})`],
  ["open_t-10 … open_t-1", (f, t) => `${f}_t-${T - t}`],
  ["open_tm9 … open_tm0", (f, t) => `${f}_tm${lag(t)}`],
  ["open_t_minus_9", (f, t) => `${f}_t_minus_${lag(t)}`],
  ["open_prior10", (f, t) => `${f}_prior${T - t}`],
  ["open_10_days_ago", (f, t) => `${f}_${T - t}_days_ago`],
  ["10_ago_open", (f, t) => `${T - t}_ago_${f}`],
  ["openLag9", (f, t) => `${f}Lag${lag(t)}`],
  ["open (lag 9)", (f, t) => `${f} (lag ${lag(t)})`],
  ["open.shift(9)", (f, t) => `${f}.shift(${lag(t)})`],
  ["lag(open, 9)", (f, t) => `lag(${f}, ${lag(t)})`],
  ["('open', 0.0)", (f, t) => `('${f}', ${t}.0)`],
  ["('open', 0)", (f, t) => `('${f}', ${t})`],
  ["('open', '0')", (f, t) => `('${f}', '${t}')`],
  ["(0, 'open')", (f, t) => `(${t}, '${f}')`],
];

/** A column of a table: its name, and its cell in each of N rows. */
export interface Column {
  readonly name: string;
  readonly cells: readonly string[];
}

/** The columns of sequences (N,T,F), step by step, named by a way of writing. */
export function toColumns(sequences: readonly (readonly number[])[], write: Way[1]): Column[] {
  return Array.from({ length: T * F }, (_, i) => ({
    name: write(FEATURES[i % F], Math.floor(i / F)),
    cells: sequences.map((sequence) => String(sequence[i])),
  }));
}

/** Text with cells in quotes where they hold the separator, as csv.writer does. */
export function toCsv(columns: readonly Column[], separator = ","): string {
  const quote = (cell: string): string => (cell.includes(separator) || cell.includes('"') ? `"${cell.replaceAll('"', '""')}"` : cell);
  const line = (cells: readonly string[]): string => `${cells.map(quote).join(separator)}\n`;
  return line(columns.map(({ name }) => name)) + columns[0].cells.map((_, n) => line(columns.map(({ cells }) => cells[n]))).join("");
}
