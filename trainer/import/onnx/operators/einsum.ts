// Einsum: products of tensors, summed over the letters that the result does not have.
// Definition: github.com/onnx/onnx/blob/main/docs/Operators.md#einsum, numpy.einsum.
import { anything, misfit, type Operator, OperatorError, operator } from "./operator.ts";
import { at, build } from "./tensors.ts";

/** Far above any product of layers; an equation that asks for more is rejected. */
const MAX_PRODUCTS = 100_000_000;

/** One character an axis: each tensor's, and the result's. An ellipsis is digits, as many as the axes that it stands for. */
interface Equation {
  readonly terms: readonly string[];
  readonly result: string;
}

/** `ranks`: how many axes each tensor has. Throws OperatorError where the equation is not one of these tensors. */
export function readEquation(equation: unknown, ranks: readonly number[]): Equation {
  const [left, result, ...more] = String(equation).replaceAll(" ", "").split("->");
  if (result === undefined || more.length > 0) misfit("an equation that does not say its result");
  const given = left.split(",");
  if (given.length !== ranks.length) misfit("an equation of another number of tensors");
  const around = given.map((term, k) => (term.includes("...") ? ranks[k] - (term.length - 3) : 0));
  const most = Math.max(...around);
  const spell = (term: string, axes: number): string => term.replace("...", "0123456789".slice(most - axes, most));
  const terms = given.map((term, k) => spell(term, around[k]));
  if (terms.some((term, k) => term.length !== ranks[k] || !/^[A-Za-z0-9]+$/.test(term))) misfit("an equation of other axes");
  return { terms, result: spell(result, most) };
}

export const EINSUM: Operator = operator({
  inputs: ["inputs…"],
  attributes: { equation: anything },
  evaluate(tensors, { equation }) {
    const { terms, result } = readEquation(
      equation,
      tensors.map(({ dims }) => dims.length),
    );
    const sizes = new Map<string, number>();
    for (const [k, term] of terms.entries())
      for (const [axis, letter] of [...term].entries()) {
        const size = tensors[k].dims[axis];
        if ((sizes.get(letter) ?? size) !== size) misfit("axes of one letter and two sizes");
        sizes.set(letter, size);
      }
    const summed = [...sizes.keys()].filter((letter) => !result.includes(letter));
    if ([...result].some((letter) => !sizes.has(letter))) misfit("a result of an axis that no tensor has");
    const products = [...sizes.values()].reduce((a, b) => a * b, 1);
    if (!(products <= MAX_PRODUCTS)) throw new OperatorError(`makes ${products} products`, `expected at most ${MAX_PRODUCTS}`);
    const letters = [...result, ...summed];
    const places = terms.map((term) => [...term].map((letter) => letters.indexOf(letter)));
    const inner = build(
      summed.map((letter) => sizes.get(letter)!),
      () => 0,
    );
    const product = (index: readonly number[]): number =>
      tensors.reduce(
        (value, tensor, k) =>
          value *
          at(
            tensor,
            places[k].map((place) => index[place]),
          ),
        1,
      );
    const sumAt = (index: readonly number[]): number => {
      let sum = 0;
      build(inner.dims, (rest) => (sum += product([...index, ...rest])));
      return sum;
    };
    return [
      build(
        [...result].map((letter) => sizes.get(letter)!),
        sumAt,
      ),
    ];
  },
});
