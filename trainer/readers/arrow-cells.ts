// One entry of an Arrow vector → a cell as a table's reader takes it. Knows no file.
import { DataType, TimeUnit, type Vector } from "apache-arrow";
import type { Cell } from "./parquet-cursor.ts";

/** Entries of a second. */
const UNITS: Readonly<Record<TimeUnit, bigint>> = {
  [TimeUnit.SECOND]: 1n,
  [TimeUnit.MILLISECOND]: 1000n,
  [TimeUnit.MICROSECOND]: 1_000_000n,
  [TimeUnit.NANOSECOND]: 1_000_000_000n,
};

/** A number, text, boolean or null as it is; times as ISO texts with all their digits; decimals as the nearest float64. */
export function arrowCell(vector: Vector, i: number): Cell {
  const { type } = vector;
  if (DataType.isTimestamp(type)) {
    const ticks = ticksOf(vector, i);
    return ticks === null ? null : toIso(ticks, UNITS[type.unit]);
  }
  const cell: unknown = vector.get(i);
  if (cell === null) return null;
  if (DataType.isDate(type)) return new Date(Number(cell));
  if (DataType.isDecimal(type)) return toDecimal(cell as Uint32Array, type.scale);
  return cell as Cell;
}

/** The entry as it is stored: apache-arrow gives milliseconds, and rounds what is finer. */
function ticksOf(vector: Vector, i: number): bigint | null {
  if (!vector.isValid(i)) return null;
  let at = i;
  for (const { length, values } of vector.data) {
    if (at < length) return BigInt((values as BigInt64Array)[at]);
    at -= length;
  }
  return null;
}

function toIso(ticks: bigint, unit: bigint): string {
  const fraction = ((ticks % unit) + unit) % unit;
  const second = new Date(Number((ticks - fraction) / unit) * 1000).toISOString().slice(0, 19);
  return fraction === 0n ? `${second}Z` : `${second}.${String(fraction).padStart(String(unit).length - 1, "0")}Z`;
}

/** 32-bit words, lowest first, in two's complement. */
function toDecimal(words: Uint32Array, scale: number): number {
  const bits = 32 * words.length;
  const whole = words.reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n);
  return Number(`${BigInt.asIntN(bits, whole)}e${-scale}`);
}
