// Packages that a command uses where they are, and that the published form does not bring: too large, or not ours to hand on.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { DataError } from "../../shared/errors.ts";

/**
 * The folder of a package, beside this program or in the folder one stands in; `purpose` says what for. Looked up by hand, since
 * a package's exports may hide the files that are wanted. Throws DataError that says what to install.
 */
export function findCompanion(name: string, purpose: string): string {
  for (const from of [import.meta.url, resolve("here")])
    for (const modules of createRequire(from).resolve.paths(name) ?? []) if (existsSync(join(modules, name))) return join(modules, name);
  throw new DataError(name, `is needed ${purpose} and is not installed here: npm install ${name}, then run this again`);
}
