// What every scheme is: the keys of its configuration, how it reads them, and how it verifies a request.
import type { Path } from "../../../shared/errors.ts";
import type { Table } from "../../config/configuration.ts";
import type { Bytes } from "../../http/encoding.ts";
import { parseTextSecret } from "./keys.ts";

/** A source's table as its scheme reads it. */
export interface SchemeTable {
  readonly table: Table;
  /** Where the table stands in the configuration. */
  readonly path: Path;
  /** What the secrets named in the table hold, in their order; at least one. */
  readonly secrets: readonly string[];
}

/** One way to prove who sent something. Several keys or secrets: any one fits, while one replaces another. */
export interface SchemeDefinition<S extends { readonly kind: string }> {
  /** Keys of the source's table that only this scheme has. */
  readonly keys: readonly string[];
  /** Whether the signature covers when it was sent, so that it cannot be sent again later. */
  readonly signsTime: boolean;
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
}

/** Takes the body as it came, before anything is parsed; never throws. Or the refusal of a request whose body need not be read. */
export type Beginning = ((bytes: Bytes) => Promise<Verdict>) | Refused;

/** `id`: the sender's own name for the event, where the signature covers it. `refusal` is logged and answered: it holds no secret. */
export type Verdict = { readonly ok: true; readonly id?: string } | Refused;

export interface Refused {
  readonly ok: false;
  readonly refusal: string;
}

/** Both ways, as the senders' own libraries have it. */
export const TOLERANCE_S = 300;
/** Of one header: rotation needs two or three, and each costs a computation. */
export const MAX_SIGNATURES = 8;

export const GENUINE: Verdict = { ok: true };

/** The verdict that a request is not the source's; `refusal` says why, without a secret. */
export function rejected(refusal: string): Refused {
  return { ok: false, refusal };
}

/** The reason why `text`, seconds since 1970 in the header `name`, is not of now; undefined if it is. */
export function refuseTimestamp(name: string, text: string, nowSeconds: number): string | undefined {
  if (!/^\d{1,12}$/.test(text)) return `${name} is not a number of seconds`;
  const age = nowSeconds - Number(text);
  if (Math.abs(age) <= TOLERANCE_S) return undefined;
  return `${name} is ${Math.abs(age)} seconds ${age > 0 ? "old" : "ahead"}, ${TOLERANCE_S} are allowed`;
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
