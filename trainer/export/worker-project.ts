// A folder that holds a whole Worker for one artifact: the edge in one module, its kernel, its page and a wrangler.toml, which need
// nothing of this repository. `npm run build` puts the parts together in worker/; here they meet a model.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readWhole, writeWhole } from "../files/whole-files.ts";

const PARTS = fileURLToPath(new URL("../worker/", import.meta.url));
/** What its owner edits. */
const CONFIG = "wrangler.toml";
/** As edge/worker.ts imports it. */
const MODEL = "model.safetensors";

/**
 * Writes or renews the Worker in `folder` around the bytes of an artifact; a wrangler.toml that is there stays as it is. Throws
 * DataError where a file cannot be written.
 */
export function writeWorkerProject(folder: string, artifact: Uint8Array): void {
  for (const name of readdirSync(PARTS))
    if (name !== CONFIG || !existsSync(join(folder, CONFIG))) writeWhole(join(folder, name), readWhole(join(PARTS, name)));
  writeWhole(join(folder, MODEL), artifact);
}
