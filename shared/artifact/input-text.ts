// What a recipe's features come from, as metadata say it: a name alone is a number of each row, an object says more. Code that knows
// nothing of categories and static inputs finds no text where it looks for a name, and refuses the file.
// Legend: F features.
import { expandNames, type Input, levelOf, MAX_LEVELS } from "../recipe/inputs.ts";
import type { Recipe } from "../recipe/recipe.ts";
import { MAX_FEATURES } from "../sequence.ts";
import { asObject, fail, show } from "./checks.ts";

/** What stands for `features`. */
export function describeInputs({ features, inputs, clock }: Pick<Recipe, "features" | "inputs" | "clock">): readonly unknown[] {
  if (inputs === undefined) return features;
  const described = inputs.map((input) => (input.levels || input.static ? input : input.name));
  return clock ? [...described, features[features.length - 1]] : described;
}

/** Throws ArtifactError naming what is off. */
export function parseInputs(value: unknown, clock: boolean, what: string): Pick<Recipe, "features" | "inputs"> {
  const expected = `expected 1 to ${MAX_FEATURES} names`;
  if (!Array.isArray(value) || value.length < 1 || value.length > MAX_FEATURES) fail(`${what} is ${show(value)}, ${expected}`);
  if (value.every((entry) => typeof entry === "string")) return { features: value };
  if (!value.every((entry) => typeof entry === "string" || (typeof entry === "object" && entry !== null)))
    fail(`${what} is ${show(value)}, ${expected}`);
  const given = clock ? value.slice(0, -1) : value;
  const time: unknown[] = value.slice(given.length);
  if (!time.every((name) => typeof name === "string")) fail(`${what} is ${show(value)}, expected the name of the time last`);
  const inputs = given.map((entry, i) => parseInput(entry, `${what}[${i}]`));
  const first = inputs.findIndex((input) => input.static);
  if (first === 0 || (first > 0 && inputs.slice(first).some((input) => !input.static)))
    fail(`${what} is ${show(value)}, expected what is static behind what is given in rows`);
  const features = [...expandNames(inputs), ...time];
  if (features.length > MAX_FEATURES) fail(`${what} make ${features.length} features, expected at most ${MAX_FEATURES}`);
  return { features, inputs };
}

function parseInput(value: unknown, what: string): Input {
  if (typeof value === "string") return { name: value };
  const { name, levels, static: isStatic } = asObject(value, what);
  if (typeof name !== "string") fail(`${what}.name is ${show(name)}, expected text`);
  if (levels !== undefined && !areLevels(levels))
    fail(`${what}.levels is ${show(levels)}, expected 1 to ${MAX_LEVELS} different texts without spaces around them`);
  if (isStatic !== undefined && isStatic !== true) fail(`${what}.static is ${show(isStatic)}, expected true or nothing`);
  return { name, ...(levels !== undefined && { levels }), ...(isStatic === true && { static: isStatic }) };
}

function areLevels(value: unknown): value is string[] {
  return (
    Array.isArray(value) &&
    value.length >= 1 &&
    value.length <= MAX_LEVELS &&
    value.every((level) => typeof level === "string" && level === levelOf(level)) &&
    new Set(value).size === value.length
  );
}
