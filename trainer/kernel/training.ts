// One optimizer step of LSTM → Dense(1) in pieces that threads can take: forward keeping what backward needs, backward through
// time, the sum of the shards, the update; and a recurrent layer alone, LSTM or GRU (gru.ts), with its states before the first step, every
// step's output, and the gradients of all of these. Knows no threads and owns no memory: a job says where everything lies.
//
// Legend: T steps, C channels, U units in Q = ⌈U/4⌉ blocks of 4, E = ⌈(1+C)/4⌉ entry blocks, K = 4(E+Q), B sequences of a batch,
// P packed rows of a chunk: its sequences stand by falling length, so step t is the prefix of those that have it,
// rounded up to 4 rows; one step after the other. Nothing is computed for padding beyond that rounding.
//
//   entries   (E+Q, P, 4)    [1, channels] and the state before the step: what the weights multiply
//   gates     (Q, P, i4 f4 c4 o4)   activated in forward; their gradients before activation from backward on
//   weights   (Q, 2, K, 8)   the 16 gate columns of a unit block as two halves [i4 f4] [c4 o4]; row 0 is the bias,
//                            rows 1..C the kernel, rows from 4E the recurrent kernel; then the head: (4Q) and (4), of which 1 is used
//   transposed (⌈Q/2⌉ + ⌈C/8⌉, 16Q, 8)   what backward multiplies: 8 states, then 8 channels a panel
// Lanes beyond U or C hold zero weights and get zero gradients.
import { gate, gateSlope, tanh } from "./activations";
import { gruBackward, gruForward, gruWeightGradients } from "./gru";
import { counts, flush, int, Job, mul, offsets, packedPitch, round4, tick } from "./job";
import { addOutputGradients, gatherLastGradients, placeInitial, scatterInitialGradients, scatterOutputs } from "./layer";
import { gatesTile, madd, statesTile, weightsTile } from "./products";

export { fuses, peak } from "./products";

const TRAIN = 0, EVALUATE = 1, FORWARD = 2, BACKWARD = 3, REDUCE = 4, UPDATE = 5, TRANSPOSE = 6, GATHER = 7;
const RMSPROP = 1, GRU = 1;

/** Task `n` of a job, done by a thread. */
export function task(address: usize, thread: i32, n: i32): void {
  const job = changetype<Job>(address);
  const progress = job.progress + (<usize>thread << 6);
  tick(progress);
  switch (job.kind) {
    case REDUCE: return reduce(job, n);
    case UPDATE: update(job, n); if (n < job.unitBlocks) transpose(job, n); return;
    case TRANSPOSE: return transpose(job, n);
  }
  const kind = job.kind;
  const gradients = job.gradients + <usize>n * (<usize>job.size << 2);
  let loss: f64 = 0;
  if (kind == TRAIN || kind == BACKWARD) memory.fill(gradients, 0, <usize>job.size << 2);
  // Chunk 0 has the longest sequences, the last the shortest: a shard takes them to and fro, so that shards cost the same.
  for (let turn = 0, chunk = n; chunk < job.chunks; turn++, chunk = turn & 1 ? (turn + 1) * job.shards - 1 - n : turn * job.shards + n) {
    const keeps = kind == FORWARD || kind == BACKWARD;
    const workspace = job.workspaces + <usize>(keeps ? chunk : thread) * job.workspaceBytes;
    const start = chunkStart(job, chunk);
    const rows = min(job.batch, chunkStart(job, chunk + 1)) - start;
    if (kind != BACKWARD) {
      gather(job, workspace, start, rows);
      if (kind == GATHER) continue; // to measure it
      if (kind == FORWARD) placeInitial(job, workspace, start, rows);
      if (job.cell == GRU) gruForward(job, workspace, progress);
      else if (job.hardGates) forward<i32>(job, workspace, progress);
      else forward<f32>(job, workspace, progress);
    }
    if (kind == FORWARD) scatterOutputs(job, workspace, start, rows);
    if (kind == TRAIN || kind == EVALUATE) loss += head(job, workspace, start, rows, kind == TRAIN ? gradients : 0);
    if (kind == BACKWARD) gatherLastGradients(job, workspace, start, rows);
    if (kind == TRAIN || kind == BACKWARD) {
      if (job.cell == GRU) {
        gruBackward(job, workspace, start, progress);
        gruWeightGradients(job, workspace, gradients, progress);
      } else {
        if (job.hardGates) backward<i32>(job, workspace, start, kind == TRAIN, progress);
        else backward<f32>(job, workspace, start, kind == TRAIN, progress);
        weightGradients(job, workspace, gradients, progress);
      }
    }
    if (kind == BACKWARD && job.initialStatesGradient) scatterInitialGradients(job, workspace, start, rows);
    if (kind == BACKWARD && job.inputsGradient) inputGradients(job, workspace, start, rows, progress);
  }
  if (kind == TRAIN) store<f64>(job.losses + (<usize>n << 3), loss);
}

/** Chunks are whole blocks of 4 rows, as equal as can be. */
function chunkStart(job: Job, chunk: i32): i32 {
  const blocks = round4(job.batch) >> 2;
  return <i32>(<i64>chunk * <i64>blocks / <i64>job.chunks) << 2;
}

/** Fills counts, offsets and the channel part of the entries from the sequences at start … start + rows of the order. */
function gather(job: Job, workspace: usize, start: i32, rows: i32): void {
  const T = job.timesteps, C = job.channels;
  const count = counts(workspace), offset = offsets(job, workspace);
  const order = job.order + (<usize>start << 2);
  let r = rows, sum = 0;
  for (let t = 0; t <= T; t++) {
    while (r > 0 && (t == T || int(job.lengths, int(job.indices, int(order, r - 1))) <= t)) r--;
    store<i32>(count + (<usize>t << 2), r);
    store<i32>(offset + (<usize>t << 2), sum);
    sum += round4(r);
  }
  const pitch = packedPitch(job, workspace) << 4;
  const entries = workspace + job.entries;
  for (let e = 0; e < job.entryBlocks; e++) {
    const block = entries + <usize>e * pitch;
    memory.fill(block, 0, <usize>sum << 4);
    if (e == 0) for (let p = 0; p < sum; p++) store<f32>(block + (<usize>p << 4), 1);
  }
  for (r = 0; r < rows; r++) {
    const sequence = int(job.indices, int(order, r));
    const length = int(job.lengths, sequence);
    let x = job.data + (<usize>sequence * <usize>(T * C) << 2);
    for (let t = 0; t < length; t++) {
      const to = entries + (<usize>(int(offset, t) + r) << 4);
      for (let k = 1; k <= C; k++) {
        store<f32>(to + <usize>(k >> 2) * pitch + <usize>((k & 3) << 2), load<f32>(x));
        x += 4;
      }
    }
  }
}

/** G: f32 for sigmoid gates, i32 for hard ones. */
function forward<G>(job: Job, workspace: usize, progress: usize): void {
  const Q = job.unitBlocks, E = job.entryBlocks, rows16 = <usize>job.chunkRows << 4;
  const count = counts(workspace), offset = offsets(job, workspace);
  const pitch = packedPitch(job, workspace), pitch16 = pitch << 4, pitch64 = pitch << 6;
  const entries = workspace + job.entries, half = <usize>(E + Q) << 7;
  const starts = job.initialStates != 0;
  // The state of a sequence without a valid row is zero, or the one that was before.
  if (!starts) memory.fill(workspace + job.last, 0, <usize>Q * rows16);
  for (let t = 0; t < job.timesteps && int(count, t) > 0; t++) {
    tick(progress);
    const n = int(count, t), next = int(count, t + 1), all = round4(n), allNext = round4(next);
    const o = <usize>int(offset, t);
    for (let q = 0; q < Q; q++) {
      const w = job.weights + <usize>q * (half << 1);
      const gates = workspace + job.gates + <usize>q * pitch64 + (o << 6);
      for (let r = 0; r < all; r += 4) gatesTile(entries + (o + r << 4), pitch16, job.channels, E, t || starts ? Q : 0, w, gates + (<usize>r << 6));
      for (let r = 0; r < all; r += 4) gatesTile(entries + (o + r << 4), pitch16, job.channels, E, t || starts ? Q : 0, w + half, gates + (<usize>r << 6) + 32);

      let g = gates;
      let c = workspace + job.cells + <usize>q * pitch16;
      let before = t ? c + (<usize>int(offset, t - 1) << 4) : workspace + job.firstCells + <usize>q * rows16;
      c += o << 4;
      let th = workspace + job.tanhs + <usize>q * pitch16 + (o << 4);
      let h = entries + <usize>(E + q) * pitch16 + (<usize>int(offset, t + 1) << 4);
      let l = workspace + job.last + <usize>q * rows16;
      for (let r = 0; r < all; r++) {
        const i = gate<G>(v128.load(g)), f = gate<G>(v128.load(g, 16)), z = tanh(v128.load(g, 32)), out = gate<G>(v128.load(g, 48));
        let cell = mul(i, z);
        if (t || starts) cell = madd(f, v128.load(before), cell);
        const th1 = tanh(cell), state = mul(out, th1);
        v128.store(g, i); v128.store(g, f, 16); v128.store(g, z, 32); v128.store(g, out, 48);
        v128.store(c, cell);
        v128.store(th, th1);
        if (r < allNext) v128.store(h, state);
        if (r >= next && r < n) v128.store(l, state);
        g += 64; c += 16; before += 16; th += 16; h += 16; l += 16;
      }
    }
  }
}

/**
 * Logits, into their places in the batch; with `gradients` also the loss of Σ binary cross-entropy, max(z,0) − y·z + log1p(e^−|z|),
 * the head's gradients, and the last states' gradients.
 */
function head(job: Job, workspace: usize, start: i32, rows: i32, gradients: usize): f64 {
  const Q = job.unitBlocks, rows16 = <usize>job.chunkRows << 4;
  const at = <usize>Q * <usize>(job.entryBlocks + Q) << 8;
  const weights = job.weights + at, bias = load<f32>(weights + (<usize>Q << 4));
  let loss: f64 = 0;
  for (let r = 0, all = round4(rows); r < all; r++) {
    const last = workspace + job.last + (<usize>r << 4), out = workspace + job.stateGradients + (<usize>r << 4);
    if (r >= rows) {
      if (gradients) for (let q = 0; q < Q; q++) v128.store(out + <usize>q * rows16, f32x4.splat(0));
      continue;
    }
    let sum = f32x4.splat(0);
    for (let q = 0; q < Q; q++) sum = madd(v128.load(last + <usize>q * rows16), v128.load(weights + (<usize>q << 4)), sum);
    const logit: f32 = bias + (f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 1)) + (f32x4.extract_lane(sum, 2) + f32x4.extract_lane(sum, 3));
    const position = int(job.order, start + r);
    store<f32>(job.logits + (<usize>position << 2), logit);
    if (!gradients) continue;
    const label: f64 = load<f32>(job.labels + (<usize>int(job.indices, position) << 2));
    const z: f64 = logit, e = NativeMath.exp(-abs(z));
    loss += max(z, 0) - label * z + NativeMath.log1p(e);
    const dz = <f32>((z >= 0 ? 1 / (1 + e) : e / (1 + e)) - label), d = f32x4.splat(dz);
    let to = gradients + at;
    store<f32>(to + (<usize>Q << 4), load<f32>(to + (<usize>Q << 4)) + dz);
    for (let q = 0; q < Q; q++) {
      v128.store(to, madd(d, v128.load(last + <usize>q * rows16), v128.load(to)));
      v128.store(out + <usize>q * rows16, mul(d, v128.load(weights + (<usize>q << 4))));
      to += 16;
    }
  }
  return loss;
}

/** Gates become gradients before activation, from the last step to the first. `isAlone`: nothing but the last states has gradients. */
function backward<G>(job: Job, workspace: usize, start: i32, isAlone: bool, progress: usize): void {
  const Q = job.unitBlocks, rows16 = <usize>job.chunkRows << 4;
  const count = counts(workspace), offset = offsets(job, workspace);
  const pitch = packedPitch(job, workspace), pitch16 = pitch << 4, pitch64 = pitch << 6;
  const one = f32x4.splat(1), zero = f32x4.splat(0);
  const starts = job.initialStates != 0;
  if (isAlone) memory.fill(workspace + job.cellGradients, 0, <usize>Q * rows16);
  let t = job.timesteps;
  while (t > 0 && int(count, t - 1) == 0) t--;
  for (t--; t >= 0; t--) {
    tick(progress);
    const n = int(count, t), all = round4(n), allNext = round4(int(count, t + 1));
    const o = <usize>int(offset, t), next = <usize>int(offset, t + 1);
    if (!isAlone && job.outputsGradient) addOutputGradients(job, workspace, start, t, n);
    for (let v = 0; v < Q; v += 2) {
      const states = workspace + job.stateGradients + <usize>v * rows16;
      const w = job.transposed + <usize>v * (<usize>Q << 8);
      for (let r = 0; r < allNext; r += 4) {
        const lo = states + (<usize>r << 4);
        statesTile(workspace + job.gates + (next + r << 6), pitch64, Q, w, lo, lo + rows16);
      }
      for (let q = v; q < min(v + 2, Q); q++) {
        let g = workspace + job.gates + <usize>q * pitch64 + (o << 6);
        let dh = workspace + job.stateGradients + <usize>q * rows16;
        let dc = workspace + job.cellGradients + <usize>q * rows16;
        let th = workspace + job.tanhs + <usize>q * pitch16 + (o << 4);
        let before = t ? workspace + job.cells + <usize>q * pitch16 + (<usize>int(offset, t - 1) << 4) : workspace + job.firstCells + <usize>q * rows16;
        for (let r = 0; r < n; r++) {
          const i = v128.load(g), f = v128.load(g, 16), z = v128.load(g, 32), out = v128.load(g, 48);
          const dState = flush(v128.load(dh)), th1 = v128.load(th);
          const dOut = mul(mul(dState, th1), gateSlope<G>(out));
          const dCell = flush(madd(mul(dState, out), f32x4.sub(one, mul(th1, th1)), v128.load(dc)));
          v128.store(g, mul(mul(dCell, z), gateSlope<G>(i)));
          v128.store(g, t || starts ? mul(mul(dCell, v128.load(before)), gateSlope<G>(f)) : zero, 16);
          v128.store(g, mul(mul(dCell, i), f32x4.sub(one, mul(z, z))), 32);
          v128.store(g, dOut, 48);
          v128.store(dc, mul(dCell, f));
          v128.store(dh, zero);
          g += 64; dh += 16; dc += 16; th += 16; before += 16;
        }
        // Rows that only fill up the block of 4 pass nothing on.
        memory.fill(g, 0, <usize>(all - n) << 6);
      }
    }
  }
  if (isAlone || !job.initialStatesGradient) return;
  for (let v = 0; v < Q; v += 2) {
    const states = workspace + job.stateGradients + <usize>v * rows16, w = job.transposed + <usize>v * (<usize>Q << 8);
    for (let r = 0, all = round4(int(count, 0)); r < all; r += 4) {
      const lo = states + (<usize>r << 4);
      statesTile(workspace + job.gates + (<usize>r << 6), pitch64, Q, w, lo, lo + rows16);
    }
  }
}

/** Σ over packed rows of entriesᵀ · gate gradients, added to `gradients` (weights' layout). */
function weightGradients(job: Job, workspace: usize, gradients: usize, progress: usize): void {
  const Q = job.unitBlocks, E = job.entryBlocks;
  const offset = offsets(job, workspace), total = int(offset, job.timesteps);
  const pitch = packedPitch(job, workspace), half = <usize>(E + Q) << 7;
  for (let q = 0; q < Q; q++) {
    tick(progress);
    for (let e = 0; e < E + Q; e++) {
      // Where the state before the first step is zero, those rows bring nothing.
      const from = e < E || job.initialStates ? 0 : int(offset, 1);
      const a = workspace + job.entries + (<usize>e * pitch + from << 4);
      const g = workspace + job.gates + (<usize>q * pitch + from << 6);
      const to = gradients + <usize>q * (half << 1) + (<usize>e << 7);
      weightsTile(a, g, total - from, to);
      weightsTile(a, g + 32, total - from, to + half);
    }
  }
}

/** (B,T,C) gradients of the channels; zero beyond a sequence's length. */
function inputGradients(job: Job, workspace: usize, start: i32, rows: i32, progress: usize): void {
  const T = job.timesteps, C = job.channels, Q = job.unitBlocks;
  const count = counts(workspace), offset = offsets(job, workspace), pitch64 = packedPitch(job, workspace) << 6;
  const scratch = workspace + job.stateGradients;
  for (let r = 0; r < rows; r++) memory.fill(job.inputsGradient + (<usize>int(job.order, start + r) * <usize>(T * C) << 2), 0, <usize>(T * C) << 2);
  for (let t = 0; t < T && int(count, t) > 0; t++) {
    tick(progress);
    const n = int(count, t);
    for (let r = 0; r < n; r += 4) {
      for (let c = 0; c < C; c += 8) {
        memory.fill(scratch, 0, 128);
        const w = job.transposed + <usize>(((Q + 1) >> 1) + (c >> 3)) * (<usize>Q << 9);
        statesTile(workspace + job.gates + (<usize>(int(offset, t) + r) << 6), pitch64, Q, w, scratch, scratch + 64);
        for (let i = r; i < min(r + 4, n); i++) {
          const to = job.inputsGradient + (<usize>((int(job.order, start + i) * T + t) * C + c) << 2);
          for (let k = 0; k < min(8, C - c); k++) {
            store<f32>(to + (<usize>k << 2), load<f32>(scratch + <usize>(((k >> 2) << 6) + ((i - r) << 4) + ((k & 3) << 2))));
          }
        }
      }
    }
  }
}

/** Part n of the weights, in bytes: the gate columns of unit block n; the head comes last. */
// @ts-ignore: decorator
@inline
function partStart(job: Job, n: i32): usize { return <usize>n * <usize>(job.entryBlocks + job.unitBlocks) << 8; }
// @ts-ignore: decorator
@inline
function partEnd(job: Job, n: i32): usize { return n < job.unitBlocks ? partStart(job, n + 1) : <usize>job.size << 2; }

/** Part n of the mean gradient: shards summed in their order, and its sum of squares. */
function reduce(job: Job, n: i32): void {
  const end = partEnd(job, n), stride = <usize>job.size << 2, scale = f32x4.splat(job.scale);
  let squares = f64x2.splat(0);
  for (let at = partStart(job, n); at < end; at += 16) {
    let from = job.gradients + at;
    let sum = v128.load(from);
    for (let s = 1; s < job.shards; s++) {
      from += stride;
      sum = f32x4.add(sum, v128.load(from));
    }
    sum = mul(sum, scale);
    v128.store(job.total + at, sum);
    const lo = f64x2.promote_low_f32x4(sum), hi = f64x2.promote_low_f32x4(v128.shuffle<i64>(sum, sum, 1, 0));
    squares = f64x2.add(squares, f64x2.add(f64x2.mul(lo, lo), f64x2.mul(hi, hi)));
  }
  store<f64>(job.norms + (<usize>n << 3), f64x2.extract_lane(squares, 0) + f64x2.extract_lane(squares, 1));
}

/** Adam or RMSprop as Keras defines them, with decoupled weight decay on everything but the biases. */
function update(job: Job, n: i32): void {
  const start = partStart(job, n), end = partEnd(job, n), half = <usize>(job.entryBlocks + job.unitBlocks) << 7;
  const headBias = partStart(job, job.unitBlocks) + (<usize>job.unitBlocks << 4);
  const clip = f32x4.splat(job.clip), rate = f32x4.splat(job.rate), epsilon = f32x4.splat(job.epsilon);
  const new1 = f32x4.splat(1 - job.beta1), new2 = f32x4.splat(1 - job.beta2), keep = f32x4.splat(1 - job.decay);
  for (let at = start; at < end; at += 16) {
    const g = mul(v128.load(job.total + at), clip);
    let v = v128.load(job.second + at), w = v128.load(job.weights + at);
    v = madd(f32x4.sub(mul(g, g), v), new2, v);
    v128.store(job.second + at, v);
    const isBias = n < job.unitBlocks ? at - start < 32 || (at - start >= half && at - start < half + 32) : at >= headBias;
    if (!isBias) w = mul(w, keep);
    if (job.optimizer == RMSPROP) {
      w = f32x4.sub(w, mul(rate, f32x4.div(g, f32x4.sqrt(f32x4.add(v, epsilon)))));
    } else {
      let m = v128.load(job.first + at);
      m = madd(f32x4.sub(g, m), new1, m);
      v128.store(job.first + at, m);
      w = f32x4.sub(w, mul(rate, f32x4.div(m, f32x4.add(f32x4.sqrt(v), epsilon))));
    }
    v128.store(job.weights + at, w);
  }
}

/** The gate columns of unit block n of `weights` as rows of `transposed`. */
function transpose(job: Job, n: i32): void {
  const Q = job.unitBlocks, E = job.entryBlocks;
  const half = <usize>(E + Q) << 7, panel = <usize>Q << 9;
  const from = job.weights + <usize>n * (half << 1), to = job.transposed + (<usize>n << 9);
  for (let u = 0; u < Q << 2; u++) column(from + (<usize>((E << 2) + u) << 5), half, to + <usize>(u >> 3) * panel + <usize>((u & 7) << 2));
  for (let c = 0; c < job.channels; c++) {
    column(from + (<usize>(1 + c) << 5), half, to + <usize>(((Q + 1) >> 1) + (c >> 3)) * panel + <usize>((c & 7) << 2));
  }
}

// @ts-ignore: decorator
@inline
function column(from: usize, half: usize, to: usize): void {
  for (let j: usize = 0; j < 8; j++) store<f32>(to + (j << 5), load<f32>(from + (j << 2)));
  for (let j: usize = 0; j < 8; j++) store<f32>(to + (j + 8 << 5), load<f32>(from + half + (j << 2)));
}
