// One channel as metadata say it. Legend: F features.
import { BASES, VIEWS } from "../recipe/channel.ts";
import { asObject, fail, isIndex, show } from "./checks.ts";

/** Throws ArtifactError naming `what` where `channel` is none of F features. */
export function checkChannel(channel: unknown, what: string, F: number): void {
  const { base, view, a, b, whereObserved, medianFilled } = asObject(channel, what);
  const isPair = base === "difference" || base === "logRatio";
  if (!BASES.some((known) => known === base)) fail(`${what}.base is ${show(base)}, expected ${BASES.join(", ")}`);
  if (!VIEWS.some((known) => known === view)) fail(`${what}.view is ${show(view)}, expected ${VIEWS.join(", ")}`);
  for (const [name, flag] of Object.entries({ whereObserved, medianFilled }))
    if (flag !== undefined && flag !== true) fail(`${what}.${name} is ${show(flag)}, expected true or nothing`);
  if (!isIndex(a, F) || (isPair && (!isIndex(b, F) || a === b))) fail(`${what} looks at features ${show(a)} and ${show(b)} of ${F}`);
}
