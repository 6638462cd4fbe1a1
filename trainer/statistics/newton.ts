// Newton's method for convex losses, each step halved until the loss falls. Knows no loss.

export interface Objective {
  /** The loss at `parameters`. */
  loss(parameters: Float64Array): number;
  /** At `parameters`: the gradient g, and the direction H⁻¹g of a whole step. */
  derivatives(parameters: Float64Array): { readonly gradient: Float64Array; readonly direction: Float64Array };
}

export interface NewtonOptions {
  /** Where the search ends without a minimum: on separable labels there may be none. */
  readonly maxSteps: number;
  /** The search ends when a step promises less than this share of the loss: what is left is of the order of its square. */
  readonly lastStep: number;
  /** Whether that last, whole step is still taken. */
  readonly takeLastStep: boolean;
}

export interface Minimum {
  readonly parameters: Float64Array;
  /** False where the steps ran out, or a step's promise was no finite number. */
  readonly isFound: boolean;
}

/** A step must gain this share of what it promises (Armijo 1966). */
const SUFFICIENT = 0.1;

/**
 * The minimum of a convex loss, from `start`. Whole steps overshoot where probabilities saturate: each is halved until the loss
 * falls by a tenth of what a step of its length promises (Boyd & Vandenberghe 2004, algorithm 9.5, with their λ²/2 as promise).
 */
export function minimise(objective: Objective, start: Float64Array, { maxSteps, lastStep, takeLastStep }: NewtonOptions): Minimum {
  let parameters = start;
  let loss = objective.loss(parameters);
  for (let step = 0; step < maxSteps; step++) {
    const { gradient, direction } = objective.derivatives(parameters);
    const promised = direction.reduce((sum, value, d) => sum + value * gradient[d], 0) / 2;
    if (!Number.isFinite(promised)) return { parameters, isFound: false };
    const along = (length: number): Float64Array => parameters.map((parameter, d) => parameter - length * direction[d]);
    if (promised < lastStep * loss) return { parameters: takeLastStep ? along(1) : parameters, isFound: true };
    for (let length = 1; ; length /= 2) {
      const next = along(length);
      const nextLoss = objective.loss(next);
      if (nextLoss > loss - SUFFICIENT * length * promised) continue;
      [parameters, loss] = [next, nextLoss];
      break;
    }
  }
  return { parameters, isFound: false };
}
