// Data whose static features keep no row from being padding → the same as plain rows, for whoever knows only these.
// Legend: N sequences, T steps, F features.
import { isZeroRow, type Shape } from "../../shared/sequence.ts";

/** Padding in front is all zero, in what is static, too; nothing is static any more. The data as they are where nothing was. */
export function asPlainRows<
  D extends { readonly values: Float64Array; readonly shape: Shape; readonly test: { readonly values: Float64Array } | null },
>(data: D): D {
  const { shape, test } = data;
  const { statics = 0, ...plain } = shape;
  if (statics === 0) return data;
  return {
    ...data,
    shape: plain,
    values: clearFront(data.values, shape),
    test: test && { ...test, values: clearFront(test.values, shape) },
  };
}

function clearFront(values: Float64Array, shape: Shape): Float64Array {
  const { timesteps: T, features: F } = shape;
  const out = values.slice();
  for (let offset = 0; offset < out.length; offset += T * F)
    for (let t = 0; t < T && isZeroRow(out, offset + t * F, shape); t++) out.fill(0, offset + t * F, offset + (t + 1) * F);
  return out;
}
