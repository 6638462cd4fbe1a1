// An ONNX model as an Engine, on channels as the recipe gives them. Sequences go through one at a time: a batch's other rows would
// change the last bits of a sequence's own sums, and an Engine promises that they do not.
// Legend: N sequences, T steps, C channels.
import type { Engine } from "../engine.ts";
import type { OutputKind } from "../members.ts";
import type { Calibration } from "../networks/lstm.ts";
import { readEnding } from "./ending.ts";
import { checkAnswers, type Declaring, outputKind, probes, reject } from "./output.ts";
import { FLOAT, INT32, INT64, type Port, type Session, type Tensor } from "./session.ts";

/** Two float32 implementations that round in another order: test/parity.test.ts argues it. */
const TOLERANCE = 2e-6;

/** What a graph's inputs say. */
export interface OnnxShape {
  /** T and C where the graph fixes them. */
  readonly timesteps: number | undefined;
  readonly channels: number | undefined;
  /** Whether the graph takes each sequence's length; else it cannot distinguish data from the zero rows behind. */
  readonly takesLengths: boolean;
  /** Numbers for a sequence: 1, or 2 for class 0 and class 1. */
  readonly classes: number;
}

/** Throws ArtifactError where the graph is not sequences (N,T,C) float32, and lengths (N) perhaps, to one or two numbers each. */
export function shapeOfOnnx({ inputs, outputs }: Session): OnnxShape {
  const [sequences, lengths, ...others] = inputs;
  if (sequences === undefined || sequences.type !== FLOAT || sequences.shape.length !== 3)
    reject(`its first input must be float32 (N, steps, features), got ${describePort(sequences)}`);
  if (lengths !== undefined && ((lengths.type !== INT32 && lengths.type !== INT64) || lengths.shape.length !== 1))
    reject(`its second input, if any, must be lengths, int32 or int64 (N), got ${describePort(lengths)}`);
  if (others.length > 0) reject(`it must have one input, or two with lengths, got ${inputs.length}`);
  const [output] = outputs;
  const classes = output?.shape.length === 1 ? 1 : output?.shape[1];
  if (output === undefined || output.type !== FLOAT || output.shape.length > 2 || (classes !== 1 && classes !== 2))
    return reject(`its first output must be float32 (N), (N, 1) or (N, 2), got ${describePort(output)}`);
  const fixed = (size: number | string): number | undefined => (typeof size === "number" && size > 0 ? size : undefined);
  return { timesteps: fixed(sequences.shape[1]), channels: fixed(sequences.shape[2]), takesLengths: lengths !== undefined, classes };
}

/** What the graph answers for the first `length` rows of (T,C): `classes` numbers. Throws ArtifactError where it gives another count. */
type Answer = (rows: Float32Array, length: number) => Float32Array;

/** The graph as a function of one sequence. Throws ArtifactError where the graph fixes another T or C. */
function openAnswer(session: Session, { timesteps: T, channels: C }: Size): Answer {
  const shape = shapeOfOnnx(session);
  if ((shape.timesteps ?? T) !== T || (shape.channels ?? C) !== C)
    reject(`its first input must be (N, ${T}, ${C}) to go with model.safetensors, got ${describePort(session.inputs[0])}`);
  const padded = new Float32Array(T * C);
  const data: Tensor = { type: FLOAT, shape: [1, T, C], data: padded };
  return (rows, length) => {
    padded.fill(0);
    padded.set(rows);
    const results = session.run(shape.takesLengths ? [data, lengthTensor(session.inputs[1], length)] : [data]);
    if (results.length !== shape.classes) reject(`it must give ${shape.classes} numbers for a sequence, got ${results.length}`);
    return results;
  };
}

/**
 * What the output of another's graph holds: by its last operator or as `declared`, and as its answers do not contradict. Throws ArtifactError
 * where that is not known, and where the graph fixes another T or C.
 */
export function findOutputKind(session: Session, onnx: Uint8Array, size: Size, declared?: string, how?: Declaring): OutputKind {
  const { timesteps: T, channels: C } = size;
  const kind = outputKind(readEnding(onnx), shapeOfOnnx(session).classes, declared, how);
  const answer = openAnswer(session, size);
  checkAnswers(
    kind,
    Array.from(probes(T, C), (rows) => [...answer(rows, T)]),
  );
  return kind;
}

/** Steps and channels of a sequence. */
interface Size {
  readonly timesteps: number;
  readonly channels: number;
}

/**
 * Throws ArtifactError where the graph fixes another T or C. `kind`: what its output holds. `log` and `exp` are the kernel's. A calibration
 * is put behind the graph's own logit.
 */
export function createOnnxEngine(
  session: Session,
  size: Size,
  kind: OutputKind,
  { log, exp }: { log(x: number): number; exp(x: number): number },
  { slope, intercept }: Calibration = { slope: 1, intercept: 0 },
): Engine {
  const answer = openAnswer(session, size);
  const { timesteps: T, channels: C } = size;

  function scoreOne(channels: Float32Array, from: number, length: number): number {
    const results = answer(channels.subarray(from, from + length * C), length);
    if (kind === "logits") {
      const logit = results.length === 2 ? results[1] - results[0] : results[0];
      return Number.isNaN(logit) ? reject("it must give a logit for a sequence, got NaN") : 1 / (1 + exp(-logit));
    }
    const probability = results[results.length - 1];
    if (!(probability >= 0 && probability <= 1)) reject(`it must give a probability, from 0 to 1, for a sequence, got ${probability}`);
    return probability;
  }

  /** On the logit. */
  function move(probability: number, shift: number): number {
    return 1 / (1 + exp(slope * (log(1 - probability) - log(probability)) - shift));
  }

  return {
    name: "onnxruntime-web",
    tolerance: TOLERANCE,
    probabilities({ channels, lengths }, shift = 0) {
      const N = lengths.length;
      if (channels.length !== N * T * C) throw new RangeError(`channels must be ${N} × ${T} steps × ${C}, got ${channels.length} numbers`);
      return Float32Array.from(lengths, (length, n) => {
        if (!(length >= 1 && length <= T)) throw new RangeError(`lengths[${n}] must be 1 to ${T}, got ${length}`);
        const probability = scoreOne(channels, n * T * C, length);
        return shift === 0 && slope === 1 && intercept === 0 ? probability : move(probability, intercept + shift);
      });
    },
  };
}

function lengthTensor({ type }: Port, length: number): Tensor {
  return { type, shape: [1], data: type === INT32 ? Int32Array.of(length) : BigInt64Array.of(BigInt(length)) };
}

const TYPES: Readonly<Record<number, string>> = { [FLOAT]: "float32", [INT32]: "int32", [INT64]: "int64", 10: "float16", 11: "float64" };

function describePort(port: Port | undefined): string {
  return port === undefined ? "none" : `${port.name}: ${TYPES[port.type] ?? `type ${port.type}`} (${port.shape.join(", ")})`;
}
