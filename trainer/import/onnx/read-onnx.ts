// An ONNX file → ImportedNetwork: the one LSTM by its constants, what is around the LSTM by asking the graph itself.
// Legend: T steps, F features, U units.
import { DataError } from "../../../shared/errors.ts";
import { plainFront } from "../contract/front.ts";
import type { ImportedNetwork } from "../contract/imported-network.ts";
import { rejectFile } from "../contract/reject-file.ts";
import type { Beside, Said } from "../contract/said.ts";
import { checkWeights, type Graph, readGraph } from "./file.ts";
import { readFront, readInitial } from "./front.ts";
import { checkOrder } from "./graph-order.ts";
import { type Head, readHead } from "./head.ts";
import { answerOf, describeLengths, findLayout, type Layout } from "./layout.ts";
import { isQuickstepExport, readQuickstepExport } from "./quickstep-export.ts";
import { readLayers } from "./read-layers.ts";
import { describeSettings, findRecurrent, type RecurrentGraph } from "./recurrent.ts";

/** Reads a graph of layers. `said` is what the user says; `beside` reads weights from other files. Throws DataError naming what does not fit. */
export function readOnnx(bytes: Uint8Array, source: string, { timesteps, isLogit = false }: Said, beside: Beside): ImportedNetwork {
  const graphOfFile = readGraph(bytes, source, beside);
  checkOrder(graphOfFile, source);
  if (isQuickstepExport(graphOfFile) && graphOfFile.metadata.has("members"))
    rejectFile(source, "is an export of several members", "import reads one network: use the artifact that the file was exported from");
  if (isQuickstepExport(graphOfFile)) return readQuickstepExport(graphOfFile, source);
  checkWeights(graphOfFile, source);
  // Asked with other numbers, a graph that chooses may answer by another branch
  if (graphOfFile.nodes.some(({ operator }) => operator === "If")) return readLayers(graphOfFile, source, timesteps, isLogit);
  try {
    return readPlain(graphOfFile, source, timesteps);
  } catch (error) {
    // Whatever is no LSTM with a linear head is read as layers, or refused by what no layer is
    if (!(error instanceof DataError)) throw error;
    return readLayers(graphOfFile, source, timesteps, isLogit);
  }
}

/** One LSTM and a linear head, found by asking the graph. Throws DataError where the graph is anything else. */
function readPlain(graphOfFile: Graph, source: string, timesteps: number | null): ImportedNetwork {
  const recurrent = findRecurrent(graphOfFile, source);
  const layout = findLayout(recurrent, timesteps);
  const initial = readInitial(recurrent, layout);
  const front = readFront(recurrent, layout);
  const head = readHead(recurrent, layout);
  const { graph, lstm, F } = recurrent;
  return {
    format: `ONNX, opset ${graph.opset}, from ${graph.producer || "an unnamed producer"}`,
    findings: describe(recurrent, layout, head, initial !== undefined, front !== null),
    timesteps: layout.isFree ? null : layout.T,
    padding: layout.lengths === null ? "none" : "leading",
    front: front ?? plainFront(F),
    network: { ...lstm, headKernel: head.weights, headBias: head.bias, ...(initial && { initial }) },
    forward: (rows) => forward(recurrent, layout, head, rows),
  };
}

function describe({ settings, F, U }: RecurrentGraph, layout: Layout, { classes }: Head, hasInitial: boolean, hasFront: boolean): string[] {
  const axes = layout.batchFirst ? "sequences, steps" : "steps, sequences";
  return [
    `LSTM(${U}) on ${F} features, ${settings.reverse ? "reverse" : "forward"}, layout ${settings.batchFirst ? 1 : 0}; biases Wb and Rb summed`,
    ...describeSettings(settings, hasInitial),
    `input ${layout.input} is (${axes}, features)${hasFront ? "; what the graph does to features in front is folded into the recipe" : ""}`,
    classes === 2
      ? "head: a softmax of two, taken as a sigmoid of their difference: the probability of class 1"
      : "head: linear and a sigmoid",
    describeLengths(layout),
  ];
}

/** The whole graph, evaluated: `rows` (L,F) → probability. */
function forward({ graph, source, F }: RecurrentGraph, layout: Layout, { output, classes }: Head, rows: Float64Array): number {
  const answer = answerOf(graph, layout, F, output, rows, source);
  return classes === 2 ? answer[1] : answer[0];
}
