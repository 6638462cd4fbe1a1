// Every operator that the interpreter knows: those that stand around one recurrent network in what PyTorch, tf2onnx and keras2onnx
// write. A new operator is one entry in one of these tables.
import { ARITHMETIC_OPERATORS } from "./arithmetic.ts";
import { LSTM } from "./lstm.ts";
import type { Operator } from "./operator.ts";
import { SHAPE_OPERATORS } from "./shapes.ts";

/** By name. A map, since names come from files. */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map(Object.entries({ ...SHAPE_OPERATORS, ...ARITHMETIC_OPERATORS, LSTM }));
