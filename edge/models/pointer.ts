// What stands in the bucket under a model's name: artifacts by their hash, and the pointer that says which of them answers. A pointer may
// be put by hand: then it has a sha256 alone.
import { describe } from "../../shared/errors.ts";

/** Of the requests, above 0 and at most 1: `share`: the challenger answers it. `shadow`: it scores it as well, after the answer, which is the current artifact's. */
export type Part = { readonly share: number } | { readonly shadow: number };

/** Beside the current artifact: one that answers a part of the requests, or stands in the shadow. */
export type Challenger = { readonly sha256: string } & Part;

export interface Pointer {
  readonly sha256: string;
  /** What a rollback goes back to. */
  readonly previous?: string;
  /** ISO 8601, and the name of the key. */
  readonly when?: string;
  readonly by?: string;
  /** Another at every write: ETags are of the content, so that after A, B, A a condition on A's would hold again. */
  readonly revision?: string;
  readonly challenger?: Challenger;
}

/** Of an artifact. */
export const MAX_ARTIFACT_BYTES = 16 * 1024 * 1024;
const PREFIX = "models/";
const MAX_POINTER_BYTES = 4096;

/** A name in paths and keys: no `:`, which begins a verb, no `/`, no control characters, and nothing that a URL's path cannot hold. */
export function isModelName(name: string): boolean {
  return /^(?!\.{1,2}$)[^:/\p{Cc}]{1,64}$/u.test(name) && name.isWellFormed();
}

/** The key of a model's pointer. */
export const pointerKey = (name: string): string => `${PREFIX}${name}/current`;

/** The key of an artifact. */
export const artifactKey = (name: string, sha256: string): string => `${PREFIX}${name}/${sha256}.safetensors`;

/** Where names are listed. */
export const NAMES = { prefix: PREFIX, delimiter: "/" } as const;
/** The name in what R2 lists there. */
export const nameIn = (prefix: string): string => prefix.slice(PREFIX.length, -1);

/** Whether `value` is a SHA-256 as small hexadecimal digits. */
export function isSha256(value: unknown): value is string {
  return typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
}

/** Throws Error that says what is wrong, after `the pointer `. */
export function parsePointer(text: string): Pointer {
  if (text.length > MAX_POINTER_BYTES) throw new Error(`has ${text.length} characters, expected at most ${MAX_POINTER_BYTES}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error('is no JSON: publish again, or put {"sha256": …} there');
  }
  const { sha256, previous, when, by, revision, challenger } = asRecord(value, "");
  if (!isSha256(sha256)) throw new Error(`must have sha256, 64 small hexadecimal digits, got ${describe(sha256)}`);
  return {
    sha256,
    ...(isSha256(previous) && { previous }),
    ...(typeof when === "string" && { when }),
    ...(typeof by === "string" && { by }),
    ...(typeof revision === "string" && { revision }),
    ...(challenger != null && { challenger: parseChallenger(challenger) }),
  };
}

function parseChallenger(value: unknown): Challenger {
  const { sha256, share, shadow } = asRecord(value, "challenger ");
  if (!isSha256(sha256)) throw new Error(`must have challenger.sha256, 64 small hexadecimal digits, got ${describe(sha256)}`);
  const part = parsePart(share, shadow);
  if (part === undefined) throw new Error(`must have challenger.share or challenger.shadow ${PART_RULE}, got ${describe(share ?? shadow)}`);
  return { sha256, ...part };
}

/** What a part must be. */
export const PART_RULE = "(one of them, above 0 and at most 1)";

/** Undefined where they are no part. */
export function parsePart(share: unknown, shadow: unknown): Part | undefined {
  const isOne = (value: unknown) => typeof value === "number" && value > 0 && value <= 1;
  if (isOne(share) && shadow === undefined) return { share: share as number };
  return isOne(shadow) && share === undefined ? { shadow: shadow as number } : undefined;
}

function asRecord(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Error(`${what}must be an object, got ${describe(value)}`);
}
