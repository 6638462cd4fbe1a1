// An instance of shared/kernel/inference.ts and its memory, which grows as its user says. Knows no model.

/** What shared/kernel/inference.ts exports. Addresses in bytes; its header says what lies there. */
export interface Kernel {
  readonly memory: WebAssembly.Memory;
  /** Natural logarithm and exponential of a float64, below 1 ulp, the same bits on every host. */
  log(x: number): number;
  exp(x: number): number;
  /** The gates' activations, float32. */
  sigmoid(x: number): number;
  tanh(x: number): number;
  prepare(): number;
  packWeights(C: number, U: number, matrix: number, weights: number, gateScale: number, tanhScale: number, half: number): void;
  advanceOne(C: number, U: number, weights: number, inputs: number, state: number, from: number, to: number): void;
  advanceEight(C: number, U: number, weights: number, inputs: number, stride: number, state: number, from: number, to: number): void;
  /** The same with hard sigmoids. */
  readonly advanceOneHard: Kernel["advanceOne"];
  readonly advanceEightHard: Kernel["advanceEight"];
  logitOne(C: number, U: number, head: number, state: number, steps: number): number;
  logitEight(C: number, U: number, head: number, state: number, steps: number, results: number): void;
  /** Of shared/kernel/trees.ts; its header says what lies where. */
  treesOne(nodes: number, values: number, walks: number, found: number, count: number, row: number, base: number): number;
  treesBlock(
    nodes: number,
    values: number,
    trees: number,
    count: number,
    rows: number,
    stride: number,
    quads: number,
    logits: number,
  ): void;
  /** slope · logit + intercept in float32, the rest in float64, the probability in float32. */
  calibrate(logit: number, slope: number, intercept: number): number;
}

/** Wasm's page. */
const PAGE_BYTES = 65536;

/** An instance of the kernel with a memory of its own, ready for log, exp and the activations. */
export function instantiateKernel(module: WebAssembly.Module): Kernel {
  const kernel = new WebAssembly.Instance(module).exports as unknown as Kernel;
  kernel.memory.grow(1);
  kernel.prepare();
  return kernel;
}

/** Lets the kernel's memory reach `end`, bytes. Views of it that were taken before are of no use any more. */
export function growMemory({ memory }: Kernel, end: number): void {
  const pages = Math.ceil(end / PAGE_BYTES) - memory.buffer.byteLength / PAGE_BYTES;
  if (pages > 0) memory.grow(pages);
}

/** The next address at which a cache line begins. */
export function align(address: number): number {
  return Math.ceil(address / 64) * 64;
}
