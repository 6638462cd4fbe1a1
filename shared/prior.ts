// A model has learnt how common 1s were where it was trained. Where they are known to be rarer or more common, its logit moves by a
// constant, exactly, as long as each class looks as it did (Saerens, Latinne & Decaestecker 2002, eq. 4 as odds).
import type { Log } from "./recipe/recipe.ts";

/**
 * What to add to the calibrated logit: ln(given / (1 − given)) − ln(trained / (1 − trained)), both rates above 0 and below 1.
 * Finite for all of these, and 0 when they are equal.
 */
export function priorShift(trained: number, given: number, log: Log): number {
  return log(given) - log(1 - given) - (log(trained) - log(1 - trained));
}
