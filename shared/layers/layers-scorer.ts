// A network of layers as a member: its own instance of the kernel, whose memory is laid out when the number of steps is first known.
// Legend: N sequences, T steps, C channels.
import type { Kernel } from "../kernel-instance.ts";
import { LANES, longestFirst, sharesLength } from "../lanes.ts";
import { checkBatch, type EngineInputs, type MemberScorer } from "../member-scorer.ts";
import type { LayeredNetwork } from "../networks/layers.ts";
import { packLayers } from "./pack-layers.ts";
import { createRunner, type LayersRunner } from "./run-layers.ts";

/** Too few for eight lanes. */
const ALL_ALONE = Int32Array.of(0, 1, 2, 3, 4, 5, 6);

/** A scorer of the mean of the networks' float32 logits: one network's is itself. The same bits alone and in any batch. */
export function loadLayers(instantiate: () => Kernel, networks: readonly LayeredNetwork[]): MemberScorer {
  const [{ channels: C }] = networks;
  const adders = networks.map((network) => loadNetwork(instantiate(), network));
  const K = adders.length;
  return (inputs, out, stride, first) => {
    const T = checkBatch(inputs, C);
    const { lengths } = inputs;
    const N = lengths.length;
    const order = N < LANES ? ALL_ALONE : longestFirst(lengths, T);
    const sums = new Float64Array(N);
    for (const addLogits of adders) addLogits(inputs, T, order, sums);
    for (let n = 0; n < N; n++) out[first + n * stride] = sums[n] / K;
  };
}

/** Adds a network's logits to `sums` (N); T steps and `order` are those of the inputs. */
type AddLogits = (inputs: EngineInputs, T: number, order: Int32Array, sums: Float64Array) => void;

/** Packs the network into a fresh instance. */
function loadNetwork(kernel: Kernel, network: LayeredNetwork): AddLogits {
  const { channels: C } = network;
  const packed = packLayers(kernel, network);
  let runner: LayersRunner | undefined;
  let steps = 0;
  return (inputs, T, order, sums) => {
    if (runner === undefined || T > steps) {
      runner = createRunner(kernel, packed, C, T);
      steps = T;
    }
    const { lengths } = inputs;
    for (let at = 0; at < lengths.length; ) {
      const lanes = sharesLength(lengths, order, at) ? LANES : 1;
      writeLanes(runner, inputs, C, order, at, lanes);
      for (let lane = 0; lane < LANES; lane++) runner.lengths[lane] = lengths[order[at + Math.min(lane, lanes - 1)]];
      const logits = runner.run(lanes);
      for (let lane = 0; lane < lanes; lane++) sums[order[at + lane]] += runner.memory[logits + lane];
      at += lanes;
    }
  };
}

/** Writes the rows of `lanes` sequences, from the one at `at` in `order` on, to where the runner reads them. */
function writeLanes(
  { memory, inputs }: LayersRunner,
  { channels, lengths }: EngineInputs,
  C: number,
  order: Int32Array,
  at: number,
  lanes: number,
): void {
  const size = channels.length / lengths.length;
  const width = 4 * Math.ceil(C / 4);
  for (let lane = 0; lane < lanes; lane++) {
    const n = order[at + lane];
    const from = n * size;
    for (let t = 0; t < lengths[n]; t++)
      for (let c = 0; c < C; c++) memory[inputs + (t * width + c) * lanes + lane] = channels[from + t * C + c];
  }
}
