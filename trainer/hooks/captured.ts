// What `hooks check` is given as files: wrangler.toml and the secrets beside it, and a captured request's headers.
import { parse } from "smol-toml";
import { DataError } from "../../shared/errors.ts";

/** The vars of `toml`, a wrangler.toml, of its environment `env` where one is named. Throws DataError naming `path`. */
export function readVars(path: string, toml: string, env: string | undefined): Readonly<Record<string, unknown>> {
  let config: Record<string, unknown>;
  try {
    config = parse(toml);
  } catch (error) {
    throw new DataError(path, `is not TOML: ${(error as Error).message.split("\n")[0]}`);
  }
  const environments = (config.env ?? {}) as Record<string, { vars?: object }>;
  if (env !== undefined && !Object.hasOwn(environments, env)) throw new DataError(path, `has no environment ${env}`);
  return ((env === undefined ? config.vars : environments[env].vars) ?? {}) as Record<string, unknown>;
}

/** Lines `NAME=value` of a .dev.vars: quotes around a value are not part of it, and # begins a comment. */
export function readSecrets(text: string): Readonly<Record<string, string>> {
  const secrets: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    const [, name, value] = /^\s*([A-Za-z_]\w*)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (name === undefined) continue;
    const [, , quoted] = /^(["'])(.*)\1$/.exec(value) ?? [];
    secrets[name] = quoted ?? value.replace(/\s+#.*$/, "");
  }
  return secrets;
}

/** Headers as a JSON object or as lines `name: value`, the request's first line passed over. Throws DataError naming `path`. */
export function readHeaders(path: string, text: string): Readonly<Record<string, string>> {
  const entries = text.trimStart().startsWith("{") ? jsonEntries(path, text) : lineEntries(path, text);
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), value]));
}

function jsonEntries(path: string, text: string): [string, string][] {
  try {
    return Object.entries(JSON.parse(text) as Record<string, unknown>).map(([name, value]) => [name, [value].flat().join(", ")]);
  } catch (error) {
    throw new DataError(path, `is not JSON: ${(error as Error).message}`);
  }
}

function lineEntries(path: string, text: string): [string, string][] {
  return text
    .split(/\r?\n/)
    .filter((line) => line.trim() !== "" && !/^[A-Z]+ \S+ HTTP\//.test(line))
    .map((line) => {
      const [, name, value] = /^[<>]?\s*([\w-]+)\s*:\s*(.*)$/.exec(line) ?? [];
      if (name === undefined)
        throw new DataError(path, `must have lines such as x-signature: abc, got ${JSON.stringify(line.slice(0, 60))}`);
      return [name, value.trim()];
    });
}
