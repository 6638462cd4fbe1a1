// GET /docs: the OpenAPI document as Swagger UI shows it, and what that loads, all from here.
import { Hono } from "../http/hono.ts";
import { RequestError } from "../http/problem.ts";
import type { EdgeEnv } from "../http/request-context.ts";
import { allowOnly } from "../http/respond.ts";
import { answerAsset, type StaticAssets } from "../http/static-assets.ts";

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** What the page loads. */
const FILES = ["swagger-ui.css", "docs.css", "swagger-ui-bundle.js", "docs.js"];

/** The reference, from `assets`. */
export function docsRoutes(assets: StaticAssets | undefined) {
  return new Hono<EdgeEnv>()
    .get("/", (c) => answerAsset(c, assets, "docs.html", POLICY))
    .get("/:file", (c) => {
      const file = c.req.param("file");
      if (!FILES.includes(file)) throw new RequestError("notFound", `there is no file ${file}`);
      return answerAsset(c, assets, `docs/${file}`, POLICY);
    })
    .all("/", allowOnly("GET", "HEAD"))
    .all("/:file", allowOnly("GET", "HEAD"));
}
