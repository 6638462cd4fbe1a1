// Layer normalizations that exporters write in small operators (mean, squared differences, a root, scales): found at their roots, and asked
// with numbers whether they are one.
// Legend: W width.
import { DataError } from "../../../shared/errors.ts";
import { createRandom, type Random } from "../../statistics/random.ts";
import { STREAMS } from "../../statistics/random-streams.ts";
import { makersOf, readBy } from "./dependence.ts";
import type { Graph } from "./file.ts";
import { createEvaluator } from "./interpreter.ts";
import { near } from "./layout.ts";
import type { Node, Tensor } from "./operators/node.ts";

/** γ (x − the row's mean) / √(its variance + ε) + β over the last axis of the tensor `input`; γ and β (W). */
export interface Normalisation {
  readonly input: string;
  readonly gamma: Float64Array;
  readonly beta: Float64Array;
  readonly epsilon: number;
}

/** How many tensors in front of a root and behind it are looked at: Keras' exports have 4 and 6. */
const MAX_AWAY = 12;

/** An artifact holds as many layers. */
const MAX_ROOTS = 64;

/** The normalizations of a graph, by the tensors that they leave. `numbers` has the sizes of tensors; `depends` holds those that sequences make. */
export function findNormalisations(
  graph: Graph,
  depends: ReadonlySet<string>,
  numbers: (name: string) => Tensor,
  source: string,
): ReadonlyMap<string, Normalisation> {
  const makers = makersOf(graph);
  const found = new Map<string, Normalisation>();
  const readers = (name: string): readonly string[] =>
    graph.nodes.filter((node) => readBy(node).includes(name)).flatMap(({ outputs }) => outputs);
  const inputsOf = (name: string): readonly string[] => readBy(makers.get(name) ?? NOTHING).filter((one) => depends.has(one));
  const roots = graph.nodes.filter(({ operator, inputs }) => operator === "Sqrt" && depends.has(inputs[0]));
  for (const { inputs, outputs } of roots.slice(0, MAX_ROOTS)) {
    const behind = nearest(outputs[0], readers);
    for (const input of nearest(inputs[0], inputsOf))
      for (const output of behind) {
        if (found.has(output) || !isMadeOf(output, input, inputsOf)) continue;
        const one = attemptToRead(() => ask(graph, { input, output, variance: inputs[0] }, numbers(input), source));
        if (one) found.set(output, one);
      }
  }
  return found;
}

const NOTHING: Node = { operator: "", name: "", inputs: [], outputs: [], attributes: new Map() };

/** Names that `next` leads to from `start`, the nearest first. */
function nearest(start: string, next: (name: string) => readonly string[]): string[] {
  const found = new Set([start]);
  for (const name of found) if (found.size < MAX_AWAY) for (const one of next(name)) found.add(one);
  return [...found];
}

/** Whether every way from the sequences to `output` leads through `input`. */
function isMadeOf(output: string, input: string, inputsOf: (name: string) => readonly string[]): boolean {
  if (output === input) return false;
  const seen = new Set([output]);
  for (const name of seen) {
    if (name === input) continue;
    const before = inputsOf(name);
    if (before.length === 0) return false;
    for (const one of before) seen.add(one);
  }
  return seen.has(input);
}

/** What cannot be evaluated is no normalization. */
function attemptToRead<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (error instanceof DataError) return undefined;
    throw error;
  }
}

interface Region {
  readonly input: string;
  readonly output: string;
  /** The tensor under the root. */
  readonly variance: string;
}

/** The normalization that a region computes, of which zeros tell ε and β, one row γ, and all the others that it is one; undefined where it is none. */
function ask(graph: Graph, { input, output, variance }: Region, { dims, data }: Tensor, source: string): Normalisation | undefined {
  const W = dims[dims.length - 1];
  const evaluate = (values: Float64Array) => createEvaluator(graph, new Map([[input, { dims, data: values }]]), source);
  const ofZeros = evaluate(new Float64Array(data.length));
  const [epsilon] = ofZeros(variance).data;
  const beta = ofZeros(output).data.slice(0, W);
  if (W < 2 || !(epsilon > 0) || String(ofZeros(output).dims) !== String(dims)) return undefined;
  const random = createRandom(3, STREAMS.generatedData);
  const [fitted, checked] = [drawn(random, data.length), drawn(random, data.length)];
  const first = normalise(fitted.subarray(0, W), epsilon);
  const answers = evaluate(fitted)(output).data;
  const gamma = answers.slice(0, W).map((value, w) => (value - beta[w]) / first[w]);
  const fits = (values: Float64Array, got: Float64Array): boolean => {
    let row = values;
    return got.every((value, at) => {
      const w = at % W;
      if (w === 0) row = normalise(values.subarray(at, at + W), epsilon);
      return near(value, gamma[w] * row[w] + beta[w]);
    });
  };
  return fits(fitted, answers) && fits(checked, evaluate(checked)(output).data) ? { input, gamma, beta, epsilon } : undefined;
}

function drawn(random: Random, count: number): Float64Array {
  return Float64Array.from({ length: count }, () => random.normal());
}

function normalise(row: Float64Array, epsilon: number): Float64Array {
  const mean = row.reduce((sum, x) => sum + x) / row.length;
  const variance = row.reduce((sum, x) => sum + (x - mean) ** 2, 0) / row.length;
  return row.map((x) => (x - mean) / Math.sqrt(variance + epsilon));
}
