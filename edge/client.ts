// The typed client: `client("https://…", { headers: { authorization: "Bearer …" } }).v1.score.$post({ json: { sequence } })`.
// Its types are the routes' own. Nothing of the Worker comes with it.
import { hc } from "hono/client";
import type { Api } from "./app.ts";

export type { ScoreAnswer, ScoreRequest } from "./scoring/scoring.ts";

/** A client of the Worker at a base address; parameters as Hono's `hc` takes them. Its requests resolve to the typed Response. */
export function client(...parameters: Parameters<typeof hc>) {
  return hc<Api>(...parameters);
}
