// How much a channel could add to what a model already knows, without training anything: Rao's score test of its steps, their
// sizes, and their products with the channels already chosen. One pass over the data a channel.
// Legend: N sequences, T steps, C channels, D columns.
import type { Channels } from "../../shared/recipe/recipe.ts";
import { addProducts, BLOCK_ROWS, factorise, solveLower } from "../statistics/linear-algebra.ts";

/** The latest steps stand alone; those before them are pooled into one mean. */
export const BLOCKS = 10;

export interface ScoreGain {
  /** Expected fall of the mean log loss in nats, less what chance alone would show. */
  readonly gain: number;
  /** Standard deviation of that gain if the channel adds nothing. */
  readonly noise: number;
}

/** (N,BLOCKS) of one channel: right-aligned, 0 where a sequence has no such step. */
export function blocksOf({ channels, lengths }: Pick<Channels, "channels" | "lengths">, T: number, c: number): Float64Array {
  const N = lengths.length;
  const C = channels.length / (N * T);
  const out = new Float64Array(N * BLOCKS);
  for (let n = 0; n < N; n++) {
    const older = Math.max(0, lengths[n] - (BLOCKS - 1));
    for (let t = 0; t < lengths[n]; t++) {
      const fromEnd = lengths[n] - 1 - t;
      const x = channels[(n * T + t) * C + c];
      if (fromEnd < BLOCKS - 1) out[n * BLOCKS + fromEnd] = x;
      else out[n * BLOCKS + BLOCKS - 1] += x / older;
    }
  }
  return out;
}

/**
 * The score test of `candidate` (N,BLOCKS) against residuals label − probability. At the maximum of a model's likelihood,
 * ½ uᵀH⁻¹u with u = Zᵀr, H = ZᵀWZ approximates what adding the columns Z would gain (Rao 1948); under chance it is ½χ²(D).
 */
export function scoreGain(
  candidate: Float64Array,
  chosen: readonly Float64Array[],
  labels: ArrayLike<number>,
  probabilities: ArrayLike<number>,
): ScoreGain {
  const N = labels.length;
  const D = BLOCKS * (2 + chosen.length);
  const stride = Math.ceil((D + 1) / 4) * 4;
  const size = meanSize(candidate);
  const u = new Float64Array(D);
  const H = new Float64Array(stride * stride); // of the columns, and of the intercept behind them
  const block = new Float64Array(stride * BLOCK_ROWS); // (stride,rows) columns times √w
  for (let start = 0; start < N; start += BLOCK_ROWS) {
    const rows = Math.min(BLOCK_ROWS, N - start);
    if (rows < BLOCK_ROWS) block.fill(0);
    for (let r = 0; r < rows; r++) {
      const n = start + r;
      const p = probabilities[n];
      const root = Math.sqrt(p * (1 - p));
      const residual = labels[n] - p;
      const put = (d: number, z: number): void => {
        u[d] += residual * z;
        block[d * BLOCK_ROWS + r] = root * z;
      };
      for (let j = 0; j < BLOCKS; j++) {
        const x = candidate[n * BLOCKS + j];
        put(j, x);
        put(BLOCKS + j, x === 0 ? 0 : Math.abs(x) - size[j]);
        for (let k = 0; k < chosen.length; k++) put((2 + k) * BLOCKS + j, x * chosen[k][n * BLOCKS + j]);
      }
      block[D * BLOCK_ROWS + r] = root;
    }
    addProducts(block, stride, H);
  }
  const means = H.subarray(D * stride, D * stride + D + 1); // Σ w·z, and Σ w at the end: the intercept is free
  for (let a = 0; a < D; a++) for (let b = 0; b <= a; b++) H[a * stride + b] -= (means[a] * means[b]) / means[D];
  const { statistic, rank } = quadraticForm(H, stride, u);
  return { gain: (statistic - rank) / (2 * N), noise: Math.sqrt(2 * rank) / (2 * N) };
}

/** (BLOCKS) mean |x| over the sequences that have the step. */
function meanSize(blocks: Float64Array): Float64Array {
  const sum = new Float64Array(BLOCKS);
  const count = new Float64Array(BLOCKS);
  for (let i = 0; i < blocks.length; i++) {
    if (blocks[i] === 0) continue;
    sum[i % BLOCKS] += Math.abs(blocks[i]);
    count[i % BLOCKS]++;
  }
  return sum.map((total, j) => (count[j] === 0 ? 0 : total / count[j]));
}

/** Columns that keep less than this share of themselves beside the others are passed over. */
const COLLINEAR = 1e-6;

/** uᵀH⁻¹u of H's lower triangle, which is overwritten; columns without own information are left out, and `rank` counts the others. */
function quadraticForm(H: Float64Array, stride: number, u: Float64Array): { statistic: number; rank: number } {
  const D = u.length;
  factorise(H, stride, D, (left, own) => (!(own > 0) || left < COLLINEAR * own ? 0 : left));
  let rank = 0;
  for (let j = 0; j < D; j++) if (H[j * stride + j] !== 0) rank++;
  return { statistic: solveLower(H, stride, u).reduce((sum, y) => sum + y * y, 0), rank };
}
