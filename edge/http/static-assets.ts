// The files that are deployed beside the Worker (wrangler.toml's [assets]): the page, the reference and what they load. The Worker comes
// first and answers with them, so that its headers, its log and its rates hold for them, too.
import { RequestError } from "./problem.ts";
import type { EdgeContext } from "./request-context.ts";

/** The binding, or a test's. */
export interface StaticAssets {
  fetch(request: Request): Promise<Response>;
}

/** What a file is, by the end of its name: raw workerd's disk does not say. */
const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=UTF-8",
  js: "text/javascript; charset=UTF-8",
  css: "text/css; charset=UTF-8",
  svg: "image/svg+xml",
  json: "application/json",
};

/** The file `name` as it came, or 304 where `etag` is still its own. Throws RequestError where it is not there, or nothing is bound. */
export async function fetchAsset(assets: StaticAssets | undefined, name: string, etag?: string): Promise<Response> {
  if (assets === undefined)
    throw new RequestError("unbound", `this deployment has no static assets: bind them as [assets] of wrangler.toml does`);
  const response = await assets.fetch(new Request(`http://assets/${name}`, { headers: etag ? { "if-none-match": etag } : {} }));
  if (!response.ok && response.status !== 304) throw new RequestError("notFound", `there is no file ${name}`);
  return response;
}

/** Answers with the file `name`; browsers ask again each time, and get it again when it is another. */
export async function answerAsset(c: EdgeContext, assets: StaticAssets | undefined, name: string, policy: string): Promise<Response> {
  const { status, body, headers } = await fetchAsset(assets, name, c.req.header("if-none-match"));
  const etag = headers.get("etag");
  const type = TYPES[name.slice(name.lastIndexOf(".") + 1)];
  return new Response(body, {
    status,
    headers: { "content-type": type, "content-security-policy": policy, "cache-control": "no-cache", ...(etag && { etag }) },
  });
}
