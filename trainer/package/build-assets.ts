// What is deployed beside the Worker, into edge/assets: the page and the reference with what it loads, and the OpenAPI document with its
// holes. Does nothing where what is there is newer than every source.
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const HERE = fileURLToPath(import.meta.url);

/** When `path` was last written, in milliseconds since 1970; 0: it is not there. */
export function modified(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** All files below `folder`, as whole paths. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).map((path) => join(folder, path));
}

/** Writes `path` as a whole or not at all, in folders that are made for it. */
export function writeBuilt(path: string, content: string | Uint8Array): void {
  const temporary = `${path}.${process.pid}.tmp`;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(temporary, content);
  renameSync(temporary, path);
}

/** Builds what is out of date in `assets`, from the sources below `root`. Answers what was built. */
export async function buildAssets(root: string, assets: string): Promise<readonly string[]> {
  const page = join(root, "edge/page");
  const isOld = (target: string, sources: readonly string[]): boolean =>
    modified(join(assets, target)) <= Math.max(...[...sources, HERE].map(modified));
  const built: string[] = [];
  if (isOld("docs.html", filesBelow(page))) {
    writeBuilt(join(assets, "page.html"), await assemblePage(page));
    writeBuilt(join(assets, "docs/docs.css"), readFileSync(join(page, "docs.css")));
    writeBuilt(join(assets, "docs/docs.js"), await bundleScript(join(page, "docs.ts")));
    const library = join(root, "node_modules/swagger-ui-dist");
    for (const name of ["swagger-ui.css", "swagger-ui-bundle.js", "swagger-ui-bundle.js.LICENSE.txt"])
      cpSync(join(library, name), join(assets, "docs", name));
    cpSync(join(library, "LICENSE"), join(assets, "docs/swagger-ui.LICENSE.txt"));
    writeBuilt(join(assets, "docs.html"), withFavicon(page, readFileSync(join(page, "docs.html"), "utf8"))); // last: all is there
    built.push("page.html", "docs.html");
  }
  const described = ["openapi", "http", "scoring", "streams", "deliveries", "webhooks", "monitor"].flatMap((room) =>
    filesBelow(join(root, "edge", room)),
  );
  if (isOld("openapi.json", [...described, ...filesBelow(join(root, "shared"))])) {
    const { describeService } = await import(pathToFileURL(join(root, "edge/openapi/openapi.ts")).href);
    writeBuilt(join(assets, "openapi.json"), JSON.stringify(describeService()));
    built.push("openapi.json");
  }
  return built;
}

/** One HTML file without a request of its own: script, minified, and style inside, and a policy that allows just these two. */
async function assemblePage(folder: string): Promise<string> {
  const style = readFileSync(join(folder, "style.css"), "utf8");
  const script = await bundleScript(join(folder, "script.ts"));
  const hash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  const policy = `default-src 'none'; connect-src 'self'; img-src data:; style-src ${hash(style)}; script-src ${hash(script)}`;
  const parts: Record<string, string> = { style, script, policy };
  return withFavicon(folder, readFileSync(join(folder, "index.html"), "utf8")).replace(/\{\{(\w+)\}\}/g, (_, name: string) => parts[name]);
}

/** The icon needs no request, so that no page has one for it. */
function withFavicon(folder: string, text: string): string {
  const icon = readFileSync(join(folder, "favicon.svg"), "utf8").trim();
  return text.replace("{{favicon}}", `data:image/svg+xml,${encodeURIComponent(icon)}`);
}

/** A module with all that it imports, minified, as one script. */
async function bundleScript(path: string): Promise<string> {
  const { build } = await import("esbuild");
  const options = { bundle: true, format: "iife", minify: true, charset: "utf8", target: "es2022", write: false } as const;
  const { outputFiles } = await build({ entryPoints: [path], ...options });
  return outputFiles[0].text.trim();
}
