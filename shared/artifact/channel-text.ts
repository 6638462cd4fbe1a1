// One channel as metadata say it. Legend: F features.
import { BASES, VIEWS } from "../recipe/channel.ts";
import { asObject, fail, isIndex, show } from "./checks.ts";

/** Throws ArtifactError naming `what` where `channel` is none of F features. */
export function checkChannel(channel: unknown, what: string, F: number): void {
  const { base, view, a, b, whereObserved } = asObject(channel, what);
  const isPair = base === "difference" || base === "logRatio";
  if (!BASES.some((known) => known === base)) fail(`${what}.base is ${show(base)}, expected ${BASES.join(", ")}`);
  if (!VIEWS.some((known) => known === view)) fail(`${what}.view is ${show(view)}, expected ${VIEWS.join(", ")}`);
  if (whereObserved !== undefined && whereObserved !== true)
    fail(`${what}.whereObserved is ${show(whereObserved)}, expected true or nothing`);
  if (!isIndex(a, F) || (isPair && (!isIndex(b, F) || a === b))) fail(`${what} looks at features ${show(a)} and ${show(b)} of ${F}`);
}
