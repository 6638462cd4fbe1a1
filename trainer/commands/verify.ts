// verify: an artifact's golden vectors at a live deployment, as JSON and as raw binary, each probability compared bit for bit:
// the last step of a deploy. Whatever the network does, a deployment is either proven or named with what is wrong.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { DataError, UsageError } from "../../shared/errors.ts";
import { shapeOf } from "../../shared/recipe/recipe.ts";
import { type Engines, type LoadedModel, loadModel } from "../artifact/artifact-file.ts";
import { text } from "../cli/arguments.ts";
import { declareCommand, flag, option, type Values, word } from "../cli/declaration.ts";
import type { Dependencies } from "../cli/dependencies.ts";

const WORDS = { url: word("address of the deployment, https://…; its API key, where it needs one, goes into the variable QUICKSTEP_KEY") };

const OPTIONS = {
  artifact: option("FILE", text, "artifact that should be served", "edge/model.safetensors or model.safetensors"),
  version: option("ID", text, "Worker version to ask, also one that gets 0 % of the requests", "the deployment decides"),
  name: option("NAME", text, "name of the Worker, for --version", "the name in wrangler.toml"),
  json: flag("print one JSON document on stdout"),
};

export const verifyCommand = declareCommand({
  name: "verify",
  summary: "Compare a deployment's answers with its artifact, bit for bit",
  words: WORDS,
  options: OPTIONS,
  examples: [
    "verify https://quickstep.example.workers.dev",
    "verify https://quickstep.example.workers.dev --version 9d2b4f0e-3c1a-4f7b-8a54-0f6f2c1f9f11",
  ],
  run: (values: Values<typeof WORDS, typeof OPTIONS>, { key, loadEngines, terminal }: Dependencies) => {
    const { url, json } = values;
    if (!/^https?:/.test(url) || !URL.canParse(url)) throw new UsageError(`<url> must be an address like https://…, got ${url}`);
    const artifact = values.artifact ?? DEPLOYED_MODELS.find((path) => existsSync(path)) ?? DEPLOYED_MODELS[0];
    const version = findVersion(values, existsSync(CONFIG) ? readFileSync(CONFIG, "utf8") : "");
    return verify({ url, artifact, key, json, version }, loadEngines(), terminal);
  },
});

/** What `wrangler deploy` deploys from the folder one stands in: this repository, or what `export --worker` wrote. */
const DEPLOYED_MODELS = ["edge/model.safetensors", "model.safetensors"];
const CONFIG = "wrangler.toml";

/** The version to ask of the Worker that `--name` or `config`, the text of a wrangler.toml, names. Throws UsageError. */
export function findVersion(
  { version: id, name }: { readonly version?: string; readonly name?: string },
  config: string,
): WorkerVersion | undefined {
  if (id === undefined) {
    if (name !== undefined) throw new UsageError("--name goes with --version ID");
    return undefined;
  }
  if (!/^[\w-]+$/.test(id)) throw new UsageError(`--version must be the id that wrangler versions list shows, got ${id}`);
  const [top] = config.split(/^[ \t]*\[/m);
  const worker = name ?? /^[ \t]*name[ \t]*=[ \t]*["']([^"']*)["']/m.exec(top)?.[1];
  if (worker === undefined) throw new UsageError(`--version needs the Worker's name: no ${CONFIG} here says it; give --name NAME`);
  if (!/^[\w-]+$/.test(worker)) throw new UsageError(`--name must be a Worker's name of letters, digits, - and _, got ${worker}`);
  return { worker, id };
}

/** A version of a Worker; it answers where it has a place in the current deployment, be it of 0 %. */
export interface WorkerVersion {
  readonly worker: string;
  readonly id: string;
}

export interface VerifyRequest {
  /** Where the Worker answers; a path is kept. */
  readonly url: string;
  readonly artifact: string;
  readonly key?: string;
  /** Undefined: whichever the deployment chooses. */
  readonly version?: WorkerVersion;
  readonly json: boolean;
}

/** One request of a huge model's sequences stays below every body limit. */
const MAX_NUMBERS = 50_000;
const TIMEOUT_MS = 30_000;

/** Prints what is proven. Throws DataError where the deployment cannot be reached, is of another artifact, or answers one bit differently. */
export async function verify(request: VerifyRequest, engines: Engines, terminal: Pick<Dependencies["terminal"], "print">): Promise<void> {
  const loaded = loadModel(request.artifact, engines);
  const base = withoutSlashes(request.url);
  let code = "";
  for (const protocol of PROTOCOLS) code = await verifyProtocol(protocol, base, loaded, request);
  const protocols = PROTOCOLS.map(({ name }) => name);
  const golden = loaded.model.golden.probabilities.length;
  const { version } = request;
  if (request.json)
    terminal.print(
      JSON.stringify({ url: base, model: loaded.id, version: code, golden, protocols, ...(version && { workerVersion: version.id }) }),
    );
  else
    terminal.print(
      `${base} serves ${loaded.id} with quickstep ${code}${version ? ` as version ${version.id}` : ""}: ${golden} golden vectors as ${protocols.join(" and as ")}, bit for bit`,
    );
}

/** All golden vectors by one protocol. Returns the version of the code that answered. Throws DataError. */
async function verifyProtocol(protocol: Protocol, base: string, loaded: LoadedModel, request: VerifyRequest): Promise<string> {
  const { golden, recipe } = loaded.model;
  const { timesteps, features } = shapeOf(recipe);
  const size = timesteps * features;
  const K = golden.probabilities.length;
  const batch = Math.max(1, Math.floor(MAX_NUMBERS / size));
  let code = "";
  for (let from = 0; from < K; from += batch) {
    const to = Math.min(K, from + batch);
    const inputs = golden.inputs.slice(from * size, to * size);
    const { headers, probabilities } = await ask(base, protocol, inputs, loaded, request);
    code = headers.get("x-quickstep-version") ?? "unknown";
    if (probabilities.length !== to - from)
      throw new DataError(base, `answered ${probabilities.length} probabilities to ${to - from} golden vectors`);
    for (let k = from; k < to; k++)
      if (!Object.is(probabilities[k - from], golden.probabilities[k]))
        throw new DataError(
          base,
          `golden vector ${k} as ${protocol.name} scored ${probabilities[k - from]}, expected ${golden.probabilities[k]}: roll this version back`,
        );
  }
  return code;
}

interface Protocol {
  readonly name: string;
  readonly type: string;
  encode(inputs: Float64Array, timesteps: number, features: number): BodyInit;
  decode(response: Response): Promise<ArrayLike<number>>;
}

const PROTOCOLS: readonly Protocol[] = [
  {
    name: "JSON",
    type: "application/json",
    encode: (inputs, timesteps, features) => JSON.stringify({ sequences: toRows(inputs, timesteps, features) }),
    decode: async (response) => {
      const { results }: { results: { probability: number }[] } = await response.json();
      return results.map(({ probability }) => probability);
    },
  },
  {
    name: "float64",
    type: "application/octet-stream; dtype=float64",
    encode: (inputs) => new Uint8Array(inputs.slice().buffer),
    decode: async (response) => new Float64Array(await response.arrayBuffer()),
  },
];

/** Cloudflare's: `NAME="VERSION-ID"` asks a version that is part of the deployment, whatever its share of the requests. */
const OVERRIDE_HEADER = "Cloudflare-Workers-Version-Overrides";

/** What to do where another artifact answers. Cloudflare answers with the deployment's own choice where it does not know the version. */
function adviceFor(version: WorkerVersion | undefined): string {
  return version === undefined
    ? "deploy it, or name the artifact with --artifact"
    : `version ${version.id} of ${version.worker} was not reached, or it holds another artifact; wrangler deployments status lists the versions that can be reached`;
}

async function ask(
  base: string,
  { name, type, encode, decode }: Protocol,
  inputs: Float64Array,
  { id, bytes, model }: LoadedModel,
  { key, version }: VerifyRequest,
): Promise<{ readonly headers: Headers; readonly probabilities: ArrayLike<number> }> {
  const { timesteps, features } = shapeOf(model.recipe);
  const response = await fetch(`${base}/v1/score`, {
    method: "POST",
    headers: {
      "content-type": type,
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
      ...(version && { [OVERRIDE_HEADER]: `${version.worker}="${version.id}"` }),
    },
    body: encode(inputs, timesteps, features),
    redirect: "manual", // a key goes nowhere but where it was sent
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((error: Error) => {
    throw new DataError(base, `cannot be reached: ${(error.cause as Error | undefined)?.message ?? error.message}`);
  });
  const { headers, status } = response;
  const served = headers.get("x-quickstep-model");
  if (served === null) throw new DataError(base, `answered ${status} without the header x-quickstep-model: this is no Quickstep Worker`);
  if (served !== createHash("sha256").update(bytes).digest("hex"))
    throw new DataError(base, `serves the artifact ${served.slice(0, 12)}, expected ${id}: ${adviceFor(version)}`);
  if (status !== 200) {
    const problem: { detail?: string } = await response.json().catch(() => ({}));
    const remedy = status === 401 || status === 403 ? "; a key goes into the variable QUICKSTEP_KEY" : "";
    throw new DataError(base, `answered ${status}: ${problem.detail ?? "nothing more"}${remedy}`);
  }
  return {
    headers,
    probabilities: await decode(response).catch(() => {
      throw new DataError(base, `answered something else than probabilities as ${name}`);
    }),
  };
}

function toRows(inputs: Float64Array, timesteps: number, features: number): number[][][] {
  const row = (at: number): number[] => Array.from(inputs.subarray(at * features, (at + 1) * features));
  return Array.from({ length: inputs.length / (timesteps * features) }, (_, n) =>
    Array.from({ length: timesteps }, (_, t) => row(n * timesteps + t)),
  );
}

/** `https://host/path//` → `https://host/path` */
function withoutSlashes(url: string): string {
  let end = url.length;
  while (url[end - 1] === "/") end--;
  return url.slice(0, end);
}
