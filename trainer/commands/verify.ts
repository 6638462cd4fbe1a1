// verify: an artifact's golden vectors at a live deployment, as JSON and as raw binary, each probability compared bit for bit:
// the last step of a deploy. Whatever the network does, a deployment is either proven or named with what is wrong.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { DataError, UsageError } from "../../shared/errors.ts";
import { modelId, score } from "../../shared/model.ts";
import { expandGiven } from "../../shared/recipe/given-rows.ts";
import { shapeOf } from "../../shared/recipe/recipe.ts";
import { type SampleRequest, sampleRequest } from "../../shared/sample.ts";
import { parseSequences } from "../../shared/sequence.ts";
import { type Engines, type LoadedModel, loadModel } from "../artifact/artifact-file.ts";
import { text } from "../cli/arguments.ts";
import { declareCommand, flag, option, type Values, word } from "../cli/declaration.ts";
import type { Dependencies } from "../cli/dependencies.ts";
import { askDeployment, checkAddress, refusalOf, URL_HELP, withoutSlashes } from "../cli/deployment.ts";

const WORDS = { url: word(URL_HELP) };

const OPTIONS = {
  artifact: option("FILE", text, "artifact that should be served", "edge/model.safetensors or model.safetensors"),
  version: option("ID", text, "Worker version to ask, also one that gets 0 % of the requests", "the deployment decides"),
  name: option("NAME", text, "name of the model in the deployment's registry", "the deployment's default model"),
  worker: option("NAME", text, "name of the Worker, for --version", "the name in wrangler.toml"),
  json: flag("print one JSON document on stdout"),
};

export const verifyCommand = declareCommand({
  name: "verify",
  summary: "Compare a deployment's answers with its artifact, bit for bit",
  words: WORDS,
  options: OPTIONS,
  examples: [
    "verify https://quickstep.example.workers.dev --name sp500 --artifact mine.safetensors",
    "verify https://quickstep.example.workers.dev --version 9d2b4f0e-3c1a-4f7b-8a54-0f6f2c1f9f11",
  ],
  run: (values: Values<typeof WORDS, typeof OPTIONS>, { key, loadEngines, terminal }: Dependencies) => {
    const { url, json, name } = values;
    checkAddress(url, "<url>");
    const artifact = values.artifact ?? DEPLOYED_MODELS.find((path) => existsSync(path)) ?? DEPLOYED_MODELS[0];
    const version = findVersion(values, existsSync(CONFIG) ? readFileSync(CONFIG, "utf8") : "");
    return verify({ url, artifact, key, json, version, name }, loadEngines(), terminal);
  },
});

/** What `wrangler deploy` deploys from the folder one stands in: this repository, or what `export --worker` wrote. */
const DEPLOYED_MODELS = ["edge/model.safetensors", "model.safetensors"];
const CONFIG = "wrangler.toml";

/** The version to ask of the Worker that `--worker` or `config`, the text of a wrangler.toml, names. Throws UsageError. */
export function findVersion(
  { version: id, worker: name }: { readonly version?: string; readonly worker?: string },
  config: string,
): WorkerVersion | undefined {
  if (id === undefined) {
    if (name !== undefined) throw new UsageError("--worker goes with --version ID");
    return undefined;
  }
  if (!/^[\w-]+$/.test(id)) throw new UsageError(`--version must be the id that wrangler versions list shows, got ${id}`);
  const [top] = config.split(/^[ \t]*\[/m);
  const worker = name ?? /^[ \t]*name[ \t]*=[ \t]*["']([^"']*)["']/m.exec(top)?.[1];
  if (worker === undefined) throw new UsageError(`--version needs the Worker's name: no ${CONFIG} here says it; give --worker NAME`);
  if (!/^[\w-]+$/.test(worker)) throw new UsageError(`--worker must be a Worker's name of letters, digits, - and _, got ${worker}`);
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
  /** Of the registry's model. Absent: the default one is asked. */
  readonly name?: string;
  /** Undefined: whichever the deployment chooses. */
  readonly version?: WorkerVersion;
  readonly json: boolean;
}

/** What should be served. */
interface ExpectedModel extends LoadedModel {
  readonly sha256: string;
}

/** One request of a huge model's sequences stays below every body limit. */
const MAX_NUMBERS = 50_000;
const TIMEOUT_MS = 30_000;

/** Prints what is proven. Throws DataError where the deployment cannot be reached, is of another artifact, or answers one bit differently. */
export async function verify(request: VerifyRequest, engines: Engines, terminal: Pick<Dependencies["terminal"], "print">): Promise<void> {
  const loaded = loadModel(request.artifact, engines);
  const expected = { ...loaded, sha256: createHash("sha256").update(loaded.bytes).digest("hex") };
  const base = withoutSlashes(request.url);
  let code = "";
  for (const protocol of PROTOCOLS) code = await verifyProtocol(protocol, base, expected, engines, request);
  const protocols = PROTOCOLS.map(({ name }) => name);
  const golden = loaded.model.golden.probabilities.length;
  const { version, name = loaded.model.name } = request;
  const id = modelId({ name }, expected.sha256);
  const proven = loaded.model.recipe.inputs
    ? `${golden} golden vectors as float64, and a sample as JSON`
    : `${golden} golden vectors as ${protocols.join(" and as ")}`;
  if (request.json)
    terminal.print(
      JSON.stringify({ url: base, model: id, version: code, golden, protocols, ...(version && { workerVersion: version.id }) }),
    );
  else terminal.print(`${base} serves ${id} with quickstep ${code}${version ? ` as version ${version.id}` : ""}: ${proven}, bit for bit`);
}

/** All that a protocol can say. Returns the version of the code that answered. Throws DataError. */
async function verifyProtocol(
  protocol: Protocol,
  base: string,
  loaded: ExpectedModel,
  engines: Engines,
  request: VerifyRequest,
): Promise<string> {
  let code = "";
  for (const { body, expected, what, first } of protocol.list(loaded.model, engines)) {
    const { headers, probabilities } = await ask(base, protocol, body, loaded, request);
    code = headers.get("x-quickstep-version") ?? "unknown";
    if (probabilities.length !== expected.length)
      throw new DataError(
        base,
        `answered ${probabilities.length} probabilities to ${expected.length} ${what}${expected.length === 1 ? "" : "s"}`,
      );
    for (const [i, probability] of Array.from(expected).entries())
      if (!Object.is(probabilities[i], probability))
        throw new DataError(
          base,
          `${what} ${first + i} as ${protocol.name} scored ${probabilities[i]}, expected ${probability}: roll this version back`,
        );
  }
  return code;
}

/** The body of one request, and what its sequences must score. */
interface Question {
  readonly body: BodyInit;
  readonly expected: Iterable<number> & ArrayLike<number>;
  /** What its sequences are, and the number of the first. */
  readonly what: "golden vector" | "sample";
  readonly first: number;
}

interface Protocol {
  readonly name: string;
  readonly type: string;
  list(model: LoadedModel["model"], engines: Engines): Question[];
  decode(response: Response): Promise<ArrayLike<number>>;
}

const PROTOCOLS: readonly Protocol[] = [
  {
    name: "JSON",
    type: "application/json",
    list: (model, engines) => {
      const { timesteps, features } = shapeOf(model.recipe);
      return model.recipe.inputs
        ? [askSample(model, engines)]
        : listGolden(model, (inputs) => JSON.stringify({ sequences: toRows(inputs, timesteps, features) }));
    },
    decode: async (response) => {
      const { results }: { results: { probability: number }[] } = await response.json();
      return results.map(({ probability }) => probability);
    },
  },
  {
    name: "float64",
    type: "application/octet-stream; dtype=float64",
    list: (model) => listGolden(model, (inputs) => new Uint8Array(inputs.slice().buffer)),
    decode: async (response) => new Float64Array(await response.arrayBuffer()),
  },
];

/** All golden vectors, in batches. */
function listGolden({ golden, recipe }: LoadedModel["model"], encode: (inputs: Float64Array) => BodyInit): Question[] {
  const { timesteps, features } = shapeOf(recipe);
  const size = timesteps * features;
  const batch = Math.max(1, Math.floor(MAX_NUMBERS / size));
  return Array.from({ length: Math.ceil(golden.probabilities.length / batch) }, (_, i) => {
    const expected = golden.probabilities.slice(i * batch, (i + 1) * batch);
    const inputs = golden.inputs.slice(i * batch * size, (i * batch + expected.length) * size);
    return { body: encode(inputs), expected, what: "golden vector", first: i * batch };
  });
}

/** JSON has texts and what is static, of which golden vectors are arbitrary features: a sample of the model's own, scored here. */
function askSample(model: LoadedModel["model"], { createEngine, kernel }: Engines): Question {
  const { recipe } = model;
  const sent: SampleRequest = JSON.parse(JSON.stringify(sampleRequest(model))); // as it arrives: null where a number is missing
  const { sequence, static: statics } = sent;
  const expanded = expandGiven(sequence, ["sequence"], statics, ["static"], recipe);
  const values = parseSequences([expanded], ["sequences"], shapeOf(recipe), 1);
  const { probabilities } = score(model, createEngine(model), kernel.log, values);
  const body = JSON.stringify({ sequences: [sequence], ...(statics && { static: [statics] }) });
  return { body, expected: probabilities, what: "sample", first: 0 };
}

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
  { name, type, decode }: Protocol,
  body: BodyInit,
  { id, sha256 }: ExpectedModel,
  { key, version, name: asked }: VerifyRequest,
): Promise<{ readonly headers: Headers; readonly probabilities: ArrayLike<number> }> {
  const response = await askDeployment(base, asked === undefined ? "/v1/score" : `/v1/models/${encodeURIComponent(asked)}/score`, key, {
    method: "POST",
    headers: { "content-type": type, ...(version && { [OVERRIDE_HEADER]: `${version.worker}="${version.id}"` }) },
    body,
    timeoutMs: TIMEOUT_MS,
  });
  const { headers, status } = response;
  const served = headers.get("x-quickstep-model");
  if (asked !== undefined && status === 404 && served !== null) throw await refusalOf(base, response, "a key");
  if (served === null) throw new DataError(base, `answered ${status} without the header x-quickstep-model: this is no Quickstep Worker`);
  if (served !== sha256) throw new DataError(base, `serves the artifact ${served.slice(0, 12)}, expected ${id}: ${adviceFor(version)}`);
  if (status !== 200) throw await refusalOf(base, response, "a key");
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
