// What the schemes have in common: what they look at, what they say, and how old a signature may be.

/** A request as far as a scheme looks at it, besides its bytes. */
export interface Incoming {
  readonly headers: Headers;
  /** What follows the source in the path. */
  readonly token?: string;
}

/** `id`: the sender's own name for the event, where the signature covers it. `refusal` is logged and answered: it holds no secret. */
export type Verdict = { readonly ok: true; readonly id?: string } | { readonly ok: false; readonly refusal: string };

/** Both ways, as the senders' own libraries have it. */
export const TOLERANCE_S = 300;
/** Of one header: rotation needs two or three, and each costs a computation. */
export const MAX_SIGNATURES = 8;

export const GENUINE: Verdict = { ok: true };

export function refuse(refusal: string): Verdict {
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
