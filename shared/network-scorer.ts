// Networks in the kernel's memory: who lies where is decided here, once, when they are loaded. A sequence's inputs are written once
// and read by every network of a member.
// Legend: N sequences, T steps, C channels, U units, B = ⌈U/4⌉ blocks of four units.
import { align, type Kernel, TANH_SCALE } from "./kernel-instance.ts";
import { LANES, longestFirst, sharesLength } from "./lanes.ts";
import { checkBatch, type EngineInputs, type MemberScorer } from "./member-scorer.ts";
import type { Network } from "./networks/lstm.ts";
import { MAX_TIMESTEPS } from "./sequence.ts";

/** Addresses in the kernel's memory, bytes, that networks share, one after the other. */
interface SharedMap {
  /** (T,C) of one sequence, or (8,T,C) */
  readonly inputs: number;
  /** The state of one sequence, or of eight: eight take more than one in blocks of four units. */
  readonly state: number;
  /** (8) logits */
  readonly results: number;
}

/** A network that lies in a kernel's memory. */
interface Resident {
  readonly network: Network;
  /** Packed weights, B blocks: address in bytes. */
  readonly weights: number;
  /** (1+U) bias and kernel of the head: address in bytes. */
  readonly head: number;
  readonly isHard: boolean;
  /**
   * The first step's number. The kernel takes the state for zeros at step 0. One that is not is put where step 2 finds it: steps of
   * even number share a buffer.
   */
  readonly start: 0 | 2;
}

/** Where networks, and what they share, lie in memory. */
interface NetworksMap extends SharedMap {
  readonly places: readonly Pick<Resident, "weights" | "head">[];
  /** The first byte behind all this. */
  readonly end: number;
}

function mapNetworks(networks: readonly Network[], first: number): NetworksMap {
  const C = networks[0]?.channels ?? 0;
  const maxUnits = networks.reduce((most, { units }) => Math.max(most, units), 0);
  const places: Pick<Resident, "weights" | "head">[] = [];
  let inputs = first;
  for (const { units: U, precision } of networks) {
    const weights = inputs;
    const rows = precision === undefined ? 1 + C + U : 2 + C + Math.ceil(U / 2);
    const head = align(weights + 64 * rows * Math.ceil(U / 4));
    places.push({ weights, head });
    inputs = align(head + 4 * (1 + U));
  }
  const state = align(inputs + 4 * LANES * MAX_TIMESTEPS * C);
  const pairs = networks.some(({ precision }) => precision !== undefined) ? Math.ceil(maxUnits / 2) : 0;
  const results = align(state + 4 * LANES * (2 * (C + maxUnits) + maxUnits + pairs));
  // Until it is packed, a network's (1+C+U,4U) matrix lies over its head and all that follows, where nothing lies yet.
  const end = networks.reduce((most, { units: U }, i) => Math.max(most, places[i].head + 16 * U * (1 + C + U)), results + 4 * LANES);
  return { places, inputs, state, results, end };
}

/** How much memory the networks of `groups` take: the first byte behind them, and behind what is needed to pack them. */
export function measureNetworks(kernel: Kernel, groups: readonly (readonly Network[])[]): number {
  return align(mapNetworks(groups.flat(), kernel.prepare()).end);
}

/**
 * Packs the networks of `groups` into the memory of a fresh kernel, which reaches as far as measureNetworks says and grows no more. All
 * of them have the same channels. A group's logit is the mean of its networks' float32 logits: one network's is itself.
 */
export function loadNetworks(kernel: Kernel, groups: readonly (readonly Network[])[]): MemberScorer[] {
  const networks = groups.flat();
  const map = mapNetworks(networks, kernel.prepare());
  const memory = new Float32Array(kernel.memory.buffer);
  const residents = networks.map((network, i) => packNetwork(kernel, memory, network, map.places[i]));
  let next = 0;
  return groups.map(({ length }) => {
    const own = residents.slice(next, next + length);
    next += length;
    return scoreGroup({ kernel, memory, map, C: own[0].network.channels, residents: own });
  });
}

/** Packs the weights, and puts the head where it lies from then on. */
function packNetwork(
  kernel: Kernel,
  memory: Float32Array,
  network: Network,
  { weights, head }: Pick<Resident, "weights" | "head">,
): Resident {
  const { channels: C, units: U, hardGates, precision, initial } = network;
  const isHard = hardGates !== undefined;
  memory.set(network.bias, head / 4);
  memory.set(network.kernel, head / 4 + 4 * U);
  memory.set(network.recurrent, head / 4 + 4 * U * (1 + C));
  // The activations take powers of two, or a hard sigmoid's slope and half.
  if (precision === "int16") kernel.packInt16(C, U, head, weights, -TANH_SCALE / 2, TANH_SCALE);
  else kernel.packWeights(C, U, head, weights, hardGates ?? -TANH_SCALE / 2, TANH_SCALE, isHard ? 0.5 : 0);
  memory.fill(0, head / 4, head / 4 + 4 * U * (1 + C + U)); // the rest of a fresh memory is zero: touching it takes pages
  memory[head / 4] = network.headBias[0];
  memory.set(network.headKernel, head / 4 + 1);
  return {
    network,
    weights,
    head,
    isHard,
    start: initial === undefined ? 0 : 2,
  };
}

/** Networks that speak as one. */
interface Group {
  readonly kernel: Kernel;
  readonly memory: Float32Array;
  readonly map: SharedMap;
  readonly C: number;
  readonly residents: readonly Resident[];
}

function scoreGroup(group: Group): MemberScorer {
  const K = group.residents.length;
  return (inputs, out, stride, first) => {
    const { lengths } = inputs;
    const T = checkBatch(inputs, group.C);
    const N = lengths.length;
    const sums = new Float64Array(N);
    if (N < LANES) for (let n = 0; n < N; n++) addOne(group, inputs, n, sums);
    else {
      const order = longestFirst(lengths, T);
      for (let at = 0; at < N; ) {
        if (sharesLength(lengths, order, at)) {
          addEight(group, inputs, T, order.subarray(at, at + LANES), sums);
          at += LANES;
        } else addOne(group, inputs, order[at++], sums);
      }
    }
    for (let n = 0; n < N; n++) out[first + n * stride] = sums[n] / K;
  };
}

/** Writes `rows` rows of `channels` from `from` on to the kernel's memory at `to` (in floats), in the order in which they are read. */
function copyRows(
  memory: Float32Array,
  to: number,
  channels: Float32Array,
  from: number,
  rows: number,
  C: number,
  backwards: boolean,
): void {
  const floats = rows * C;
  if (backwards) for (let row = from + floats - C; row >= from; row -= C) for (let c = 0; c < C; c++) memory[to++] = channels[row + c];
  else for (let i = 0; i < floats; i++) memory[to + i] = channels[from + i];
}

/** Writes the state before the first step, if it is not zeros, for `lanes` sequences side by side; a state has `rows` per unit's part. */
function copyInitial({ memory, map, C }: Group, { network: { units: U, initial } }: Resident, lanes: number, rows: number): void {
  if (initial === undefined) return;
  const hidden = map.state / 4 + C * lanes;
  const cell = map.state / 4 + 2 * (C + rows) * lanes;
  for (let u = 0; u < U; u++) {
    memory.fill(initial.hidden[u], hidden + u * lanes, hidden + (u + 1) * lanes);
    memory.fill(initial.cell[u], cell + u * lanes, cell + (u + 1) * lanes);
  }
}

/** Whether network `k` reads other rows than the one before it left in the inputs. */
function needsInputs(residents: readonly Resident[], k: number): boolean {
  return k === 0 || residents[k].network.backwards !== residents[k - 1].network.backwards;
}

/** Adds the logits of sequence `n` to `sums` (N). */
function addOne(group: Group, { channels, lengths }: EngineInputs, n: number, sums: Float64Array): void {
  const { kernel, memory, map, C, residents } = group;
  const length = lengths[n];
  const from = n * (channels.length / lengths.length);
  for (let k = 0; k < residents.length; k++) {
    const resident = residents[k];
    const { network, start } = resident;
    const U = network.units;
    if (needsInputs(residents, k)) copyRows(memory, map.inputs / 4, channels, from, length, C, network.backwards === true);
    copyInitial(group, resident, 1, 4 * Math.ceil(U / 4));
    const [weights, inputs] = [resident.weights, map.inputs - 4 * start * C];
    if (network.precision === "int16") kernel.advanceOneInt16(C, U, weights, inputs, map.state, start, start + length);
    else kernel.advanceOne(C, U, weights, inputs, map.state, start, start + length, resident.isHard);
    sums[n] += kernel.logitOne(C, U, resident.head, map.state, start + length);
  }
}

/**
 * Adds the logits of the eight sequences `lanes`, longest first, to `sums` (N). One that has ended stays in its lane, and what
 * becomes of it there is never read.
 */
function addEight(group: Group, { channels, lengths }: EngineInputs, T: number, lanes: Int32Array, sums: Float64Array): void {
  const { kernel, memory, map, C, residents } = group;
  const size = T * C;
  for (let k = 0; k < residents.length; k++) {
    const resident = residents[k];
    const { network, start } = resident;
    const U = network.units;
    const [weights, inputs] = [resident.weights, map.inputs - 4 * start * C];
    for (let lane = 0; lane < LANES && needsInputs(residents, k); lane++)
      copyRows(memory, map.inputs / 4 + lane * size, channels, lanes[lane] * size, lengths[lanes[lane]], C, network.backwards === true);
    copyInitial(group, resident, LANES, U);
    let reached = 0;
    for (let lane = LANES - 1; lane >= 0; lane--) {
      const n = lanes[lane];
      if (lengths[n] > reached) {
        const [from, to] = [start + reached, start + lengths[n]];
        if (network.precision === "int16") kernel.advanceEightInt16(C, U, weights, inputs, 4 * size, map.state, from, to);
        else kernel.advanceEight(C, U, weights, inputs, 4 * size, map.state, from, to, resident.isHard);
        reached = lengths[n];
        kernel.logitEight(C, U, resident.head, map.state, to, map.results);
      }
      sums[n] += memory[map.results / 4 + lane];
    }
  }
}
