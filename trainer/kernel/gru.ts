// A GRU layer as Keras defines it without reset_after (Cho et al. 2014): z, r = gate(x·K + h·U), c = tanh(x·K + (r∘h)·U),
// h = z∘h + (1−z)∘c. Its weights' halves are [z4 r4] and [c4 0]; the rest is as in training.ts.
import { gate, gateSlope, tanh } from "./activations";
import { counts, flush, int, Job, mul, offsets, packedPitch, round4, tick } from "./job";
import { addOutputGradients } from "./layer";
import { gatesTile, madd, statesTile, weightsTile } from "./products";

export function gruForward(job: Job, workspace: usize, progress: usize): void {
  if (job.hardGates) forward<i32>(job, workspace, progress);
  else forward<f32>(job, workspace, progress);
}

export function gruBackward(job: Job, workspace: usize, start: i32, progress: usize): void {
  if (job.hardGates) backward<i32>(job, workspace, start, progress);
  else backward<f32>(job, workspace, start, progress);
}

/** G: f32 for sigmoid gates, i32 for hard ones. */
function forward<G>(job: Job, workspace: usize, progress: usize): void {
  const Q = job.unitBlocks, E = job.entryBlocks, rows16 = <usize>job.chunkRows << 4;
  const count = counts(workspace), offset = offsets(job, workspace);
  const pitch = packedPitch(job, workspace), pitch16 = pitch << 4, pitch64 = pitch << 6;
  const entries = workspace + job.entries, resets = workspace + job.resets, half = <usize>(E + Q) << 7;
  for (let e = 0; e < E; e++) memory.copy(resets + <usize>e * pitch16, entries + <usize>e * pitch16, <usize>int(offset, job.timesteps) << 4);
  if (!job.initialStates) memory.fill(workspace + job.last, 0, <usize>Q * rows16);
  for (let t = 0; t < job.timesteps && int(count, t) > 0; t++) {
    tick(progress);
    const n = int(count, t), next = int(count, t + 1), all = round4(n), allNext = round4(next), o = <usize>int(offset, t);
    for (let q = 0; q < Q; q++) {
      const w = job.weights + <usize>q * (half << 1);
      let g = workspace + job.gates + <usize>q * pitch64 + (o << 6);
      for (let r = 0; r < all; r += 4) gatesTile(entries + (o + r << 4), pitch16, job.channels, E, Q, w, g + (<usize>r << 6));
      let before = entries + <usize>(E + q) * pitch16 + (o << 4), reset = resets + <usize>(E + q) * pitch16 + (o << 4);
      for (let r = 0; r < all; r++) {
        const z = gate<G>(v128.load(g)), y = gate<G>(v128.load(g, 16));
        v128.store(g, z); v128.store(g, y, 16);
        v128.store(reset, mul(y, v128.load(before)));
        g += 64; before += 16; reset += 16;
      }
    }
    for (let q = 0; q < Q; q++) {
      const w = job.weights + <usize>q * (half << 1) + half;
      let g = workspace + job.gates + <usize>q * pitch64 + (o << 6);
      for (let r = 0; r < all; r += 4) gatesTile(resets + (o + r << 4), pitch16, job.channels, E, Q, w, g + (<usize>r << 6) + 32);
      let before = entries + <usize>(E + q) * pitch16 + (o << 4);
      let h = entries + <usize>(E + q) * pitch16 + (<usize>int(offset, t + 1) << 4);
      let l = workspace + job.last + <usize>q * rows16;
      for (let r = 0; r < all; r++) {
        const z = v128.load(g), c = tanh(v128.load(g, 32));
        v128.store(g, c, 32);
        const state = madd(z, v128.load(before), mul(f32x4.sub(f32x4.splat(1), z), c));
        if (r < allNext) v128.store(h, state);
        if (r >= next && r < n) v128.store(l, state);
        g += 64; before += 16; h += 16; l += 16;
      }
    }
  }
}

/** Gates become gradients before activation, from the last step to the first; the states' gradients end as those before the first step. */
function backward<G>(job: Job, workspace: usize, start: i32, progress: usize): void {
  const count = counts(workspace), offset = offsets(job, workspace);
  let t = job.timesteps;
  while (t > 0 && int(count, t - 1) == 0) t--;
  for (t--; t >= 0; t--) {
    tick(progress);
    const n = int(count, t), o = <usize>int(offset, t);
    if (job.outputsGradient) addOutputGradients(job, workspace, start, t, n);
    candidateGradients<G>(job, workspace, n, o);
    toStates(job, workspace, n, o, workspace + job.resetGradients, true);
    resetGateGradients<G>(job, workspace, n, o);
    toStates(job, workspace, n, o, workspace + job.stateGradients, false);
    const pitch = packedPitch(job, workspace);
    for (let q = 0; q < job.unitBlocks; q++) {
      let g = workspace + job.gates + (<usize>q * pitch + o << 6), kept = workspace + job.cells + (<usize>q * pitch + o << 4);
      for (let r = 0; r < n; r++, g += 64, kept += 16) v128.store(g, v128.load(kept), 32);
    }
  }
}

/** Gate gradients of a step · weightsᵀ, added to the states' gradients at `states`, which are 0 before where `isNew`. */
function toStates(job: Job, workspace: usize, n: i32, o: usize, states: usize, isNew: bool): void {
  const Q = job.unitBlocks, rows16 = <usize>job.chunkRows << 4, pitch64 = packedPitch(job, workspace) << 6;
  if (isNew) memory.fill(states, 0, <usize>((Q + 1) & ~1) * rows16);
  for (let v = 0; v < Q; v += 2) {
    const w = job.transposed + <usize>v * (<usize>Q << 8);
    for (let r = 0; r < n; r += 4) {
      const lo = states + <usize>v * rows16 + (<usize>r << 4);
      statesTile(workspace + job.gates + (o + r << 6), pitch64, Q, w, lo, lo + rows16);
    }
  }
}

/** The candidate's gradients alone stand in the gates then; z's are kept in `cells`, the reset gate in `tanhs`. */
function candidateGradients<G>(job: Job, workspace: usize, n: i32, o: usize): void {
  const Q = job.unitBlocks, E = job.entryBlocks, rows16 = <usize>job.chunkRows << 4, pitch = packedPitch(job, workspace);
  const one = f32x4.splat(1), zero = f32x4.splat(0);
  for (let q = 0; q < Q; q++) {
    const at = <usize>q * pitch + o;
    let g = workspace + job.gates + (at << 6), z4 = workspace + job.cells + (at << 4), r4 = workspace + job.tanhs + (at << 4);
    let dh = workspace + job.stateGradients + <usize>q * rows16;
    let before = workspace + job.entries + (<usize>(E + q) * pitch + o << 4);
    for (let r = 0; r < n; r++) {
      const z = v128.load(g), c = v128.load(g, 32), d = flush(v128.load(dh));
      v128.store(z4, mul(mul(d, f32x4.sub(v128.load(before), c)), gateSlope<G>(z)));
      v128.store(r4, v128.load(g, 16));
      v128.store(g, zero); v128.store(g, zero, 16);
      v128.store(g, mul(mul(d, f32x4.sub(one, z)), f32x4.sub(one, mul(c, c))), 32);
      v128.store(g, zero, 48);
      v128.store(dh, mul(d, z));
      g += 64; z4 += 16; r4 += 16; dh += 16; before += 16;
    }
    // Rows that only fill up the block of 4 pass nothing on.
    memory.fill(g, 0, <usize>(round4(n) - n) << 6);
  }
}

/** The gradients of z and of the reset gate stand in the gates then, the candidate's are kept in `cells`. */
function resetGateGradients<G>(job: Job, workspace: usize, n: i32, o: usize): void {
  const Q = job.unitBlocks, E = job.entryBlocks, rows16 = <usize>job.chunkRows << 4, pitch = packedPitch(job, workspace);
  for (let q = 0; q < Q; q++) {
    const at = <usize>q * pitch + o;
    let g = workspace + job.gates + (at << 6), kept = workspace + job.cells + (at << 4), r4 = workspace + job.tanhs + (at << 4);
    let dh = workspace + job.stateGradients + <usize>q * rows16, dr = workspace + job.resetGradients + <usize>q * rows16;
    let before = workspace + job.entries + (<usize>(E + q) * pitch + o << 4);
    for (let r = 0; r < n; r++) {
      const y = v128.load(r4), d = v128.load(dr), c = v128.load(g, 32);
      v128.store(g, v128.load(kept));
      v128.store(g, mul(mul(d, v128.load(before)), gateSlope<G>(y)), 16);
      v128.store(g, f32x4.splat(0), 32);
      v128.store(kept, c);
      v128.store(dh, madd(d, y, v128.load(dh)));
      g += 64; kept += 16; r4 += 16; dh += 16; dr += 16; before += 16;
    }
  }
}

/** Σ over packed rows of entriesᵀ · gate gradients, added to `gradients` (weights' layout). */
export function gruWeightGradients(job: Job, workspace: usize, gradients: usize, progress: usize): void {
  const Q = job.unitBlocks, E = job.entryBlocks, pitch = packedPitch(job, workspace), half = <usize>(E + Q) << 7;
  const total = int(offsets(job, workspace), job.timesteps);
  for (let q = 0; q < Q; q++) {
    tick(progress);
    const g = workspace + job.gates + (<usize>q * pitch << 6);
    for (let e = 0; e < E + Q; e++) {
      const a = <usize>e * pitch << 4, to = gradients + <usize>q * (half << 1) + (<usize>e << 7);
      weightsTile(workspace + job.entries + a, g, total, to);
      weightsTile(workspace + job.resets + a, g + 32, total, to + half);
    }
  }
}
