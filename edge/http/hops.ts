// How often an event has been through a Worker of this kind: deliveries say it in a header, so that what comes back by another host name of
// our own ends here.
import { RequestError } from "./problem.ts";

export const HOPS_HEADER = "x-quickstep-hops";
/** One Worker's results may be another's events, and so on; a circle has no end. */
export const MAX_HOPS = 4;

/** 0 where nothing is said, or nothing that can be read: whoever forges the header ends their own event alone. Throws RequestError `loop`. */
export function hopsOf(headers: Headers): number {
  const text = headers.get(HOPS_HEADER) ?? "";
  const hops = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (hops >= MAX_HOPS)
    throw new RequestError("loop", `the event has been through ${hops} Workers of this kind, at most ${MAX_HOPS} are allowed`);
  return hops;
}
