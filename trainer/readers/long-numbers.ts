// Whole numbers that float64 does not hold exactly. Knows no format.

/** Whether a text holds a whole number that is not this float64. */
export function isRounded(text: string, number: number): boolean {
  const cell = text.trim();
  return /^[+-]?\d+$/.test(cell) && BigInt(cell) !== BigInt(number);
}
