// /v1/models: which models there are; PUT, rollback and challengers for admins; and the routes of /v1/score for a model by its name.
import type { Handler } from "hono";
import { readBytes } from "../http/body.ts";
import { Hono } from "../http/hono.ts";
import { RequestError } from "../http/problem.ts";
import type { EdgeContext, EdgeEnv } from "../http/request-context.ts";
import { allowOnly } from "../http/respond.ts";
import type { Models } from "../models/models.ts";
import { isSha256, MAX_ARTIFACT_BYTES, PART_RULE, type Pointer, parsePart } from "../models/pointer.ts";
import { listModels, type Publisher, publish, type Role, rollBack, withdrawChallenger } from "../models/publish.ts";
import type { Dependencies } from "./dependencies.ts";

/** Without a registry all but the list say that none is bound; the list then has the bundled model. */
export function registryRoutes({ registry: bound, monitor }: Dependencies, models: Models) {
  const publisherOf = (c: EdgeContext): Publisher => {
    if (bound === undefined)
      throw new RequestError("unbound", "this deployment has no registry of models: bind MODELS as wrangler.toml says");
    return { ...bound, by: c.get("record").key ?? "unknown", defaultName: bound.registry.defaultName };
  };
  const moved = (c: EdgeContext, name: string, pointer: Pointer): Response => {
    bound?.registry.expire(name); // this isolate looks at once
    return c.json({ name, ...pointer });
  };
  const put: Handler<EdgeEnv> = async (c) => {
    const publisher = publisherOf(c);
    const name = c.req.param("call")!;
    const { sha256, role } = readQuery(c.req.url);
    if (role && "shadow" in role && !monitor?.canCompare)
      throw new RequestError("unbound", "this deployment keeps nothing of what a shadow says: bind OUTCOMES as wrangler.toml says");
    const bytes = await readBytes(c.req.raw, MAX_ARTIFACT_BYTES, "a Worker serves no larger artifact");
    return moved(c, name, await publish(publisher, name, { bytes, sha256 }, role));
  };
  return new Hono<EdgeEnv>()
    .get("/", async (c) => {
      const standing = models.standing();
      const listed = bound === undefined ? [] : await listModels(bound.bucket);
      return c.json({
        defaultModel: "unready" in standing ? null : standing.model.name,
        models: listed,
        watched: { drift: monitor?.canWatchDrift ?? false, outcomes: monitor?.canCompare ?? false },
      });
    })
    .all("/", allowOnly("GET", "HEAD"))
    .put("/:call", put)
    .post("/:name/rollback", async (c) => {
      const name = c.req.param("name");
      return moved(c, name, await rollBack(publisherOf(c), name));
    })
    .all("/:name/rollback", allowOnly("POST"))
    .delete("/:name/challenger", async (c) => {
      const name = c.req.param("name");
      return moved(c, name, await withdrawChallenger(publisherOf(c), name));
    })
    .all("/:name/challenger", allowOnly("DELETE"));
}

/** `sha256`, and a challenger's `share` or `shadow`. Throws RequestError. */
function readQuery(url: string): { readonly sha256: string; readonly role: Role } {
  const { sha256, share, shadow, ...others } = Object.fromEntries(new URL(url).searchParams);
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw new RequestError("parameter", `the query must have no parameters but sha256, share, shadow, got ${unknown}`);
  if (!isSha256(sha256)) throw new RequestError("parameter", "sha256 must be the artifact's SHA-256, 64 small hexadecimal digits");
  if (share === undefined && shadow === undefined) return { sha256, role: undefined };
  const role = parsePart(share && Number(share), shadow && Number(shadow));
  if (role === undefined) throw new RequestError("parameter", `expected share or shadow ${PART_RULE}, got ${share ?? shadow}`);
  return { sha256, role };
}
