// How large a network is. Knows no layer.

/** Numbers in all float32 arrays of a network, or of a list of them, however deep. */
export function countWeights(network: object): number {
  let count = 0;
  for (const value of Object.values(network)) {
    if (value instanceof Float32Array) count += value.length;
    else if (typeof value === "object" && value !== null) count += countWeights(value);
  }
  return count;
}
