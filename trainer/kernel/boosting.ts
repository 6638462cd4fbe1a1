// One round of gradient boosting on binned columns, in pieces that threads can take: gradients, sums over bins, the best split of a
// node, the logits of held-out rows. Gradients are whole numbers, so that sums are exact and no order of adding them, no thread and no
// way of summing changes a bit. Knows no threads and owns no memory: a job says where everything lies. Which node is split next is the
// caller's.
//
// Legend: N training rows, P = N rounded up to 16 (pitch), M validation rows, W columns, S selected columns in B = ⌈S/16⌉ blocks.
//
//   columns   (W, P) uint8   bins of the training rows; a bin's number is the number of edges below its values, 255 is missing
//   packed    (B, P, 16)     the selected columns' bins, the 16 of a block side by side
//   order     (N) int32      rows; those of a node stand together, ascending
//   pairs     (N, 2) int32   gradient and hessian of each row in units of UNIT
//   sums      of a node and column: Σ gradients, Σ hessians, rows
const GRADIENTS = 0, ROOT = 1, SPLIT = 2, VALIDATE = 3;

/** Gradients (below 1) and hessians (at most ¼) are multiples of 2^−22: 255 of them fit int32, 2^21 rows' hessians 42 bits. */
const SCALE: f64 = 4194304;
const UNIT: f64 = 1.0 / SCALE;
/** Rows whose sums fit a lane: counts are bytes. */
const RUN: usize = 255;
const MISSING = 255;
const BINS = 256;
/** A histogram's entry is two int64: Σ gradients, and Σ hessians below the rows from bit 42 on. */
const ONE_ROW: i64 = 1 << 42;
/** A split that gains less, in nats, is rounding. */
const MIN_GAIN: f64 = 1e-9;

/** Rows of a chunk of GRADIENTS and VALIDATE: fixed, since partial sums of losses are added chunk by chunk. */
const CHUNK = 2048;

/** 32 bits each, in the order of JOB in learners/trees/memory-map.ts. */
@unmanaged
class Job {
  kind: i32;
  rows: i32;
  pitch: i32;
  columns: usize;
  /** (S) int32 which columns, and how many edges each has; both are read up to 16B */
  selected: usize;
  edgeCounts: usize;
  selectedCount: i32;
  blocks: i32;
  /** (B) int32 whether any column of the block has missing values */
  hasMissing: usize;
  packed: usize;
  /** Whether `selected` has changed since the last packing. */
  isNewSelection: i32;
  order: usize;
  /** (N) int32 */
  scratch: usize;
  pairs: usize;
  /** (N) float64 logits; (N) uint8 */
  scores: usize;
  labels: usize;
  /** The leaves of the last tree in the order of their rows: (leaves) int32 end in `order`, (leaves) float32 */
  leafCount: i32;
  leafEnds: usize;
  leafValues: usize;
  /** (chunks, 2) float64: Σ gradients and Σ hessians; the loss alone of VALIDATE */
  chunkSums: usize;
  /** (2) Node: of ROOT only the first counts */
  nodes: usize;
  /** (2, B) Candidate */
  candidates: usize;
  /** One random threshold a column, or all. */
  isRandom: i32;
  minLeaf: i32;
  /** (2) float64: L2, smallest Σ hessians of a child */
  limits: usize;
  /** WORKSPACE bytes a thread */
  workspaces: usize;
  validationRows: i32;
  validationPitch: i32;
  /** (W, pitch) uint8; (M) float64; (M) uint8 */
  validationColumns: usize;
  validationScores: usize;
  validationLabels: usize;
  /** The last tree as shared/trees.ts has it, `next` counting from its root and its first leaf */
  treeColumn: usize;
  treeEdge: usize;
  treeNext: usize;
  treeLeaves: usize;
  /** int32 a thread, 64 bytes apart: counts up while work goes on */
  progress: usize;
}

@unmanaged
class Node {
  start: i32;
  count: i32;
  /** What the random thresholds are drawn from. */
  keyLow: u32;
  keyHigh: u32;
  /** Σ over the node's rows, whole numbers */
  gradients: f64;
  hessians: f64;
  /** (16B, BINS, 2) int64, where not random: the second node's is its parent's on entry */
  histogram: usize;
  padding: i32;
}

@unmanaged
class Candidate {
  /** 0 where there is no split. */
  gain: f64;
  /** Of the left child, whole numbers. */
  gradients: f64;
  hessians: f64;
  rows: f64;
  /** Position in `selected` */
  slot: i32;
  edge: i32;
  missingLeft: i32;
  padding: i32;
}

const NODE_BYTES: usize = 40;
const CANDIDATE_BYTES: usize = 48;
const SUMS_BYTES: usize = 320;
const WORKSPACE: usize = 1024;

// @ts-ignore: decorator
@inline
function int(base: usize, i: i32): i32 { return load<i32>(base + (<usize>i << 2)); }

// @ts-ignore: decorator
@inline
function nodeOf(job: Job, n: i32): Node { return changetype<Node>(job.nodes + <usize>n * NODE_BYTES); }

/** The natural logarithm, for the logit of the positive rate. */
export function log(x: f64): f64 { return NativeMath.log(x); }

/** Task `n` of a job, done by a thread. */
export function task(address: usize, thread: i32, n: i32): void {
  const job = changetype<Job>(address);
  const progress = job.progress + (<usize>thread << 6);
  store<i32>(progress, load<i32>(progress) + 1);
  const workspace = job.workspaces + <usize>thread * WORKSPACE;
  switch (job.kind) {
    case GRADIENTS: return computeGradients(job, n);
    case VALIDATE: return validate(job, n);
    case ROOT: {
      if (job.isNewSelection) pack(job, n, workspace);
      if (job.isRandom) splitAtRandom(job, 0, n, workspace);
      else splitRootAtBest(job, n);
      return;
    }
    case SPLIT: {
      if (!job.isRandom) splitChildrenAtBest(job, n);
      else if (n < job.blocks) splitAtRandom(job, 0, n, workspace);
      else splitAtRandom(job, 1, n - job.blocks, workspace);
    }
  }
}

/** Adds the last tree's leaves to the logits of a chunk of `order`, and computes gradients p − y and hessians p(1 − p). */
function computeGradients(job: Job, chunk: i32): void {
  const start = chunk * CHUNK, end = min(job.rows, start + CHUNK);
  let leaf = 0;
  while (int(job.leafEnds, leaf) <= start) leaf++;
  let leafEnd = int(job.leafEnds, leaf);
  let value: f64 = load<f32>(job.leafValues + (<usize>leaf << 2));
  let gradients: i64 = 0, hessians: i64 = 0;
  for (let i = start; i < end; i++) {
    if (i == leafEnd) {
      leaf++;
      leafEnd = int(job.leafEnds, leaf);
      value = load<f32>(job.leafValues + (<usize>leaf << 2));
    }
    const row = <usize>int(job.order, i);
    const at = job.scores + (row << 3), z = load<f64>(at) + value;
    store<f64>(at, z);
    const e = NativeMath.exp(-abs(z)), p = (z >= 0 ? 1 : e) / (1 + e);
    const g = <i32>nearest((p - <f64>load<f32>(job.labels + (row << 2))) * SCALE);
    const h = max(1, <i32>nearest(p * (1 - p) * SCALE));
    store<i32>(job.pairs + (row << 3), g);
    store<i32>(job.pairs + (row << 3), h, 4);
    gradients += g;
    hessians += h;
  }
  const sums = job.chunkSums + (<usize>chunk << 4);
  store<f64>(sums, <f64>gradients);
  store<f64>(sums, <f64>hessians, 8);
}

/** Adds the last tree to the logits of a chunk of the validation rows; their summed log loss max(z,0) − y·z + log1p(e^−|z|). */
function validate(job: Job, chunk: i32): void {
  const start = chunk * CHUNK, end = min(job.validationRows, start + CHUNK);
  let loss: f64 = 0;
  for (let row = start; row < end; row++) {
    let node: usize = 0;
    for (;;) {
      const column = load<u16>(job.treeColumn + (node << 1));
      if (column == 0xffff) break;
      const edge = <i32>load<u16>(job.treeEdge + (node << 1));
      const bin = <i32>load<u8>(job.validationColumns + <usize>column * <usize>job.validationPitch + <usize>row);
      node = goesLeft(bin, edge & 0x7fff, edge >> 15) ? node + 1 : <usize>int(job.treeNext, <i32>node);
    }
    const at = job.validationScores + (<usize>row << 3);
    const z = load<f64>(at) + <f64>load<f32>(job.treeLeaves + (<usize>int(job.treeNext, <i32>node) << 2));
    store<f64>(at, z);
    loss += max(z, 0) - <f64>load<f32>(job.validationLabels + (<usize>row << 2)) * z + NativeMath.log1p(NativeMath.exp(-abs(z)));
  }
  store<f64>(job.chunkSums + (<usize>chunk << 4), loss);
}

/** Missing is 255: one more and it is 0, below every edge. */
// @ts-ignore: decorator
@inline
function goesLeft(bin: i32, edge: i32, missingLeft: i32): boolean { return ((bin + missingLeft) & 255) <= edge + missingLeft; }

/**
 * Reorders the rows of `order` from `start` on, those that go left first, each side ascending as before.
 * Returns how many go left.
 */
export function partition(address: usize, start: i32, count: i32, column: i32, edge: i32, missingLeft: i32): i32 {
  const job = changetype<Job>(address);
  const bins = job.columns + <usize>column * <usize>job.pitch;
  const from = job.order + (<usize>start << 2);
  let left = from, right = job.scratch;
  for (let at = from, end = from + (<usize>count << 2); at < end; at += 4) {
    const row = load<i32>(at);
    const isLeft: usize = <usize>goesLeft(load<u8>(bins + <usize>row), edge, missingLeft);
    store<i32>(left, row);
    store<i32>(right, row);
    left += isLeft << 2;
    right += 4 - (isLeft << 2);
  }
  memory.copy(left, job.scratch, right - job.scratch);
  return <i32>((left - from) >> 2);
}

/** The bins of block `block`: 16 columns × 16 rows at a time are transposed by four perfect shuffles. */
function pack(job: Job, block: i32, workspace: usize): void {
  const P = <usize>job.pitch;
  const columns = workspace, a = workspace + 64, b = a + 256;
  for (let lane = 0; lane < 16; lane++) {
    const slot = min(block * 16 + lane, job.selectedCount - 1); // lanes beyond the last column repeat it, and nobody looks at them
    store<usize>(columns + (<usize>lane << 2), job.columns + <usize>int(job.selected, slot) * P);
  }
  let to = job.packed + <usize>block * (P << 4);
  for (let row: usize = 0; row < P; row += 16) {
    for (let lane: usize = 0; lane < 16; lane++) v128.store(a + (lane << 4), v128.load(load<usize>(columns + (lane << 2)) + row));
    shuffle(a, b);
    shuffle(b, a);
    shuffle(a, b);
    shuffle(b, to);
    to += 256;
  }
}

/** Interleaves rows i and i + 8 of 16 × 16 bytes. */
// @ts-ignore: decorator
@inline
function shuffle(from: usize, to: usize): void {
  for (let i: usize = 0; i < 8; i++) {
    const low = v128.load(from + (i << 4)), high = v128.load(from + (i << 4), 128);
    v128.store(to + (i << 5), i8x16.shuffle(low, high, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
    v128.store(to + (i << 5), i8x16.shuffle(low, high, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), 16);
  }
}

/** 32 bits of splitmix64's finisher (prng.di.unimi.it/splitmix64.c) on a node's key and a column. */
// @ts-ignore: decorator
@inline
function draw(key: u64, n: i32): u64 {
  let z: u64 = key + <u64>(n + 1) * 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return (z ^ (z >> 31)) >> 32;
}

/** The best of one random threshold a column, for the columns of `block` in node `n`. */
function splitAtRandom(job: Job, n: i32, block: i32, workspace: usize): void {
  const node = nodeOf(job, n);
  const best = candidateOf(job, n, block);
  if (isTooSmall(job, node)) return;
  const parent = termOf(job, node);
  const key = <u64>node.keyLow | (<u64>node.keyHigh << 32);
  const lanes = min(16, job.selectedCount - block * 16);
  const thresholds = workspace, below = workspace + 16, present = below + SUMS_BYTES;
  for (let lane = 0; lane < 16; lane++) {
    const slot = block * 16 + lane;
    const edge = lane < lanes ? (draw(key, slot) * <u64>int(job.edgeCounts, slot)) >> 32 : 0;
    store<u8>(thresholds + <usize>lane, <u8>edge);
  }
  sumBelow(job, node, block, v128.load(thresholds), below);
  const hasMissing = int(job.hasMissing, block);
  if (hasMissing) sumBelow(job, node, block, i8x16.splat(<i8>(MISSING - 1)), present);
  for (let lane = 0; lane < lanes; lane++) {
    const edge = <i32>load<u8>(thresholds + <usize>lane), slot = block * 16 + lane;
    const at = <usize>lane << 3, at4 = <usize>lane << 2;
    const g = <f64>load<i64>(below + at), h = <f64>load<i64>(below + at, 128), rows = int(below + 256, lane);
    if (!hasMissing || int(present + 256, lane) == node.count) {
      consider(job, node, parent, best, slot, edge, rows * 2 >= node.count ? 1 : 0, g, h, rows);
      continue;
    }
    consider(job, node, parent, best, slot, edge, 0, g, h, rows);
    const missing = node.count - load<i32>(present + 256 + at4);
    consider(job, node, parent, best, slot, edge, 1,
      g + node.gradients - <f64>load<i64>(present + at), h + node.hessians - <f64>load<i64>(present + at, 128), rows + missing);
  }
}

/** For each of 16 columns (16) int64 Σ gradients, (16) int64 Σ hessians, (16) int32 rows of the node with bin ≤ threshold, at `sums`. */
function sumBelow(job: Job, node: Node, block: i32, thresholds: v128, sums: usize): void {
  const bins = job.packed + <usize>block * (<usize>job.pitch << 4), pairs = job.pairs;
  let at = job.order + (<usize>node.start << 2);
  const end = at + (<usize>node.count << 2);
  memory.fill(sums, 0, SUMS_BYTES);
  while (at < end) {
    const stop = min(at + (RUN << 2), end);
    let rows = i32x4.splat(0);
    let g0 = rows, g1 = rows, g2 = rows, g3 = rows, h0 = rows, h1 = rows, h2 = rows, h3 = rows;
    for (; at < stop; at += 4) {
      const row = <usize>load<u32>(at);
      const isBelow = i8x16.le_u(v128.load(bins + (row << 4)), thresholds);
      const g = v128.load32_splat(pairs + (row << 3)), h = v128.load32_splat(pairs + (row << 3), 4);
      rows = i8x16.sub(rows, isBelow);
      const low = i16x8.extend_low_i8x16_s(isBelow), high = i16x8.extend_high_i8x16_s(isBelow);
      const m0 = i32x4.extend_low_i16x8_s(low);
      g0 = i32x4.add(g0, v128.and(m0, g));
      h0 = i32x4.add(h0, v128.and(m0, h));
      const m1 = i32x4.extend_high_i16x8_s(low);
      g1 = i32x4.add(g1, v128.and(m1, g));
      h1 = i32x4.add(h1, v128.and(m1, h));
      const m2 = i32x4.extend_low_i16x8_s(high);
      g2 = i32x4.add(g2, v128.and(m2, g));
      h2 = i32x4.add(h2, v128.and(m2, h));
      const m3 = i32x4.extend_high_i16x8_s(high);
      g3 = i32x4.add(g3, v128.and(m3, g));
      h3 = i32x4.add(h3, v128.and(m3, h));
    }
    widen(sums, g0, g1, g2, g3);
    widen(sums + 128, h0, h1, h2, h3);
    const low = i16x8.extend_low_i8x16_u(rows), high = i16x8.extend_high_i8x16_u(rows);
    addTo(sums + 256, i32x4.extend_low_i16x8_u(low));
    addTo(sums + 272, i32x4.extend_high_i16x8_u(low));
    addTo(sums + 288, i32x4.extend_low_i16x8_u(high));
    addTo(sums + 304, i32x4.extend_high_i16x8_u(high));
  }
}

// @ts-ignore: decorator
@inline
function addTo(at: usize, x: v128): void { v128.store(at, i32x4.add(v128.load(at), x)); }

// @ts-ignore: decorator
@inline
function addWide(at: usize, x: v128): void {
  v128.store(at, i64x2.add(v128.load(at), i64x2.extend_low_i32x4_s(x)));
  v128.store(at, i64x2.add(v128.load(at, 16), i64x2.extend_high_i32x4_s(x)), 16);
}

/** Adds 16 int32 to 16 int64. */
function widen(at: usize, a: v128, b: v128, c: v128, d: v128): void {
  addWide(at, a);
  addWide(at + 32, b);
  addWide(at + 64, c);
  addWide(at + 96, d);
}

// @ts-ignore: decorator
@inline
function candidateOf(job: Job, n: i32, block: i32): Candidate {
  const best = changetype<Candidate>(job.candidates + <usize>(n * job.blocks + block) * CANDIDATE_BYTES);
  best.gain = 0;
  return best;
}

/** G²/(H + L2) of a node. */
// @ts-ignore: decorator
@inline
function termOf(job: Job, node: Node): f64 { return node.gradients * node.gradients / (node.hessians + load<f64>(job.limits) * SCALE); }

/** Whether no split of a node leaves enough rows on both sides. */
// @ts-ignore: decorator
@inline
function isTooSmall(job: Job, node: Node): boolean { return node.count < 2 * job.minLeaf; }

/**
 * Takes a split where it is allowed and gains more than `best`: G²/(H + L2) of the children less that of the node, `parent` (Friedman 2001;
 * Chen & Guestrin 2016, equation 7, times two).
 */
// @ts-ignore: decorator
@inline
function consider(job: Job, node: Node, parent: f64, best: Candidate, slot: i32, edge: i32, missingLeft: i32, g: f64, h: f64, rows: i32): void {
  const l2 = load<f64>(job.limits) * SCALE, minHessian = load<f64>(job.limits, 8) * SCALE;
  const hRight = node.hessians - h;
  if (rows < job.minLeaf || node.count - rows < job.minLeaf || h < minHessian || hRight < minHessian) return;
  const gs = f64x2.replace_lane(f64x2.splat(g), 1, node.gradients - g);
  const terms = f64x2.div(f64x2.mul(gs, gs), f64x2.replace_lane(f64x2.splat(h + l2), 1, hRight + l2));
  const gain = (f64x2.extract_lane(terms, 0) + f64x2.extract_lane(terms, 1) - parent) * UNIT;
  if (gain <= max(best.gain, MIN_GAIN)) return;
  best.gain = gain;
  best.gradients = g;
  best.hessians = h;
  best.rows = <f64>rows;
  best.slot = slot;
  best.edge = edge;
  best.missingLeft = missingLeft;
}

// @ts-ignore: decorator
@inline
function histogramOf(node: Node, slot: i32): usize { return node.histogram + <usize>slot * (BINS << 4); }

function splitRootAtBest(job: Job, block: i32): void {
  fillHistograms(job, nodeOf(job, 0), block);
  splitAtBest(job, 0, block);
}

/** The first node is the one with fewer rows: the other's histograms are their parent's less its own. */
function splitChildrenAtBest(job: Job, block: i32): void {
  const small = nodeOf(job, 0), large = nodeOf(job, 1);
  fillHistograms(job, small, block);
  const from = histogramOf(small, block * 16), to = histogramOf(large, block * 16);
  for (let at: usize = 0, end = <usize>min(16, job.selectedCount - block * 16) * (BINS << 4); at < end; at += 16) {
    v128.store(to + at, i64x2.sub(v128.load(to + at), v128.load(from + at)));
  }
  splitAtBest(job, 0, block);
  splitAtBest(job, 1, block);
}

/** Four columns at a time, so that their histograms stay in the first-level cache. */
function fillHistograms(job: Job, node: Node, block: i32): void {
  const bins = job.packed + <usize>block * (<usize>job.pitch << 4), pairs = job.pairs;
  const start = job.order + (<usize>node.start << 2), end = start + (<usize>node.count << 2);
  const one = i64x2.replace_lane(i64x2.splat(0), 1, ONE_ROW);
  for (let lane = 0, lanes = min(16, job.selectedCount - block * 16); lane < lanes; lane += 4) {
    const histogram = histogramOf(node, block * 16 + lane);
    memory.fill(histogram, 0, 4 * (BINS << 4));
    const from = bins + <usize>lane;
    for (let at = start; at < end; at += 4) {
      const row = <usize>load<u32>(at);
      const four = load<u32>(from + (row << 4));
      const pair = i64x2.add(v128.load32x2_s(pairs + (row << 3)), one);
      addPair(histogram + (<usize>(four & 255) << 4), pair);
      addPair(histogram + (BINS << 4) + (<usize>((four >> 8) & 255) << 4), pair);
      addPair(histogram + 2 * (BINS << 4) + (<usize>((four >> 16) & 255) << 4), pair);
      addPair(histogram + 3 * (BINS << 4) + (<usize>(four >> 24) << 4), pair);
    }
  }
}

// @ts-ignore: decorator
@inline
function addPair(at: usize, pair: v128): void { v128.store(at, i64x2.add(v128.load(at), pair)); }

/** The best of all thresholds of the columns of `block` in node `n`. */
function splitAtBest(job: Job, n: i32, block: i32): void {
  const node = nodeOf(job, n);
  const best = candidateOf(job, n, block);
  if (isTooSmall(job, node)) return;
  const parent = termOf(job, node), minLeaf = job.minLeaf, most = node.count - minLeaf;
  for (let slot = block * 16, end = min(slot + 16, job.selectedCount); slot < end; slot++) {
    const histogram = histogramOf(node, slot);
    const missing = v128.load(histogram + (MISSING << 4));
    const missingRows = <i32>(i64x2.extract_lane(missing, 1) >> 42);
    const gMissing = <f64>i64x2.extract_lane(missing, 0), hMissing = <f64>(i64x2.extract_lane(missing, 1) & (ONE_ROW - 1));
    let sum = i64x2.splat(0);
    for (let edge = 0, edges = int(job.edgeCounts, slot); edge < edges; edge++) {
      const bin = v128.load(histogram + (<usize>edge << 4));
      if (i64x2.extract_lane(bin, 1) == 0) continue; // an empty bin: the same rows go left as at the edge before
      sum = i64x2.add(sum, bin);
      const word = i64x2.extract_lane(sum, 1);
      const rows = <i32>(word >> 42);
      if (rows > most) break; // too few are left on the right, with missing values or without
      if (rows + missingRows < minLeaf) continue;
      const g = <f64>i64x2.extract_lane(sum, 0), h = <f64>(word & (ONE_ROW - 1));
      if (missingRows == 0) {
        consider(job, node, parent, best, slot, edge, rows * 2 >= node.count ? 1 : 0, g, h, rows);
        continue;
      }
      consider(job, node, parent, best, slot, edge, 0, g, h, rows);
      consider(job, node, parent, best, slot, edge, 1, g + gMissing, h + hMissing, rows + missingRows);
    }
  }
}
