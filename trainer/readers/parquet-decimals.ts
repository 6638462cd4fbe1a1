// Parquet's decimals: whole numbers and a scale → the nearest float64, as the same digits in a CSV give. Knows no page.
// Definition: github.com/apache/parquet-format/blob/master/LogicalTypes.md#decimal
import type { DecodedArray, SchemaElement } from "hyparquet";

/** 10^22 is the largest power of ten that is a float64; whole numbers up to 2^53 are, too. A quotient of the two is rounded once. */
const MAX_EXACT_SCALE = 22;

/** Digits behind the point, where a column holds decimals; undefined where it holds something else. */
export function decimalScale({ converted_type: converted, logical_type: logical, scale }: SchemaElement): number | undefined {
  if (logical?.type === "DECIMAL") return logical.scale ?? scale ?? 0;
  return converted === "DECIMAL" ? (scale ?? 0) : undefined;
}

/** The nearest float64 of each decimal: `unscaled` as the page has them, integers or big-endian two's complement, over 10^scale. */
export function readDecimals(unscaled: DecodedArray, scale: number): Float64Array {
  const power = Number(`1e${scale}`);
  return Float64Array.from(unscaled as ArrayLike<unknown>, (value) => {
    const whole = value instanceof Uint8Array ? toBigInt(value) : (value as number | bigint);
    const near = Number(whole);
    return Number.isSafeInteger(near) && scale <= MAX_EXACT_SCALE ? near / power : Number(`${whole}e-${scale}`);
  });
}

function toBigInt(bytes: Uint8Array): bigint {
  if (bytes.length === 0) return 0n;
  return BigInt.asIntN(8 * bytes.length, BigInt(`0x${Buffer.from(bytes).toString("hex")}`));
}
