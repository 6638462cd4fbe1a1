// A folder that holds a whole Worker for one artifact: the edge in one module, its kernel, its assets and a wrangler.toml, which need
// nothing of this repository. `npm run build` puts the parts together in worker/; here they meet a model.
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DataError } from "../../shared/errors.ts";
import { readText, readWhole, reason, writeWhole } from "../files/whole-files.ts";

const PARTS = fileURLToPath(new URL("../worker/", import.meta.url));
const CONFIG = "wrangler.toml";
/** As edge/worker.ts imports it. */
const MODEL = "model.safetensors";
/** Which of wrangler's commands builds: wrangler.toml's [build] writes it anew. */
const COMMAND = "wrangler-command.js";
/** What every export renews, beside COMMAND and ASSETS. All three together are the sign of an export. */
const RENEWED = ["worker.js", "inference.wasm", MODEL];
/** The folder of what wrangler.toml's [assets] deploys beside the Worker. */
const ASSETS = "assets";
/** What exports wrote before they wrote ASSETS. */
const OUTDATED = "page.html";
/** What its owner edits: an export writes it where it is not there, and leaves it alone otherwise. */
const EDITED = [CONFIG, "README.md", ".gitignore"];
/** What git, npm and wrangler leave in the folder. */
const OF_TOOLS = [".git", ".wrangler", ".dev.vars", "node_modules", "package.json", "package-lock.json"];

const IGNORED = `${COMMAND}\n.wrangler/\n.dev.vars*\nnode_modules/\n`;
/** A Worker's name is a label of a host name. */
const MAX_NAME = 63;

/**
 * Throws DataError where `folder` holds files that no export wrote, or cannot be listed: an export goes into a new folder, an empty
 * one, or one that an earlier export wrote.
 */
export function checkWorkerFolder(folder: string): void {
  const present = listFolder(folder);
  const isExport = RENEWED.every((name) => present.includes(name));
  const own = isExport ? [...RENEWED, COMMAND, ASSETS, OUTDATED, ...EDITED, ...OF_TOOLS] : [".git", ".gitignore", "README.md"]; // as a new repository has them
  const foreign = present.filter((name) => !own.includes(name));
  if (foreign.length === 0) return;
  const names = foreign.slice(0, 3).join(", ") + (foreign.length > 3 ? ` and ${foreign.length - 3} more` : "");
  throw new DataError(folder, `holds ${names}, which no export wrote: name a folder that is new, empty, or an earlier export's`);
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new DataError(folder, `cannot be written: ${reason(error)}`);
  }
}

/**
 * Writes or renews the Worker in `folder` around the bytes of an artifact whose model is called `name`, and calls the Worker after it;
 * a wrangler.toml, README.md or .gitignore that is there stays as it is. Throws DataError where the folder holds files of others, or a
 * file cannot be written.
 */
export function writeWorkerProject(folder: string, artifact: Uint8Array, name: string): void {
  checkWorkerFolder(folder);
  const config = readText(join(PARTS, CONFIG));
  const texts: Readonly<Record<string, string>> = {
    [CONFIG]: config.replace(/^name = .*$/m, `name = "${workerName(name)}"`),
    "README.md": readme(name),
    ".gitignore": IGNORED,
  };
  for (const [file, text] of Object.entries(texts))
    if (!existsSync(join(folder, file))) writeWhole(join(folder, file), new TextEncoder().encode(text));
  for (const file of readdirSync(PARTS, { recursive: true, encoding: "utf8" }))
    if (file !== CONFIG && statSync(join(PARTS, file)).isFile()) writeWhole(join(folder, file), readWhole(join(PARTS, file)));
  rmSync(join(folder, OUTDATED), { force: true });
  writeWhole(join(folder, MODEL), artifact);
}

/** `S&P 500, daily` → `s-p-500-daily`; `quickstep` where no letter or digit is left. */
export function workerName(model: string): string {
  const letters = model.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  const label = letters.slice(letters.startsWith("-") ? 1 : 0).slice(0, MAX_NAME);
  return (label.endsWith("-") ? label.slice(0, -1) : label) || "quickstep";
}

function readme(name: string): string {
  return `# ${workerName(name)}

A Cloudflare Worker that scores sequences with \`${MODEL}\`. Quickstep's \`export --worker\` wrote this folder.
The commands below need Node 22 or newer: wrangler does.

\`\`\`sh
npx wrangler dev --var AUTH:open       # try it on this machine
npx wrangler deploy                    # deploy it; it answers nobody until API_KEYS is set
npx wrangler secret put API_KEYS       # lines of name:sha256 of the key
\`\`\`

\`AUTH:open\` counts under \`wrangler dev\` alone, on this machine: \`[build]\` in \`${CONFIG}\` writes which command builds into \`${COMMAND}\`.

Another export into this folder renews the code, the assets and the model. It leaves \`${CONFIG}\`, this file and \`.gitignore\` as they are.
`;
}
