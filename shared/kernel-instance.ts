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
  /** `hard`: with hard sigmoids. */
  advanceOne(C: number, U: number, weights: number, inputs: number, state: number, from: number, to: number, hard: boolean): void;
  advanceEight(
    C: number,
    U: number,
    weights: number,
    inputs: number,
    stride: number,
    state: number,
    from: number,
    to: number,
    hard: boolean,
  ): void;
  /** Of shared/kernel/int16.ts; its header says what lies where. */
  packInt16(C: number, U: number, matrix: number, weights: number, gateScale: number, tanhScale: number): void;
  advanceOneInt16(C: number, U: number, weights: number, inputs: number, state: number, from: number, to: number): void;
  advanceEightInt16(C: number, U: number, weights: number, inputs: number, stride: number, state: number, from: number, to: number): void;
  logitOne(C: number, U: number, head: number, state: number, steps: number): number;
  logitEight(C: number, U: number, head: number, state: number, steps: number, results: number): void;
  /** Of shared/kernel/trees.ts; its header says what lies where. */
  spreadColumns(row: number, count: number): void;
  treesOne(walks: number, found: number, count: number, row: number, base: number): number;
  treesWindow(): number;
  /** Of shared/kernel/tree-batch.ts; its header says what lies where. */
  fillLanes(seekers: number, count: number, columns: number, stride: number, size: number, lanes: number): void;
  addTrees(program: number, trees: number, leaves: number, lanes: number, logits: number, exits: number): void;
  /** Of shared/kernel/tree-packing.ts. */
  writeProgram(
    nodes: number,
    trees: number,
    roots: number,
    column: number,
    edge: number,
    next: number,
    leaves: number,
    program: number,
    out: number,
  ): void;
  /** Of shared/kernel/columns.ts; its header says what lies where. */
  seriesAddress(): number;
  columnsAddress(): number;
  fillColumns(length: number, width: number, parts: number, depth: number): void;
  /** Of shared/kernel/decoding.ts. */
  crc32(tables: number, at: number, length: number, crc: number): number;
  areAscending(V: number, edgeStart: number, edges: number): number;
  joinNodes(
    count: number,
    V: number,
    edgeStart: number,
    column: number,
    numbers: number,
    edge: number,
    next: number,
    roots: number,
    waiting: number,
  ): number;
  expandNodes(
    count: number,
    column: number,
    edge: number,
    next: number,
    edgeStart: number,
    edges: number,
    leaves: number,
    below: number,
    nodes: number,
  ): void;
  /** Of shared/kernel/products.ts. A row of one sequence or, with `lanes` 8, of eight side by side. */
  packMatrix(
    K: number,
    G: number,
    U: number,
    first: number,
    candidate: number,
    gateScale: number,
    candidateScale: number,
    source: number,
    weights: number,
  ): void;
  spreadRow(V: number, source: number, target: number): void;
  addProducts(
    lanes: number,
    rows: number,
    K: number,
    V: number,
    weights: number,
    input: number,
    inputStride: number,
    start: number,
    startStride: number,
    output: number,
    outputStride: number,
  ): void;
  /** Of shared/kernel/recurrent.ts. */
  advance(
    cell: number,
    lanes: number,
    steps: number,
    gates: number,
    stride: number,
    state: number,
    isFresh: boolean,
    out: number,
    outStride: number,
    ofCell: boolean,
  ): void;
  /** Of shared/kernel/pointwise.ts. */
  activate(kind: number, parameter: number, at: number, count: number): void;
  mergeRows(kind: number, at: number, others: number, count: number): void;
  attendRows(lanes: number, rows: number, W: number, lengths: number, at: number, stride: number, target: number): void;
  scaleRows(lanes: number, rows: number, W: number, scale: number, shift: number, at: number, stride: number): void;
  normaliseRows(lanes: number, rows: number, W: number, gamma: number, beta: number, epsilon: number, at: number, stride: number): void;
  /** Of shared/kernel/rows.ts. */
  copyColumns(rows: number, bytes: number, source: number, sourceStride: number, target: number, targetStride: number): void;
  reverseRows(lanes: number, stride: number, lengths: number, source: number, target: number): void;
  maskRows(rows: number, stride: number, lengths: number, source: number, target: number): void;
  poolRows(by: number, rows: number, stride: number, lengths: number, source: number, target: number): void;
  poolWindows(
    by: number,
    windows: number,
    size: number,
    strides: number,
    front: number,
    divisor: number,
    stride: number,
    lengths: number,
    source: number,
    target: number,
  ): void;
  /** slope · logit + intercept in float32, the rest in float64, the probability in float32. */
  calibrate(logit: number, slope: number, intercept: number): number;
}

/** What weights of a tanh are scaled by, as the kernel's activations take it: 2·log2 e; sigmoids take −½ of it, exactly. */
export const TANH_SCALE = 2.8853900817779268;

/** Wasm's page. */
const PAGE_BYTES = 65536;

/** An instance of the kernel with a memory of its own, ready for log, exp and the activations. */
export function instantiateKernel(module: WebAssembly.Module): Kernel {
  const kernel = new WebAssembly.Instance(module).exports as unknown as Kernel;
  kernel.prepare();
  return kernel;
}

/** Lets the kernel's memory reach `end`, bytes. Views of it that were taken before are of no use any more. */
export function growMemory({ memory }: Pick<Kernel, "memory">, end: number): void {
  const pages = Math.ceil(end / PAGE_BYTES) - memory.buffer.byteLength / PAGE_BYTES;
  if (pages > 0) memory.grow(pages);
}

/** Arrays that can be put into a kernel's memory. */
export type Copied = Float64Array | Float32Array | Uint32Array | Uint16Array | Uint8Array;

/** How many bytes `arrays` take in a kernel's memory. */
export function measureCopies(arrays: readonly Copied[]): number {
  return arrays.reduce((sum, { byteLength }) => sum + roundToWidest(byteLength), 0);
}

/** Copies arrays into a kernel's memory, from `first` on, a multiple of 8: where each begins. */
export function copyArrays(memory: ArrayBuffer, first: number, arrays: readonly Copied[]): number[] {
  let end = first;
  return arrays.map((array) => {
    const start = end;
    new Uint8Array(memory).set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), start);
    end += roundToWidest(array.byteLength);
    return start;
  });
}

function roundToWidest(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

/** The next address at which a cache line begins. */
export function align(address: number): number {
  return Math.ceil(address / 64) * 64;
}
