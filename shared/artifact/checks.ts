// The bricks of the wall of checks: whatever is off in an artifact is one sentence saying what was found and what was expected.
import { ArtifactError } from "../errors.ts";

/** Throws ArtifactError: `artifact scale is 0, expected …`. */
export function fail(message: string): never {
  throw new ArtifactError(`artifact ${message}`);
}

/** A value as a sentence shows it: JSON of at most 80 characters, `missing` for undefined. */
export function show(value: unknown): string {
  const text = value === undefined ? "missing" : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** The value of the JSON in `text`. Throws ArtifactError naming `what` where it is no text, or no JSON. */
export function parseJson(text: unknown, what: string): unknown {
  if (typeof text !== "string") fail(`${what} is ${show(text)}, expected JSON text`);
  try {
    return JSON.parse(text);
  } catch {
    return fail(`${what} is not JSON: not a quickstep artifact, or damaged`);
  }
}

/** `value` where it is an object and no array. Throws ArtifactError naming `what`. */
export function asObject(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) fail(`${what} is ${show(value)}, expected an object`);
  return value as Record<string, unknown>;
}

/** Whether `value` is a number that is neither NaN nor infinite. */
export function isFiniteNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** Whether `value` is one of 0 … below − 1. */
export function isIndex(value: unknown, below: number): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < below;
}
