// Dense linear algebra on float64: Cholesky factors and Gram–Schmidt. Small and plain; what must be fast is in the kernels.
// Legend: M rows and columns of a symmetric matrix.

/** Σ a·b, first to last; both of the same length. */
export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/**
 * Gram–Schmidt: takes from `vector`, in place, its components along `directions`, which are orthonormal and as long as it. Two
 * passes, for float64 orthogonality ("twice is enough": Giraud, Langou & Rozložník 2005). Returns each direction's component.
 */
export function orthogonalise(vector: Float64Array, directions: readonly Float64Array[]): number[] {
  const components = directions.map(() => 0);
  for (let pass = 0; pass < 2; pass++)
    directions.forEach((direction, k) => {
      const component = dot(vector, direction);
      components[k] += component;
      for (let i = 0; i < vector.length; i++) vector[i] -= component * direction[i];
    });
  return components;
}

/**
 * What becomes of a pivot: `left` is what the columns before leave of the diagonal's `own` value. Above 0, its root is the
 * factor's diagonal; at 0 the column is left out.
 */
export type PivotRule = (left: number, own: number) => number;

/**
 * Cholesky: the lower triangle of A, its rows `stride` ≥ M numbers apart, becomes in place that of L with A = LLᵀ. A column that
 * `pivot` leaves out is zero in L, and so is what belongs to it in a solution.
 */
export function factorise(A: Float64Array, stride: number, M: number, pivot: PivotRule): void {
  for (let i = 0; i < M; i += FOUR) {
    const isWhole = i + FOUR <= M;
    if (isWhole) for (let j = 0; j < i; j++) reduceFour(A, stride, i, j);
    for (let row = i; row < Math.min(i + FOUR, M); row++)
      for (let j = isWhole ? i : 0; j <= row; j++) {
        let sum = A[row * stride + j];
        for (let k = 0; k < j; k++) sum -= A[row * stride + k] * A[j * stride + k];
        const diagonal = A[j * stride + j];
        if (row === j) A[row * stride + j] = Math.sqrt(pivot(sum, diagonal));
        else A[row * stride + j] = diagonal === 0 ? 0 : sum / diagonal;
      }
  }
}

const FOUR = 4;

/** Column j of the factor in the rows i … i + 3 below it: four sums side by side, since one would wait for itself. */
function reduceFour(A: Float64Array, stride: number, i: number, j: number): void {
  const [p, q, r, s, own] = [i * stride, (i + 1) * stride, (i + 2) * stride, (i + 3) * stride, j * stride];
  let [a, b, c, d] = [A[p + j], A[q + j], A[r + j], A[s + j]];
  for (let k = 0; k < j; k++) {
    const factor = A[own + k];
    a -= A[p + k] * factor;
    b -= A[q + k] * factor;
    c -= A[r + k] * factor;
    d -= A[s + k] * factor;
  }
  const diagonal = A[own + j];
  const divide = (sum: number): number => (diagonal === 0 ? 0 : sum / diagonal);
  A[p + j] = divide(a);
  A[q + j] = divide(b);
  A[r + j] = divide(c);
  A[s + j] = divide(d);
}

/** y (M) with L y = b, of a factor L as factorise leaves it. */
export function solveLower(L: Float64Array, stride: number, b: Float64Array): Float64Array {
  const y = b.slice();
  for (let i = 0; i < y.length; i++) {
    for (let k = 0; k < i; k++) y[i] -= L[i * stride + k] * y[k];
    y[i] = L[i * stride + i] === 0 ? 0 : y[i] / L[i * stride + i];
  }
  return y;
}

/** v (M) with LLᵀ v = b, of a factor L as factorise leaves it. */
export function solveFactorised(L: Float64Array, stride: number, b: Float64Array): Float64Array {
  const v = solveLower(L, stride, b);
  for (let i = v.length - 1; i >= 0; i--) {
    for (let k = i + 1; k < v.length; k++) v[i] -= L[k * stride + i] * v[k];
    v[i] = L[i * stride + i] === 0 ? 0 : v[i] / L[i * stride + i];
  }
  return v;
}

/** Rows taken together by addProducts: with 100 columns their copy stays in the second-level cache. */
export const BLOCK_ROWS = 128;

/**
 * A += B Bᵀ around the lower triangle, four rows against two at a time: eight sums stay in registers. `block` (M,BLOCK_ROWS) is B, A is
 * (M,M), and M = `stride` is a multiple of 4.
 */
export function addProducts(block: Float64Array, stride: number, A: Float64Array): void {
  for (let i = 0; i < stride; i += 4)
    for (let j = 0; j < i + 4; j += 2) {
      const i0 = i * BLOCK_ROWS;
      const i1 = i0 + BLOCK_ROWS;
      const i2 = i1 + BLOCK_ROWS;
      const i3 = i2 + BLOCK_ROWS;
      const j0 = j * BLOCK_ROWS;
      const j1 = j0 + BLOCK_ROWS;
      let s00 = 0;
      let s01 = 0;
      let s10 = 0;
      let s11 = 0;
      let s20 = 0;
      let s21 = 0;
      let s30 = 0;
      let s31 = 0;
      for (let r = 0; r < BLOCK_ROWS; r++) {
        const a = block[j0 + r];
        const b = block[j1 + r];
        s00 += block[i0 + r] * a;
        s01 += block[i0 + r] * b;
        s10 += block[i1 + r] * a;
        s11 += block[i1 + r] * b;
        s20 += block[i2 + r] * a;
        s21 += block[i2 + r] * b;
        s30 += block[i3 + r] * a;
        s31 += block[i3 + r] * b;
      }
      const at = i * stride + j;
      A[at] += s00;
      A[at + 1] += s01;
      A[at + stride] += s10;
      A[at + stride + 1] += s11;
      A[at + 2 * stride] += s20;
      A[at + 2 * stride + 1] += s21;
      A[at + 3 * stride] += s30;
      A[at + 3 * stride + 1] += s31;
    }
}
