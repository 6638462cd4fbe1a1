// GET /docs: the OpenAPI document as a page, rendered here: no script, nothing from elsewhere.
import { Hono } from "hono";
import type { EdgeEnv } from "../http/request-context.ts";
import { allowOnly } from "../http/respond.ts";
import { fetchAsset, type StaticAssets } from "../http/static-assets.ts";
import { figuresOf } from "../openapi/figures.ts";
import { fill } from "../openapi/fill.ts";
import type { Document } from "../openapi/openapi.ts";
import type { Operation } from "../openapi/terms.ts";
import { ofModel, type RequestModel } from "./request-model.ts";

const POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

const STYLE = `
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { max-width: 60rem; margin: 0 auto; padding: 1rem; }
  h2 { margin-top: 2.5rem; font-size: 1.1rem; } h2 code { font-size: 1rem; }
  pre { overflow-x: auto; padding: .75rem; border: 1px solid #8886; border-radius: .4rem; font-size: .85rem; }
  code, pre { font-family: ui-monospace, monospace; } dt { font-weight: 600; } summary { cursor: pointer; }`;

/** The page about the model that is served. */
export function docsRoutes(modelOf: RequestModel, assets: StaticAssets | undefined) {
  const pageOf = ofModel(async ({ model }) =>
    renderDocs(fill(await (await fetchAsset(assets, "openapi.json")).json(), figuresOf(model)) as Document),
  );
  return new Hono<EdgeEnv>()
    .get("/", async (c) => c.html(await pageOf(await modelOf(c)), 200, { "content-security-policy": POLICY }))
    .all("/", allowOnly("GET", "HEAD"));
}

function renderDocs({ info, paths, components }: Document): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => renderOperation(method, path, operation)),
  );
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) => `<details id="${name}"><summary><code>${name}</code></summary>${renderJson(schema)}</details>`,
  );
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(info.title)}</title><style>${STYLE}</style><main><h1>${escapeHtml(info.title)}</h1><p>${escapeHtml(info.description)}</p>
<p>The same for programs: <a href="/openapi.json">/openapi.json</a>. Keys go in the header <code>authorization: Bearer …</code>.</p>
${operations.join("\n")}<h2>Schemas</h2>${schemas.join("\n")}</main></html>`;
}

function renderOperation(method: string, path: string, { summary, description, parameters, requestBody, responses }: Operation): string {
  const parts = [`<h2><code>${method.toUpperCase()} ${escapeHtml(path)}</code> ${escapeHtml(summary)}</h2>`];
  if (description !== undefined) parts.push(`<p>${escapeHtml(description)}</p>`);
  if (parameters !== undefined)
    parts.push(
      `<p>Parameters: ${parameters.map(({ name, in: place }) => `<code>${escapeHtml(name)}</code> (${escapeHtml(place)})`).join(", ")}</p>`,
    );
  for (const [type, { description: about, schema, example }] of Object.entries(requestBody?.content ?? {})) {
    const name = (schema as { $ref?: string } | undefined)?.$ref?.split("/").at(-1);
    parts.push(
      `<dl><dt><code>${escapeHtml(type)}</code></dt><dd>${name ? `<a href="#${name}">${name}</a>` : ""} ${escapeHtml(about ?? "")}</dd></dl>`,
    );
    if (example !== undefined) parts.push(renderJson(example));
  }
  parts.push(`<p>Answers: ${Object.keys(responses).map(escapeHtml).join(", ")}</p>`);
  return `<section>${parts.join("\n")}</section>`;
}

function renderJson(value: unknown): string {
  return `<pre>${escapeHtml(JSON.stringify(value, null, 1).replace(/\[\s*([-\d.,e+\s]+?)\s*\]/g, (_, row: string) => `[${row.replace(/\s+/g, " ")}]`))}</pre>`;
}

function escapeHtml(text: unknown): string {
  return String(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
