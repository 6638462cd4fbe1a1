// A state dict of PyTorch → ImportedNetwork: torch.nn.LSTM(F, U) and torch.nn.Linear(U, 1), whatever the modules are called. Names and
// shapes: trainer/export/torch-layout.ts. Definition: docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html.
// Legend: T steps, F features, U units; gates i,f,g,o.
import type { Calibration, Network } from "../../../shared/networks/lstm.ts";
import {
  LSTM_GATES,
  METADATA_KEY,
  RECURRENT_MODULES,
  RECURRENT_PARAMETER,
  type RecurrentParameter,
  recurrentShapes,
  transpose,
} from "../../export/torch-layout.ts";
import { parseExportMetadata } from "../contract/export-metadata.ts";
import { plainFront } from "../contract/front.ts";
import { type ImportedNetwork, MAX_UNITS, sigmoid } from "../contract/imported-network.ts";
import { rejectFile, SECOND_ENGINE } from "../contract/reject-file.ts";
import type { Said } from "../contract/said.ts";
import { TORCH_SUPPORTED, unsupportedWords } from "./description.ts";
import type { Safetensors } from "./safetensors.ts";

type Tensors = Safetensors["tensors"];

/** The LSTM's arrays as the file has them. */
interface Lstm {
  readonly F: number;
  readonly U: number;
  /** (4U,F) and (4U,U) */
  readonly inputs: Float64Array;
  readonly states: Float64Array;
  /** (4U) each */
  readonly inputBias: Float64Array;
  readonly stateBias: Float64Array;
}

/** Linear(U, 1) and a sigmoid, or Linear(U, 2) and a softmax whose second number is the probability of label 1. */
interface Head {
  readonly name: string;
  readonly K: 1 | 2;
  /** (K,U) and (K) */
  readonly kernel: Float64Array;
  readonly bias: Float64Array;
}

/** Parameters of what torch.nn.LSTM can do beyond quickstep's network: by name, what it is and what to do. */
const UNSUPPORTED_PARAMETERS: readonly [pattern: RegExp, problem: string, fix: string][] = [
  [/_reverse$/, "is bidirectional", SECOND_ENGINE],
  [/_l[1-9]\d*$/, "has several layers", SECOND_ENGINE],
  [/weight_hr_l0$/, "has projections", SECOND_ENGINE],
];

const NO_CALIBRATION: Calibration = { slope: 1, intercept: 0 };

/**
 * Reads the state dict of one LSTM(F, U) and one Linear(U, 1). Throws DataError naming what does not fit, and where neither the forward
 * pass is `said` nor outputs of the model are there to prove it: a state dict holds weights alone.
 */
export function readTorch({ tensors, metadata }: Safetensors, source: string, said: Said): ImportedNetwork {
  if (metadata[METADATA_KEY] !== undefined) rejectStackMember(metadata[METADATA_KEY], source);
  const names = [...tensors.keys()];
  const prefix = findRecurrentModule(names, source);
  const parameters = names.filter((name) => name.startsWith(prefix) && RECURRENT_PARAMETER.test(name.slice(prefix.length)));
  rejectUnsupported(parameters, prefix, source);
  const lstm = readLstm(tensors, prefix, source);
  const others = names.filter((name) => !parameters.includes(name));
  const head = readLinear(tensors, others, lstm.U, source);
  const exportMetadata = metadata[METADATA_KEY] === undefined ? undefined : parseExportMetadata(metadata[METADATA_KEY], lstm.F, source);
  const { F, U } = lstm;
  if (!exportMetadata) checkSaid(said, head, names, source);
  return {
    format: exportMetadata ? "PyTorch safetensors, as quickstep exports it" : "PyTorch safetensors",
    findings: [
      `${prefix}LSTM(${F}, ${U}) → ${head.name.replace(/\.?weight$/, "") || "Linear"}(${U}, ${head.K}); the two biases are summed`,
      ...(exportMetadata
        ? []
        : [
            `the last state is read, and ${head.K === 2 ? "a softmax, whose second number is the probability of label 1," : "a sigmoid"} follows the Linear: ${said.torch ? "as --torch says" : "assumed, and proved by --check"}`,
          ]),
    ],
    timesteps: null,
    padding: exportMetadata?.recipe.padding ?? null,
    front: plainFront(F),
    network: networkOf(lstm, head),
    forward: (rows) => forward(lstm, head, exportMetadata?.calibration ?? NO_CALIBRATION, rows),
    exportMetadata,
  };
}

/** Throws DataError where the export holds one member of several. */
function rejectStackMember(exported: string, source: string): void {
  if (!/"stack":/.test(exported)) return;
  rejectFile(
    source,
    "is an export of one member of several: import reads one network",
    "the artifact that was exported holds the whole model",
  );
}

/** Throws DataError where the forward pass is not said, or is one that quickstep does not run. */
function checkSaid({ torch, isChecked }: Said, head: Head, names: readonly string[], source: string): void {
  const unsupported = torch ? unsupportedWords(torch) : [];
  if (unsupported.length > 0)
    rejectFile(source, `computes ${unsupported.join(", ")}, as --torch says`, `quickstep runs "${TORCH_SUPPORTED}"; ${SECOND_ENGINE}`);
  if (torch || isChecked) return;
  rejectFile(
    source,
    `is a state dict, which does not hold the forward pass${hintOf(head.name, names)}`,
    `say --torch "${TORCH_SUPPORTED}" if the last state alone goes through the Linear and a ${head.K === 2 ? "softmax" : "sigmoid"}, or prove the import with --check pairs.npz (X and p, some inputs and outputs of the model)`,
  );
}

/** `fc.1` without `fc.0`: something without weights stands between. */
function hintOf(name: string, names: readonly string[]): string {
  const [, stem, number] = name.match(/^(.*?)(\d+)\.weight$/) ?? [];
  if (!(Number(number) > 0) || names.some((other) => other.startsWith(`${stem}${Number(number) - 1}.`))) return "";
  return `: ${stem}${number} has no ${stem}${Number(number) - 1}, so something without weights stands in front of it`;
}

/** What the names of the only recurrent module begin with: `lstm.`, or nothing. */
function findRecurrentModule(names: readonly string[], source: string): string {
  const found = names.filter((name) => /(^|\.)weight_ih_l0$/.test(name));
  if (found.length !== 1)
    rejectFile(
      source,
      found.length === 0
        ? `holds no LSTM: none of its tensors (${names.slice(0, 5).join(", ")}) is named …weight_ih_l0`
        : `holds ${found.length} recurrent modules (${found.join(", ")})`,
      "quickstep reads the state dict of one torch.nn.LSTM and one torch.nn.Linear",
    );
  return found[0].slice(0, -"weight_ih_l0".length);
}

function rejectUnsupported(parameters: readonly string[], prefix: string, source: string): void {
  for (const [pattern, problem, fix] of UNSUPPORTED_PARAMETERS) {
    const name = parameters.find((parameter) => pattern.test(parameter));
    if (name) rejectFile(source, `${prefix.slice(0, -1) || "the LSTM"} ${problem} (${name})`, fix);
  }
}

function readLstm(tensors: Tensors, prefix: string, source: string): Lstm {
  const parameter = (name: RecurrentParameter) => tensors.get(prefix + name);
  const [inputs, states] = [parameter("weight_ih_l0"), parameter("weight_hh_l0")];
  if (inputs?.shape.length !== 2 || states?.shape.length !== 2)
    return rejectFile(source, `lacks ${prefix}weight_hh_l0`, "save the whole state dict");
  const [rows, F] = inputs.shape;
  const U = states.shape[1];
  const module = RECURRENT_MODULES[rows / U];
  if (module && rows / U !== LSTM_GATES) rejectFile(source, `holds a ${module} (${rows} rows for ${U} units)`, SECOND_ENGINE);
  const shapes = recurrentShapes(LSTM_GATES, F, U);
  if (
    String(inputs.shape) !== String(shapes.weight_ih_l0) ||
    String(states.shape) !== String(shapes.weight_hh_l0) ||
    U < 1 ||
    U > MAX_UNITS
  )
    rejectFile(
      source,
      `${prefix}weight_ih_l0 is (${inputs.shape.join(", ")}) and ${prefix}weight_hh_l0 is (${states.shape.join(", ")})`,
      `expected (4·units, features) and (4·units, units), 1 to ${MAX_UNITS} units`,
    );
  const biases = [parameter("bias_ih_l0"), parameter("bias_hh_l0")];
  if (biases.some((bias) => bias !== undefined && bias.data.length !== LSTM_GATES * U))
    rejectFile(source, `${prefix}bias has not ${LSTM_GATES * U} numbers`, "the file is damaged: save the state dict again");
  const [inputBias, stateBias] = biases.map((bias) => bias?.data ?? new Float64Array(LSTM_GATES * U)); // bias=False
  return { F, U, inputs: inputs.data, states: states.data, inputBias, stateBias };
}

/** The one Linear(U, 1) or Linear(U, 2) among the tensors beside the LSTM. */
function readLinear(tensors: Tensors, others: readonly string[], U: number, source: string): Head {
  const isHead = ([rows, columns, ...more]: readonly number[]): boolean => (rows === 1 || rows === 2) && columns === U && more.length === 0;
  const weights = others.filter((name) => isHead(tensors.get(name)!.shape));
  if (weights.length !== 1)
    rejectFile(
      source,
      `holds ${weights.length} tensors of shape (1, ${U}) or (2, ${U}) beside the LSTM (${others.join(", ") || "none"})`,
      `quickstep needs the weight of one torch.nn.Linear(units, 1) or (units, 2); ${SECOND_ENGINE}`,
    );
  const [name] = weights;
  const biasName = name.replace(/weight$/, "bias");
  const unknown = others.filter((other) => other !== name && other !== biasName);
  if (unknown.length > 0)
    rejectFile(source, `holds ${unknown.join(", ")}, unknown to quickstep`, `quickstep runs one LSTM and one Linear; ${SECOND_ENGINE}`);
  const { shape, data } = tensors.get(name)!;
  const K = shape[0] as 1 | 2;
  const bias = tensors.get(biasName)?.data ?? new Float64Array(K);
  if (bias.length !== K)
    rejectFile(source, `${biasName} has ${bias.length} numbers, expected ${K}`, "the file is damaged: save the state dict again");
  return { name, K, kernel: data, bias };
}

function networkOf({ F, U, inputs, states, inputBias, stateBias }: Lstm, head: Head): Network {
  return {
    channels: F,
    units: U,
    kernel: transpose(inputs, LSTM_GATES * U, F),
    recurrent: transpose(states, LSTM_GATES * U, U),
    bias: Float32Array.from(inputBias, (value, g) => value + stateBias[g]),
    headKernel: Float32Array.from({ length: U }, (_, u) => (head.K === 2 ? head.kernel[U + u] - head.kernel[u] : head.kernel[u])),
    headBias: Float32Array.of(head.K === 2 ? head.bias[1] - head.bias[0] : head.bias[0]),
  };
}

/** torch.nn.LSTM's equations, the Linear on the last state, and a calibrated sigmoid: `rows` (T,F) → probability. */
function forward({ F, U, inputs, states, inputBias, stateBias }: Lstm, head: Head, calibration: Calibration, rows: Float64Array): number {
  let h: Float64Array = new Float64Array(U);
  let c: Float64Array = new Float64Array(U);
  for (let t = 0; t * F < rows.length; t++) {
    const gate = (g: number): Float64Array =>
      Float64Array.from({ length: U }, (_, u) => {
        const row = g * U + u;
        let sum = inputBias[row] + stateBias[row];
        for (let f = 0; f < F; f++) sum += inputs[row * F + f] * rows[t * F + f];
        for (let v = 0; v < U; v++) sum += states[row * U + v] * h[v];
        return sum;
      });
    const [i, f, g, o] = [gate(0).map(sigmoid), gate(1).map(sigmoid), gate(2).map(Math.tanh), gate(3).map(sigmoid)];
    c = c.map((before, u) => f[u] * before + i[u] * g[u]);
    h = c.map((cell, u) => o[u] * Math.tanh(cell));
  }
  const logit = (k: number): number => h.reduce((sum, value, u) => sum + value * head.kernel[k * U + u], head.bias[k]);
  if (head.K === 2) return Math.exp(logit(1)) / (Math.exp(logit(0)) + Math.exp(logit(1)));
  return sigmoid(calibration.slope * logit(0) + calibration.intercept);
}
