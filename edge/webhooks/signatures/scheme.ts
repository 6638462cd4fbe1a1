// What every scheme is: the keys of its configuration, how it reads them, and how it verifies a request.
import { describe, type Path } from "../../../shared/errors.ts";
import { ConfigurationError, parseString, type Table } from "../../config/configuration.ts";
import { parseJson } from "../../http/body.ts";
import type { Bytes } from "../../http/encoding.ts";
import { readInstantText } from "../../http/instant.ts";
import { parseTextSecret } from "./keys.ts";

/** A source's table as its scheme reads it. */
export interface SchemeTable {
  readonly table: Table;
  /** Where the table stands in the configuration. */
  readonly path: Path;
  /** What the secrets named in the table hold, in their order; at least one, unless the scheme has none. */
  readonly secrets: readonly string[];
}

/** One way to prove who sent something. Several keys or secrets: any one fits, while one replaces another. */
export interface SchemeDefinition<S extends { readonly kind: string }> {
  /** Keys of the source's table that only this scheme has. */
  readonly keys: readonly string[];
  /** There are no secrets: what proves the sender is public. */
  readonly secretless?: true;
  /** Whether the signature covers when it was sent, so that it cannot be sent again later. */
  readonly signsTime: (scheme: S) => boolean;
  /** Throws ConfigurationError. */
  readonly parse: (given: SchemeTable) => S;
  /** What can be told before the body is read: a refusal, or how to verify its bytes. `nowSeconds`: since 1970. Never throws. */
  readonly begin: (scheme: S, incoming: Incoming, nowSeconds: number) => Beginning | Promise<Beginning>;
}

/** A request as far as a scheme looks at it, besides its bytes. */
export interface Incoming {
  readonly headers: Headers;
  /** What follows the source in the path. */
  readonly token?: string;
  /** As it was asked; the query counts alone. */
  readonly url?: string;
  /** For what a scheme must look up before it can verify. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

/** Takes the body as it came, before anything is parsed; never throws. Or the refusal of a request whose body need not be read. */
export type Beginning = ((bytes: Bytes) => Promise<Verdict>) | Refused;

/**
 * `id`: the sender's own name for the event, where the signature covers it. `once`: what was signed instead of the body, which another
 * body must not be believed by. `refusal` is logged and answered: it holds no secret.
 */
export type Verdict = { readonly ok: true; readonly id?: string; readonly once?: string } | Refused;

export interface Refused {
  readonly ok: false;
  readonly refusal: string;
}

/** Both ways, as the senders' own libraries have it. */
export const TOLERANCE_S = 300;
/** Ids of events are remembered for days; nothing signed may live as long. */
const MAX_TOLERANCE_S = 86_400;
/** Of one header: rotation needs two or three, and each costs a computation. */
export const MAX_SIGNATURES = 8;

export const GENUINE: Verdict = { ok: true };

/** The verdict that a request is not the source's; `refusal` says why, without a secret. */
export function rejected(refusal: string): Refused {
  return { ok: false, refusal };
}

/**
 * The reason why `value`, a time or a number since 1970, as text or as JSON has it, is not of now; undefined if it is. `name` says what
 * it is.
 */
export function refuseTimestamp(name: string, value: unknown, nowSeconds: number, toleranceS = TOLERANCE_S): string | undefined {
  const instant = readInstantText(value);
  if (instant === undefined) return `${name} is not a time, or a number since 1970`;
  const age = nowSeconds - instant / 1000;
  if (Math.abs(age) <= toleranceS) return undefined;
  return `${name} is ${Math.ceil(Math.abs(age))} seconds ${age > 0 ? "old" : "ahead"}, ${toleranceS} are allowed`;
}

/** How many seconds a signed time may be off; TOLERANCE_S where nothing is said. Throws ConfigurationError. */
export function parseTolerance(value: unknown, path: Path): number {
  if (value === undefined) return TOLERANCE_S;
  if (typeof value === "number" && value >= 1 && value <= MAX_TOLERANCE_S) return value;
  throw new ConfigurationError(path, `must be 1 to ${MAX_TOLERANCE_S} seconds`, describe(value));
}

/** The address that the sender was given, and signs. Throws ConfigurationError. */
export function parsePublicUrl(value: unknown, path: Path): string {
  const text = parseString(value, path, "the address that the sender was given, https://… to the end");
  if (!/^https?:\/\/[!-~]+$/.test(text)) throw new ConfigurationError(path, "must be an address, https://…", describe(text));
  return text;
}

/** The JSON that a body is; undefined where it is none: whoever has not proved who they are learns nothing about bodies. */
export function jsonIn(bytes: Bytes): unknown {
  try {
    return parseJson(bytes);
  } catch {
    return undefined;
  }
}

/** Whether any of `candidates` satisfies `isGenuine`, one after the other. */
export async function anyOf<T>(candidates: readonly T[], isGenuine: (candidate: T) => Promise<boolean>): Promise<boolean> {
  for (const candidate of candidates) if (await isGenuine(candidate)) return true;
  return false;
}

/** The secrets as the bytes of their text, whatever they begin with. Throws ConfigurationError for one that is short. */
export function textSecrets({ path, secrets }: SchemeTable): readonly Bytes[] {
  return secrets.map((secret, i) => parseTextSecret(secret, [...path, "secrets", i]));
}
