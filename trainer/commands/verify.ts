// verify: an artifact's golden vectors at a live deployment, as JSON and as bare numbers, each probability compared bit for bit:
// the last step of a deploy. Whatever the network does, a deployment is either proven or named with what is wrong.
import { createHash } from "node:crypto";
import { DataError } from "../../shared/errors.ts";
import { shapeOf } from "../../shared/recipe/recipe.ts";
import { type Engines, type LoadedModel, loadModel } from "../artifact/artifact-file.ts";
import type { Terminal } from "../cli/terminal.ts";

export interface VerifyCommand {
  /** Where the Worker answers; a path is kept. */
  readonly url: string;
  readonly artifact: string;
  readonly key?: string;
  readonly json: boolean;
}

/** One request of a huge model's sequences stays below every body limit. */
const MAX_NUMBERS = 50_000;
const TIMEOUT_MS = 30_000;

/** Throws DataError where the deployment cannot be reached, is of another artifact, or answers one bit differently. */
export async function verify(command: VerifyCommand, engines: Engines, terminal: Terminal): Promise<void> {
  const loaded = loadModel(command.artifact, engines);
  const base = command.url.replace(/\/+$/, "");
  const { golden, recipe } = loaded.model;
  const { timesteps, features } = shapeOf(recipe);
  const size = timesteps * features;
  const K = golden.probabilities.length;
  const batch = Math.max(1, Math.floor(MAX_NUMBERS / size));
  let version = "";
  for (const protocol of PROTOCOLS)
    for (let from = 0; from < K; from += batch) {
      const to = Math.min(K, from + batch);
      const inputs = golden.inputs.slice(from * size, to * size);
      const { headers, probabilities } = await ask(base, protocol, inputs, loaded, command.key);
      version = headers.get("x-quickstep-version") ?? "unknown";
      if (probabilities.length !== to - from)
        throw new DataError(base, `answered ${probabilities.length} probabilities to ${to - from} golden vectors`);
      for (let k = from; k < to; k++)
        if (!Object.is(probabilities[k - from], golden.probabilities[k]))
          throw new DataError(
            base,
            `golden vector ${k} as ${protocol.name} scored ${probabilities[k - from]}, expected ${golden.probabilities[k]}: roll this version back`,
          );
    }
  const protocols = PROTOCOLS.map(({ name }) => name);
  if (command.json) terminal.print(JSON.stringify({ url: base, model: loaded.id, version, golden: K, protocols }));
  else
    terminal.print(
      `${base} serves ${loaded.id} with quickstep ${version}: ${K} golden vectors as ${protocols.join(" and as ")}, bit for bit`,
    );
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

async function ask(
  base: string,
  { name, type, encode, decode }: Protocol,
  inputs: Float64Array,
  { id, bytes, model }: LoadedModel,
  key: string | undefined,
): Promise<{ readonly headers: Headers; readonly probabilities: ArrayLike<number> }> {
  const { timesteps, features } = shapeOf(model.recipe);
  const response = await fetch(`${base}/v1/score`, {
    method: "POST",
    headers: { "content-type": type, ...(key !== undefined && { authorization: `Bearer ${key}` }) },
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
    throw new DataError(
      base,
      `serves the artifact ${served.slice(0, 12)}, expected ${id}: deploy it, or name the artifact with --artifact`,
    );
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
