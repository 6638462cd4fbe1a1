// Every operator that the interpreter knows: those that stand in recurrent networks as PyTorch, tf2onnx, keras2onnx and Keras write them. A
// new operator is one entry in one of these tables.
import { ACTIVATION_OPERATORS } from "./activations.ts";
import { ARITHMETIC_OPERATORS } from "./arithmetic.ts";
import { EINSUM } from "./einsum.ts";
import type { Operator } from "./operator.ts";
import { RECURRENT_OPERATORS } from "./recurrent.ts";
import { SHAPE_OPERATORS } from "./shapes.ts";
import { WINDOW_OPERATORS } from "./windows.ts";

/** By name. A map, since names come from files. */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map(
  Object.entries({
    Einsum: EINSUM,
    ...SHAPE_OPERATORS,
    ...ARITHMETIC_OPERATORS,
    ...ACTIVATION_OPERATORS,
    ...WINDOW_OPERATORS,
    ...RECURRENT_OPERATORS,
  }),
);
