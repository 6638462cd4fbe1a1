// hooks check: what each source of a wrangler.toml would make of a captured request. The Worker's own code decides.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { DataError, UsageError } from "../../shared/errors.ts";
import type { TakenRecipe } from "../../shared/recipe/recipe.ts";
import { loadModel } from "../artifact/artifact-file.ts";
import { pairs, text } from "../cli/arguments.ts";
import { declareCommand, flag, option, type Values, word } from "../cli/declaration.ts";
import type { Dependencies } from "../cli/dependencies.ts";
import { readText, readWhole } from "../files/whole-files.ts";
import { readHeaders, readSecrets, readVars } from "../hooks/captured.ts";

const WORDS = {
  action: word("check"),
  config: word("a wrangler.toml with SOURCES"),
  sample: word("body of a captured request, byte for byte"),
};

const OPTIONS = {
  headers: option("FILE", text, "headers of the request: lines name: value, or JSON", "none"),
  path: option("PATH", text, "what the request asked, from /hooks/ on, with its query", "/hooks/ and the source's name"),
  method: option("NAME", text, "method of the request", "POST"),
  at: option("TIME", text, "when the request came, for signed times: 2026-11-25T09:30:00Z", "now"),
  secrets: option("FILE", text, "lines NAME=… with the secrets", ".dev.vars beside the wrangler.toml"),
  env: option("NAME", text, "environment of the wrangler.toml", "the top level"),
  artifact: option("FILE", text, "model that is served", "edge/model.safetensors or model.safetensors beside the wrangler.toml"),
  model: option("NAME=FILE,…", pairs, "models of sources that name one", "the served model, where it has that name; else they are skipped"),
  json: flag("print one JSON document on stdout"),
};

type HookValues = Values<typeof WORDS, typeof OPTIONS>;

export const hooksCommand = declareCommand({
  name: "hooks",
  summary: "Check which source of a wrangler.toml takes a captured webhook, and why not",
  words: WORDS,
  options: OPTIONS,
  examples: [
    "hooks check wrangler.toml sample.json --headers headers.txt",
    "hooks check wrangler.toml sample.json --model north=north.safetensors --at 2026-11-25T09:30:00Z --json",
  ],
  run: async (values: HookValues, dependencies: Dependencies) => {
    if (values.action !== "check") throw new UsageError(`hooks takes check, got ${values.action}`);
    const found = await check(values, dependencies);
    if (found.unusable !== undefined) throw new DataError(values.config, found.unusable);
    if (found.sources.length === 0) throw new DataError(values.config, "has no SOURCES");
    dependencies.terminal.print(values.json ? JSON.stringify(found) : found.sources.flatMap(describe).join("\n"));
    if (found.sources.every(({ outcome }) => outcome === "refused")) throw new DataError(values.sample, "no source takes it");
  },
});

/** As edge/check-hooks.ts gives it. */
interface Checked {
  readonly unusable?: string;
  readonly sources: readonly {
    readonly name: string;
    readonly outcome: "taken" | "told" | "ignored" | "handshake" | "refused" | "skipped";
    readonly verified?: boolean;
    readonly why?: string;
    readonly events?: readonly { readonly key: string; readonly id: string; readonly timestamp: string; readonly data: unknown }[];
  }[];
}

interface ReadModel {
  readonly recipe: TakenRecipe;
  readonly log: (value: number) => number;
}

type CheckHooks = (
  env: object,
  request: object,
  models: { readonly standing: ReadModel; readonly named: ReadonlyMap<string, ReadModel> },
  fetch: (url: string, init: RequestInit) => Promise<Response>,
) => Promise<Checked>;

/** The Worker's own code, put together by `npm run build`. */
const EDGE = new URL("../hooks/check-hooks.js", import.meta.url);

async function check(values: HookValues, { loadEngines }: Dependencies): Promise<Checked> {
  const beside = (...names: string[]): string | undefined =>
    names.map((name) => join(dirname(values.config), name)).find((path) => existsSync(path));
  const artifact = values.artifact ?? beside("edge/model.safetensors", "model.safetensors");
  if (artifact === undefined) throw new UsageError("no model is beside the wrangler.toml: give --artifact FILE");
  const secretsFile = values.secrets ?? beside(".dev.vars");
  const vars = readVars(values.config, readText(values.config), values.env);
  const env = { ...vars, ...(secretsFile !== undefined && readSecrets(readText(secretsFile))) };
  const at = values.at === undefined ? Date.now() : Date.parse(values.at);
  if (Number.isNaN(at)) throw new UsageError(`--at must be a time such as 2026-11-25T09:30:00Z, got ${values.at}`);
  const asked = new URL(values.path ?? "", "https://worker.example/");
  const [, , source, ...segments] = asked.pathname.split("/").map(decodeURIComponent);
  const request = {
    body: readWhole(values.sample),
    headers: values.headers === undefined ? {} : readHeaders(values.headers, readText(values.headers)),
    segments,
    query: asked.search,
    method: values.method?.toUpperCase() ?? "POST",
    now: at,
  };
  const engines = loadEngines();
  const { log } = engines.kernel;
  const { model } = loadModel(artifact, engines);
  const standing = { recipe: model.recipe, log };
  const named = new Map<string, ReadModel>([[model.name, standing]]);
  for (const [name, file] of values.model ?? []) named.set(name, { recipe: loadModel(file, engines).model.recipe, log });
  const { checkHooks } = (await import(EDGE.href)) as { readonly checkHooks: CheckHooks };
  const found = await checkHooks(env, request, { standing, named }, (url, init) => fetch(url, init));
  return source ? { ...found, sources: found.sources.filter(({ name }) => name === source) } : found;
}

/** One line a source, and one an event. */
function describe({ name, outcome, verified, why, events = [] }: Checked["sources"][number]): string[] {
  const verdict = verified === undefined ? "no signature is asked for" : verified ? "signature fits" : "not verified";
  const way = outcome === "skipped" ? ", which --model NAME=FILE gives" : "";
  const title = `${name}: ${outcome === "handshake" ? "answers the provider's question" : outcome}; ${verdict}${why === undefined ? "" : `: ${why}${way}`}`;
  return [
    title,
    ...events.map(
      ({ key, id, timestamp, data }) => `  key ${JSON.stringify(key)}, id ${JSON.stringify(id)}, ${timestamp}, ${JSON.stringify(data)}`,
    ),
  ];
}
