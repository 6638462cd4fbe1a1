// Makes probabilities of channels and columns with the WASM kernel: members' logits, their stack, calibration. Takes a compiled
// module, since workerd compiles none at run time. Knows no recipe and no artifact.
// Legend: N sequences, T steps, C channels, V columns, M members.
import { ArtifactError } from "./errors.ts";
import { loadForest, measureForest } from "./forest/forest-scorer.ts";
import { growMemory, instantiateKernel, type Kernel } from "./kernel-instance.ts";
import { loadLayers } from "./layers/layers-scorer.ts";
import { type LinearClassifier, linearLogit } from "./linear.ts";
import type { EngineInputs, MemberScorer } from "./member-scorer.ts";
import { type Member, type Predictor, stackLogit } from "./members.ts";
import { loadNetworks, measureNetworks } from "./network-scorer.ts";
import { openSeriesColumns, type SeriesColumns } from "./series-columns.ts";

export { instantiateKernel, type Kernel } from "./kernel-instance.ts";
export type { EngineInputs } from "./member-scorer.ts";

export interface Engine {
  /** Which implementation answers: `wasm`, or `onnxruntime-web` where edge/worker-onnx.ts runs. */
  readonly name: string;
  /** How far its probabilities may lie from the trainer's, absolute; 0 where it is left out. */
  readonly tolerance?: number;
  /** Computes what the view's columns are taken from; left out by an engine that no view's model runs on. */
  readonly series?: SeriesColumns;
  /** (N) float32 probabilities, the same bits for any N. `shift` is added to the calibrated logits, default 0. */
  probabilities(inputs: EngineInputs, shift?: number): Float32Array;
  /** Bytes of memory outside JavaScript's heap, by now: networks of layers take theirs when they first score, trees that of batches with the first of these. */
  memoryBytes?(): number;
}

/** An engine that knows its members. */
export interface MemberEngine extends Engine {
  /** (N,M) each member's own logit, before it is limited, weighted and calibrated. */
  memberLogits(inputs: EngineInputs): Float64Array;
}

/** The engine of a model's members. Memory is taken here and as memoryBytes says, and never more, whatever N: sequences go through in blocks. */
export function createWasmEngine(module: WebAssembly.Module, { members, stack, calibration }: Predictor): MemberEngine {
  const kernel = instantiateKernel(module);
  const kernels = [kernel];
  const scorers = loadMembers(module, kernels, members);
  const M = members.length;
  const memberLogits = (inputs: EngineInputs): Float64Array => {
    const logits = new Float64Array(inputs.lengths.length * M);
    if (logits.length > 0) for (let m = 0; m < M; m++) scorers[m](inputs, logits, M, m);
    return logits;
  };
  const { slope, intercept } = calibration;
  return {
    name: "wasm",
    series: openSeriesColumns(kernel),
    memberLogits,
    memoryBytes: () => kernels.reduce((sum, { memory }) => sum + memory.buffer.byteLength, 0),
    probabilities(inputs, shift = 0) {
      const N = inputs.lengths.length;
      const logits = memberLogits(inputs);
      const out = new Float32Array(N);
      const shifted = intercept + shift;
      for (let n = 0; n < N; n++)
        out[n] =
          stack === undefined
            ? kernel.calibrate(logits[n], slope, shifted)
            : 1 / (1 + kernel.exp(-(slope * stackLogit(stack, logits, n * M) + shifted)));
      return out;
    },
  };
}

/** All memory is taken first: views of it stay good. Networks of layers have instances of their own, which join `kernels`, of one so far. */
function loadMembers(module: WebAssembly.Module, kernels: Kernel[], members: readonly Member[]): MemberScorer[] {
  const [kernel] = kernels;
  const groups = members.flatMap((member) => (member.kind === "lstm" ? [member.networks] : []));
  const forests = members.flatMap((member) => (member.kind === "trees" ? [member.ensemble] : []));
  const starts: number[] = [];
  let end = measureNetworks(kernel, groups);
  for (const ensemble of forests) {
    starts.push(end);
    end = measureForest(ensemble, end);
  }
  growMemory(kernel, end);
  const networkScorers = loadNetworks(kernel, groups);
  const load = (member: Member): MemberScorer => {
    switch (member.kind) {
      case "lstm":
        return networkScorers[groups.indexOf(member.networks)];
      case "layers":
        return loadLayers(() => another(module, kernels), member.networks);
      case "trees":
        return loadForest(kernel, member.ensemble, starts[forests.indexOf(member.ensemble)], () => another(module, kernels));
      case "linear":
        return scoreLinear(member.classifier);
      case "onnx":
        throw new ArtifactError(
          "the artifact's network is an ONNX graph, which the second engine runs: put it at edge/model.onnx, the artifact at edge/model.safetensors, and use wrangler dev --env onnx (docs/operations.md)",
        );
    }
  };
  return members.map(load);
}

function another(module: WebAssembly.Module, kernels: Kernel[]): Kernel {
  const kernel = instantiateKernel(module);
  kernels.push(kernel);
  return kernel;
}

function scoreLinear(classifier: LinearClassifier): MemberScorer {
  return ({ columns, lengths: { length: N } }, out, stride, first) => {
    if (columns === undefined) throw new RangeError("columns must be given, since a member looks at them");
    const V = columns.length / N;
    for (let n = 0; n < N; n++) out[first + n * stride] = linearLogit(classifier, columns, n * V);
  };
}
