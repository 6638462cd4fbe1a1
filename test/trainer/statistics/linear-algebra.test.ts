import { describe, expect, test } from "vitest";
import { dot, factorise, orthogonalise, solveFactorised, solveLower } from "../../../trainer/statistics/linear-algebra.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";

const take = (left: number): number => left;
/** A matrix, its rows five numbers apart; what is no part of its lower triangle is NaN. */
const spread = (rows: number[][]): Float64Array => {
  const A = new Float64Array(5 * rows.length).fill(Number.NaN);
  rows.forEach((row, i) => {
    A.set(row.slice(0, i + 1), 5 * i);
  });
  return A;
};

describe("Cholesky", () => {
  // By hand: 2; 2/2, √(5 − 1²); 0.6/2, (1.5 − 0.3 · 1)/2, √(3 − 0.3² − 0.6²).
  const A = [
    [4, 2, 0.6],
    [2, 5, 1.5],
    [0.6, 1.5, 3],
  ];
  const L = spread(A);
  factorise(L, 5, 3, take);
  const b = Float64Array.of(1, 2, 3);

  test("the factor is as by hand, and nothing but the lower triangle is read or written", () => {
    const expected = [2, 1, 2, 0.3, 0.6, Math.sqrt(2.55)];
    [0, 5, 6, 10, 11, 12].forEach((at, i) => {
      expect(L[at]).toBeCloseTo(expected[i], 14);
    });
    expect([1, 2, 3, 4, 7, 8, 9, 13, 14].every((at) => Number.isNaN(L[at]))).toBe(true);
  });

  test("the solution solves, and its quadratic form is the sum of squares of the forward half", () => {
    const v = solveFactorised(L, 5, b);
    A.forEach((row, i) => {
      expect(row.reduce((sum, a, j) => sum + a * v[j], 0)).toBeCloseTo(b[i], 14);
    });
    const y = solveLower(L, 5, b);
    expect(dot(y, y)).toBeCloseTo(dot(b, v), 14);
    expect([...b]).toEqual([1, 2, 3]);
  });

  test("a column that is left out leaves the others' solution as it is without it", () => {
    const doubled = spread([
      [4, 4, 2],
      [4, 4, 2],
      [2, 2, 5],
    ]);
    factorise(doubled, 5, 3, (left, own) => (left < 1e-6 * own ? 0 : left));
    const alone = spread([
      [4, 2],
      [2, 5],
    ]);
    factorise(alone, 5, 2, take);
    const [x, y] = solveFactorised(alone, 5, Float64Array.of(1, 2));
    expect([...solveFactorised(doubled, 5, Float64Array.of(1, 1, 2))]).toEqual([x, 0, y]);
  });

  test.each([3, 4, 7, 12, 21])("the factor of %i rows is that of plain loops, bit for bit, a column that is left out included", (M) => {
    const random = createRandom(M);
    const rows = Array.from({ length: M }, () => Float64Array.from({ length: M + 3 }, () => random.normal()));
    rows[2] = rows[1];
    const stride = M + 1;
    const products = new Float64Array(M * stride);
    for (let i = 0; i < M; i++) for (let j = 0; j <= i; j++) products[i * stride + j] = dot(rows[i], rows[j]);
    const pivot = (left: number, own: number): number => (left < 1e-6 * own ? 0 : left);
    const expected = products.slice();
    for (let i = 0; i < M; i++)
      for (let j = 0; j <= i; j++) {
        let sum = expected[i * stride + j];
        for (let k = 0; k < j; k++) sum -= expected[i * stride + k] * expected[j * stride + k];
        const diagonal = expected[j * stride + j];
        expected[i * stride + j] = i === j ? Math.sqrt(pivot(sum, diagonal)) : diagonal === 0 ? 0 : sum / diagonal;
      }
    factorise(products, stride, M, pivot);
    expect(products).toEqual(expected);
    expect(products[2 * stride + 2]).toBe(0);
  });
});

describe("Gram–Schmidt", () => {
  test("what is left is orthogonal to float64's last digits, though little is left, and the components give the vector back", () => {
    const random = createRandom(1);
    const directions: Float64Array[] = [];
    for (let k = 0; k < 5; k++) {
      const direction = Float64Array.from({ length: 20 }, () => random.normal());
      orthogonalise(direction, directions);
      const norm = Math.sqrt(dot(direction, direction));
      directions.push(direction.map((x) => x / norm));
    }
    const noise = Float64Array.from({ length: 20 }, () => 1e-9 * random.normal());
    const vector = noise.map((x, i) => directions.reduce((sum, direction, k) => sum + (k + 1) * direction[i], x));
    const left = vector.slice();
    const components = orthogonalise(left, directions);
    const size = Math.sqrt(dot(left, left));
    expect(size).toBeLessThan(1e-8);
    directions.forEach((direction, k) => {
      expect(Math.abs(dot(left, direction)) / size).toBeLessThan(1e-15);
      expect(components[k]).toBeCloseTo(k + 1, 7);
    });
    vector.forEach((x, i) => {
      expect(directions.reduce((sum, direction, k) => sum + components[k] * direction[i], left[i])).toBeCloseTo(x, 14);
    });
  });
});
