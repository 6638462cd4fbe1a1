// What an operator of the interpreter is: the inputs and attributes that it takes, and what it makes of them. One entry of a table an
// operator; names as in github.com/onnx/onnx/blob/main/docs/Operators.md. Knows no graph and no file.
import { type Attribute, numbersOf, type Tensor, tensorOf, textsOf } from "./node.ts";

export type Attributes = ReadonlyMap<string, Attribute>;

export interface Operator {
  /** In order. `axes?` may be left out; `inputs…` stands for any number. Further inputs of a node are never computed. */
  readonly inputs: readonly string[];
  /** Outputs in order, from inputs in order. Throws OperatorError, or TypeError or RangeError where shapes do not fit. */
  evaluate(inputs: readonly (Tensor | undefined)[], attributes: Attributes): readonly Tensor[];
}

/** How an attribute is read: its value, or what is taken where it is absent. */
export type AttributeReader<T> = (value: Attribute | undefined) => T;

/** A number with a default. */
export function number(missing: number): AttributeReader<number> {
  return (value) => Number(value ?? missing);
}
/** A list of numbers; undefined where the attribute is absent or something else. */
export const numbers: AttributeReader<number[] | undefined> = numbersOf;
/** A list of texts; undefined where the attribute is absent or something else. */
export const texts: AttributeReader<string[] | undefined> = textsOf;
/** A tensor; undefined where the attribute is absent or something else. */
export const tensor: AttributeReader<Tensor | undefined> = tensorOf;
/** The attribute as it is; undefined where it is absent. */
export const anything = (value: Attribute | undefined): Attribute | undefined => value;

type Readers = Readonly<Record<string, AttributeReader<unknown>>>;
export type ValuesOf<R extends Readers> = { readonly [K in keyof R]: ReturnType<R[K]> };
type TensorsOf<I extends readonly string[]> = I extends readonly [`${string}…`]
  ? readonly Tensor[]
  : { readonly [K in keyof I]: I[K] extends `${string}?` ? Tensor | undefined : Tensor };

interface Definition<I extends readonly string[], R extends Readers> {
  readonly inputs: I;
  readonly attributes?: R;
  evaluate(inputs: TensorsOf<I>, attributes: ValuesOf<R>): readonly Tensor[];
}

/** A table's entry: attributes are read as declared, and inputs that the node must have are there when `evaluate` is called. */
export function operator<const I extends readonly string[], R extends Readers>({
  inputs,
  attributes: readers,
  evaluate,
}: Definition<I, R>): Operator {
  return {
    inputs,
    evaluate(given, attributes) {
      const absent = inputs.findIndex((name, k) => !/[?…]$/.test(name) && given[k] === undefined);
      if (absent >= 0) throw new OperatorError(`lacks its input ${absent}`, DAMAGED);
      return evaluate(given as TensorsOf<I>, readAttributes(readers ?? ({} as R), attributes));
    },
  };
}

/** The values of a node's attributes, each by its reader. */
export function readAttributes<R extends Readers>(readers: R, attributes: Attributes): ValuesOf<R> {
  return Object.fromEntries(Object.entries(readers).map(([name, read]) => [name, read(attributes.get(name))])) as ValuesOf<R>;
}

/** What an operator cannot do with a node: `problem` goes on from the operator's name, `fix` says what to do. */
export class OperatorError extends Error {
  readonly problem: string;
  readonly fix: string;
  constructor(problem: string, fix: string) {
    super(`${problem}: ${fix}`);
    this.problem = problem;
    this.fix = fix;
  }
}

export const DAMAGED = "the file is damaged: export the model again";

/** Throws: shapes or attributes that the operator's definition rules out. */
export function misfit(reason?: string): never {
  throw new OperatorError(`does not fit its inputs${reason === undefined ? "" : ` (${reason})`}`, DAMAGED);
}
