// One optimizer over a flat buffer, for networks that the training kernel does not hold whole. As Keras defines Adam and RMSprop, and as
// step.ts has them in the kernel. Legend: P parameters.
import type { OptimizerState, StepperOptions } from "./stepper.ts";
import { checkCount } from "./stepper-checks.ts";

/** Keras' defaults (keras.optimizers.Adam, RMSprop). */
export const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };
export const RMSPROP = { beta1: 0, beta2: 0.9, epsilon: 1e-7 };

export interface FlatOptimizer {
  steps(): number;
  /** One step of `parameters` (P) against `gradient` (P), whose global norm is `norm`. */
  update(parameters: Float32Array, gradient: Float32Array, norm: number, learningRate: number): void;
  state(): OptimizerState;
  /** Throws RangeError where the moments are not 2P. */
  setState(state: OptimizerState): void;
}

/** `decays` (P): 1 where a parameter shrinks by learning rate × weight decay. */
export function createFlatOptimizer(
  decays: Uint8Array,
  { optimizer, clipNorm, weightDecay }: Pick<StepperOptions, "optimizer" | "clipNorm" | "weightDecay">,
): FlatOptimizer {
  const P = decays.length;
  const { beta1, beta2, epsilon } = optimizer === "adam" ? ADAM : RMSPROP;
  const moments = new Float32Array(2 * P);
  let steps = 0;
  return {
    steps: () => steps,
    update(parameters, gradient, norm, learningRate) {
      steps++;
      const clip = norm > clipNorm ? clipNorm / norm : 1;
      const rate = learningRate * biasCorrection(optimizer, steps);
      for (let p = 0; p < P; p++) {
        const g = gradient[p] * clip;
        const first = (moments[p] = beta1 * moments[p] + (1 - beta1) * g);
        const second = (moments[P + p] = beta2 * moments[P + p] + (1 - beta2) * g * g);
        const shrunk = parameters[p] * (1 - decays[p] * learningRate * weightDecay);
        parameters[p] = shrunk - (rate * first) / (Math.sqrt(second) + epsilon);
      }
    },
    state: () => ({ steps, moments: moments.slice() }),
    setState(state) {
      checkCount("moments", state.moments, 2 * P);
      steps = state.steps;
      moments.set(state.moments);
    },
  };
}

/** Keras folds both corrections of Adam's moments into the step size; RMSprop has none. */
export function biasCorrection(optimizer: StepperOptions["optimizer"], steps: number): number {
  return optimizer === "adam" ? Math.sqrt(1 - power(ADAM.beta2, steps)) / (1 - power(ADAM.beta1, steps)) : 1;
}

/** baseⁿ by squaring: only multiplications, so a resumed run has the same bits on every host. */
function power(base: number, exponent: number): number {
  let result = 1;
  for (let square = base; exponent > 0; exponent = Math.floor(exponent / 2), square *= square) if (exponent % 2 === 1) result *= square;
  return result;
}
