// What belongs together by a number. Knows no sequence.

/** Positions of equal numbers, in their order, by rising number. */
export function groupPositions(numbers: ArrayLike<number>): Int32Array[] {
  const groups = new Map<number, number[]>();
  for (let i = 0; i < numbers.length; i++) {
    const group = groups.get(numbers[i]);
    if (group === undefined) groups.set(numbers[i], [i]);
    else group.push(i);
  }
  return [...groups].sort(([a], [b]) => a - b).map(([, positions]) => Int32Array.from(positions));
}
