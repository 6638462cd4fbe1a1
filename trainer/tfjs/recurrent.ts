// One recurrent layer in the kernel, on typed arrays: forward, and the gradients of its latest forward pass. Knows no tfjs.
// Legend: B sequences of a batch, T steps, C channels, U units, G gates: 4 of an LSTM in order i,f,c,o, 3 of a GRU in order z,r,h.
import { cutBatch, sortByFallingLength } from "../training/batch-order.ts";
import { BACKWARD, FORWARD, REDUCE, TRANSPOSE } from "../training/kinds.ts";
import { packedLayerIndices } from "../training/parameters.ts";
import type { Device } from "./device.ts";
import { type LayerMap, mapLayer } from "./layer-memory.ts";
import { gatherShown, gatherSteps, planSteps, type Steps, scatterSteps, showOutputs } from "./steps.ts";

export interface RecurrentOptions {
  readonly cell: "lstm" | "gru";
  readonly units: number;
  /** Hard sigmoids for gates. */
  readonly hardGates: boolean;
  /** Whether every step's output is wanted. */
  readonly sequences: boolean;
  readonly backwards: boolean;
}

/** As tfjs and Keras lay weights out: (C,GU), (U,GU), and (GU) or none. */
export interface LayerWeights {
  readonly kernel: ArrayLike<number>;
  readonly recurrent: ArrayLike<number>;
  readonly bias?: ArrayLike<number>;
}

export interface LayerInputs {
  readonly batch: number;
  readonly timesteps: number;
  readonly channels: number;
  /** (B,T,C) */
  readonly x: Float32Array;
  /** (B,T), 0 where a step is passed over */
  readonly mask?: ArrayLike<number>;
  /** (B,U) states and cells before the first step; zeros where there are none */
  readonly states?: Float32Array;
  readonly cells?: Float32Array;
}

/** States after every step (B,T,U), where they are wanted, and after the last one; an LSTM's cells after the last step. All (B,U). */
export interface LayerOutputs {
  readonly outputs?: Float32Array;
  readonly states: Float32Array;
  readonly cells?: Float32Array;
}

/** Of all that went forward. */
export interface LayerGradients {
  readonly x: Float32Array;
  readonly kernel: Float32Array;
  readonly recurrent: Float32Array;
  readonly bias: Float32Array;
  readonly states?: Float32Array;
  readonly cells?: Float32Array;
}

interface Placed {
  readonly map: LayerMap;
  /** Where the arena had room. */
  readonly base: number;
  readonly shape: Pick<LayerInputs, "batch" | "timesteps" | "channels">;
  /** Where the kernel keeps each weight. */
  readonly packed: Int32Array;
}

/** What the latest forward pass was given, as long as its activations are there. */
interface Pass {
  readonly inputs: LayerInputs;
  readonly steps: Steps;
}

type Buffer = keyof LayerMap["addresses"];

/** A layer that has no memory before its first pass, and takes as much as its largest batch needs. */
export class KernelLayer {
  /** Counts forward passes: only the latest one's activations are there. */
  passes = 0;
  private readonly device: Device;
  private readonly options: RecurrentOptions;
  private readonly gates: number;
  private placed: Placed | undefined;
  private pass: Pass | undefined;

  constructor(device: Device, options: RecurrentOptions) {
    this.device = device;
    this.options = options;
    this.gates = options.cell === "gru" ? 3 : 4;
  }

  /** Whether a forward pass is there whose activations no backward pass has consumed. */
  get canGoBack(): boolean {
    return this.pass !== undefined;
  }

  /** Throws LimitError where the batch needs more than 4 GiB. */
  forward(inputs: LayerInputs, weights: LayerWeights): LayerOutputs {
    const { cell, units: U, sequences, backwards } = this.options;
    const { batch: B, timesteps: T, channels: C, x, mask } = inputs;
    this.pass = undefined;
    const { packed } = this.place(inputs);
    const steps = planSteps(B, T, backwards, mask);
    const own = this.floats("weights", this.placed!.map.fields.size);
    let n = 0;
    for (const part of [weights.kernel, weights.recurrent, weights.bias ?? new Float32Array(this.gates * U)])
      for (let i = 0; i < part.length; i++) own[packed[n++]] = part[i];
    gatherSteps(x, steps, T, C, this.floats("data", B * T * C));
    this.ints("lengths", B).set(steps.lengths);
    if (inputs.states) this.floats("initialStates", B * U).set(inputs.states);
    if (inputs.cells) this.floats("initialCells", B * U).set(inputs.cells);
    sortByFallingLength(this.ints("order", B), this.ints("indices", B), steps.lengths, B, T);
    const fields = this.fieldsOf(inputs);
    this.device.run(FORWARD, fields.shards, fields);
    this.passes++;
    this.pass = { inputs, steps };
    return {
      states: this.floats("states", B * U).slice(),
      ...(sequences && { outputs: showOutputs(this.floats("outputs", B * T * U), steps, T, U, inputs.states) }),
      ...(cell === "lstm" && { cells: this.floats("lastCells", B * U).slice() }),
    };
  }

  /** Gradients of the latest forward pass, from those of its outputs. Throws Error where there is none left. */
  backward({ outputs, states, cells }: Partial<LayerOutputs>): LayerGradients {
    if (this.pass === undefined) throw new Error("backward needs a forward pass of its own: it consumes what that one kept");
    const { inputs, steps } = this.pass;
    this.pass = undefined;
    const { units: U } = this.options;
    const { batch: B, timesteps: T, channels: C } = inputs;
    const shownInitial = inputs.states && new Float32Array(B * U);
    if (outputs) gatherShown(outputs, steps, T, U, this.floats("outputsGradient", B * T * U), shownInitial);
    if (states) this.floats("statesGradient", B * U).set(states);
    if (cells) this.floats("lastCellsGradient", B * U).set(cells);
    const fields = {
      ...this.fieldsOf(inputs),
      ...(!outputs && { outputsGradient: 0 }),
      ...(!states && { statesGradient: 0 }),
      ...(!cells && { lastCellsGradient: 0 }),
    };
    const blocks = Math.ceil(U / 4);
    this.device.run(TRANSPOSE, blocks, fields);
    this.device.run(BACKWARD, fields.shards, fields);
    this.device.run(REDUCE, blocks, fields);
    const before = shownInitial && this.floats("initialStatesGradient", B * U).map((value, i) => value + shownInitial[i]);
    return {
      x: scatterSteps(this.floats("inputsGradient", B * T * C), steps, T, C),
      ...this.weightGradients(C),
      ...(before && { states: before }),
      ...(inputs.cells && { cells: this.floats("initialCellsGradient", B * U).slice() }),
    };
  }

  /** Gives its memory back. */
  dispose(): void {
    if (this.placed) this.device.arena.free(this.placed.base);
    this.placed = undefined;
    this.pass = undefined;
  }

  private weightGradients(C: number): Pick<LayerGradients, "kernel" | "recurrent" | "bias"> {
    const { map, packed } = this.placed!;
    const { units: U } = this.options;
    const total = this.floats("total", map.fields.size);
    const all = new Float32Array(packed.length);
    for (let n = 0; n < all.length; n++) all[n] = total[packed[n]];
    const [ofRecurrent, ofBias] = [C * this.gates * U, (C + U) * this.gates * U];
    return { kernel: all.slice(0, ofRecurrent), recurrent: all.slice(ofRecurrent, ofBias), bias: all.slice(ofBias) };
  }

  /** Sees to it that there is memory for such a batch. */
  private place(inputs: LayerInputs): Placed {
    const { batch, timesteps, channels } = inputs;
    const now = this.placed?.shape;
    if (this.placed && now?.timesteps === timesteps && now.channels === channels && now.batch >= batch) return this.placed;
    const { cell, units, sequences } = this.options;
    const map = mapLayer({ cell, channels, units, timesteps, batch, sequences });
    this.dispose();
    const base = this.device.arena.allocate(map.bytes);
    this.placed = { map, base, shape: { batch, timesteps, channels }, packed: packedLayerIndices(channels, units, this.gates) };
    this.floats("weights", map.fields.size).fill(0); // lanes beyond the units
    this.ints("indices", batch).forEach((_, b, indices) => {
      indices[b] = b;
    });
    return this.placed;
  }

  private floats(name: Buffer, length: number) {
    return new Float32Array(this.device.buffer(), this.placed!.base + this.placed!.map.addresses[name], length);
  }

  private ints(name: Buffer, length: number) {
    return new Int32Array(this.device.buffer(), this.placed!.base + this.placed!.map.addresses[name], length);
  }

  /** The job's fields of a pass; buffers that are not wanted are 0. */
  private fieldsOf({ batch, states, cells }: LayerInputs) {
    const { map, base } = this.placed!;
    const { cell, hardGates, sequences } = this.options;
    const moved = Object.entries(map.addresses).map(([name, address]) => [name, base + address]);
    return {
      ...{ first: 0, second: 0, labels: 0, logits: 0, hardGates: hardGates ? 1 : 0, scale: 1 },
      ...map.fields,
      ...(Object.fromEntries(moved) as Record<Buffer, number>),
      ...cutBatch(batch, map.fields.chunkRows),
      ...(!sequences && { outputs: 0, outputsGradient: 0 }),
      ...(states === undefined && { initialStates: 0, initialStatesGradient: 0 }),
      ...(cells === undefined && { initialCells: 0, initialCellsGradient: 0 }),
      ...(cell === "gru" && { lastCells: 0, lastCellsGradient: 0 }),
    };
  }
}
