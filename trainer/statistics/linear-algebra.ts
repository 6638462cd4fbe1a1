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
  for (let i = 0; i < M; i++)
    for (let j = 0; j <= i; j++) {
      let sum = A[i * stride + j];
      for (let k = 0; k < j; k++) sum -= A[i * stride + k] * A[j * stride + k];
      const diagonal = A[j * stride + j];
      if (i === j) A[i * stride + j] = Math.sqrt(pivot(sum, diagonal));
      else A[i * stride + j] = diagonal === 0 ? 0 : sum / diagonal;
    }
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
