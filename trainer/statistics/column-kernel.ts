// A table of columns in the memory of a WebAssembly kernel, which sums over its rows. Knows no loss and no penalty.
// Legend: N rows, W columns.
import { readFileSync } from "node:fs";

interface Exports {
  readonly logits: (x: number, W: number, rows: number, count: number, at: number, out: number) => void;
  readonly addRows: (x: number, W: number, rows: number, count: number, factors: number, to: number, width: number) => void;
}

/** Sums over rows of a table; what they return is overwritten by the next call. */
export interface ColumnTable {
  /** (N,W) */
  readonly x: Float32Array;
  /** (count) logits of `rows`: each four sums of every fourth column, from the intercept at (W+1) on, added up as a + b + (c + d). */
  logits(rows: Int32Array, at: Float64Array): Float64Array;
  /** (W) Σ factors · rows, one row after the other, from 0 on. */
  sumRows(rows: Int32Array, factors: Float64Array): Float64Array;
  /** (W,W) mean products of columns over `rows`, the lower triangle. */
  meanProducts(rows: Int32Array): Float64Array;
}

const PAGE = 65_536;
/** Rows that stay in the second-level cache while all products are added to. */
const BLOCK = 64;

let compiled: WebAssembly.Module | undefined;

/** Memory for N rows of W columns, all 0. Throws RangeError where the host grants none. */
export function createColumnTable(N: number, W: number): ColumnTable {
  compiled ??= new WebAssembly.Module(readFileSync(new URL("../kernel/columns.wasm", import.meta.url)));
  let end = 0;
  const reserve = (bytes: number): number => {
    const start = end;
    end += Math.ceil(bytes / 16) * 16;
    return start;
  };
  // what is read in fours may end past a table's last number, so it does not stand last
  const places = { x: reserve(4 * N * W), rows: reserve(4 * N), numbers: reserve(8 * N), at: reserve(8 * (W + 1)), sums: reserve(8 * W) };
  const pages = Math.ceil((end + 16) / PAGE);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const kernel = new WebAssembly.Instance(compiled, { env: { memory } }).exports as unknown as Exports;
  const rowNumbers = new Int32Array(memory.buffer, places.rows, N);
  const numbers = new Float64Array(memory.buffer, places.numbers, N);
  const coefficients = new Float64Array(memory.buffer, places.at, W + 1);
  const sums = new Float64Array(memory.buffer, places.sums, W);
  const x = new Float32Array(memory.buffer, places.x, N * W);
  const addRows = (from: number, count: number, width: number): void =>
    kernel.addRows(places.x, W, places.rows + 4 * from, count, places.numbers, places.sums, width);
  return {
    x,
    logits(rows, at) {
      rowNumbers.set(rows);
      coefficients.set(at);
      kernel.logits(places.x, W, places.rows, rows.length, places.at, places.numbers);
      return numbers.subarray(0, rows.length);
    },
    sumRows(rows, factors) {
      rowNumbers.set(rows);
      if (factors.buffer !== memory.buffer) numbers.set(factors);
      sums.fill(0);
      addRows(0, rows.length, W);
      return sums;
    },
    meanProducts(rows) {
      rowNumbers.set(rows);
      const products = new Float64Array(W * W);
      for (let from = 0; from < rows.length; from += BLOCK) {
        const count = Math.min(BLOCK, rows.length - from);
        for (let a = 0; a < W; a++) {
          for (let i = 0; i < count; i++) numbers[i] = x[rows[from + i] * W + a];
          const row = products.subarray(a * W, a * W + a + 1);
          sums.set(row);
          addRows(from, count, a + 1);
          row.set(sums.subarray(0, a + 1));
        }
      }
      return products.map((sum) => sum / rows.length);
    },
  };
}
