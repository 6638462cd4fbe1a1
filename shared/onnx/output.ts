// What the numbers of another's model.onnx are: probabilities, or logits, from which probabilities are computed here. A logit taken for a
// probability would be a wrong answer that looks right, so the graph must say what it gives, or the configuration must.
// Legend: T steps, C channels.
import { ArtifactError } from "../errors.ts";
import type { OutputKind } from "../members.ts";
import type { Ending } from "./ending.ts";

/** The variable in which a Worker's configuration says it. */
const VARIABLE = "ONNX_OUTPUT";

/** How a person says what the output is, in the words of sentences. */
export interface Declaring {
  readonly logits: string;
  /** Empty where it cannot be said. */
  readonly probabilities: string;
}

const BY_VARIABLE: Declaring = { logits: `${VARIABLE} = "logits"`, probabilities: ', or "probabilities" where its numbers are that' };

/**
 * What the output is, by the graph's last operator, or as `declared` in the configuration ("" or undefined: nothing is declared).
 * Throws ArtifactError where neither says it, where they contradict each other, or where one softmax number stands alone.
 */
export function outputKind(ending: Ending | null, classes: number, declared: string | undefined, how: Declaring = BY_VARIABLE): OutputKind {
  if (declared !== undefined && declared !== "" && declared !== "logits" && declared !== "probabilities")
    reject(`${VARIABLE} must be "logits", "probabilities" or "", got ${JSON.stringify(declared.slice(0, 40))}`);
  const operator = ending?.operator ?? "no operator";
  const isActivated = operator === "Sigmoid" || operator === "Softmax";
  if (declared === "logits" && isActivated) reject(`its graph ends in ${operator}, so ${how.logits} would be wrong: leave it out`);
  if (declared) return declared as OutputKind;
  if (operator === "Sigmoid" && classes === 1) return "probabilities";
  if (operator === "Softmax" && (classes === 2 || ending?.isPicked)) return "probabilities";
  if (operator === "Softmax") reject("its graph ends in a Softmax of one number, which is always 1: give it two, or end in a Sigmoid");
  return reject(
    `its graph ends in ${operator}, expected a Sigmoid or a Softmax of two: add one, or declare ${how.logits}${how.probabilities}`,
  );
}

/** Sizes of the numbers that are tried. */
const SCALES = [0.01, 0.1, 1, 10, 100, 1000];
/** Of random sequences at each size. */
const REPEATS = 4;

/** Sequences (T,C) on both sides of zero, small to large, even and mixed; the same at each start. */
export function* probes(T: number, C: number): Generator<Float32Array> {
  let state = 1;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0; // Numerical Recipes' linear congruential generator
    return state / 0x8000_0000 - 1;
  };
  for (const scale of SCALES) {
    for (const sign of [1, -1]) yield new Float32Array(T * C).fill(sign * scale);
    for (let k = 0; k < REPEATS; k++) {
      const level = random();
      yield Float32Array.from({ length: T * C }, () => scale * (level + random()));
    }
  }
}

/**
 * Throws ArtifactError where the answers to the probes contradict `kind`: a number outside of 0 to 1 is no probability, and logits that
 * never leave 0 to 1 are probabilities. Answers that are no numbers are passed over (a logarithm of a feature below 0), if others remain.
 */
export function checkAnswers(kind: OutputKind, answers: readonly (readonly number[])[]): void {
  const finite = answers.filter((answer) => answer.every(Number.isFinite));
  if (finite.length === 0)
    reject(`it must give numbers for a sequence, got ${answers[0]?.join(", ")} and nothing else for ${answers.length}`);
  const outside = finite.find((answer) => answer.some((x) => !(x >= 0 && x <= 1)));
  if (kind === "probabilities" && outside)
    reject(
      `it must give a probability, from 0 to 1, for a sequence, got ${outside.join(", ")}: are these logits (${VARIABLE} = "logits")?`,
    );
  if (kind === "logits" && !outside)
    reject(`${VARIABLE} says logits, but its answers to ${finite.length} sequences of all sizes lie from 0 to 1: are these probabilities?`);
}

/** Throws ArtifactError, the sentence of a model that is not served. */
export function reject(reason: string): never {
  throw new ArtifactError(`model.onnx cannot be served: ${reason}`);
}
