// publish, rollback, models, compare: the registry of a deployment, from here. The Worker proves what it is given; what it says is printed.
import { createHash } from "node:crypto";
import { UsageError } from "../../shared/errors.ts";
import { type Estimate, modelId } from "../../shared/model.ts";
import type { Recipe } from "../../shared/recipe/recipe.ts";
import { loadModel } from "../artifact/artifact-file.ts";
import { part, text } from "../cli/arguments.ts";
import { declareCommand, flag, option, type Values, word } from "../cli/declaration.ts";
import type { Dependencies } from "../cli/dependencies.ts";
import { askDeployment, checkAddress, type DeploymentRequest, refusalOf, URL_HELP, withoutSlashes } from "../cli/deployment.ts";

/** An upload of 16 MiB on a slow line, and its proof. */
const TIMEOUT_MS = 120_000;
const JSON_FLAG = flag("print one JSON document on stdout");
const CHANGED_URL_HELP =
  "address of the deployment, https://… (or http://localhost:PORT); its API key, of scope admin, goes into the variable QUICKSTEP_KEY";

const PUBLISH_WORDS = { artifact: word("artifact, .safetensors") };
const PUBLISH_OPTIONS = {
  to: option("URL", text, CHANGED_URL_HELP, "none: it must be given"),
  name: option("NAME", text, "name to publish under", "the artifact's own"),
  shadow: option(
    "PART",
    part,
    "part of the requests that the artifact scores as well, unseen, beside the current one: 0.1",
    "the artifact becomes the current one",
  ),
  share: option(
    "PART",
    part,
    "part of the requests that the artifact answers in place of the current one",
    "the artifact becomes the current one",
  ),
  json: JSON_FLAG,
};

export const publishCommand = declareCommand({
  name: "publish",
  summary: "Publish an artifact to a deployment that has a registry, without a deploy",
  words: PUBLISH_WORDS,
  options: PUBLISH_OPTIONS,
  examples: [
    "publish mine.safetensors --to https://quickstep.example.workers.dev --name sp500",
    "publish next.safetensors --to https://quickstep.example.workers.dev --name sp500 --shadow 0.1",
  ],
  run: async (values: Values<typeof PUBLISH_WORDS, typeof PUBLISH_OPTIONS>, { key, loadEngines, terminal }: Dependencies) => {
    if (values.to === undefined) throw new UsageError("--to URL must be given: the deployment to publish to");
    const { shadow, share } = values;
    if (shadow !== undefined && share !== undefined)
      throw new UsageError("--shadow and --share exclude each other: a challenger has one part");
    const { model, bytes } = loadModel(values.artifact, loadEngines());
    const { name = model.name } = values;
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const query = new URLSearchParams({ sha256, ...(shadow && { shadow: `${shadow}` }), ...(share && { share: `${share}` }) });
    const path = `/v1/models/${encodeURIComponent(name)}?${query}`;
    const isCurrent = shadow === undefined && share === undefined;
    const before = isCurrent ? await shapeOf(values.to, name, key) : undefined;
    const pointer = await call(values.to, path, key, { method: "PUT", body: new Uint8Array(bytes) });
    const own = describeShape(model.recipe);
    if (before !== undefined && before !== own)
      terminal.say(
        `note: ${name} takes ${own} now, and took ${before}: requests of the old shape are refused, until rollback ${values.to} --name ${name}`,
      );
    terminal.print(
      values.json
        ? JSON.stringify(pointer)
        : `${modelId({ name }, sha256)} ${describeRole(values)} at ${values.to}, within seconds everywhere`,
    );
  },
});

/** What answers under the name takes; undefined where nothing does, or its card is not to be had. */
async function shapeOf(url: string, name: string, key: string | undefined): Promise<string | undefined> {
  const card = await call(url, `/v1/models/${encodeURIComponent(name)}/card`, key, {}).catch(() => ({}));
  const { timesteps, features }: Partial<Pick<Recipe, "timesteps" | "features">> = card;
  return timesteps !== undefined && features ? describeShape({ timesteps, features }) : undefined;
}

function describeShape({ timesteps, features }: Pick<Recipe, "timesteps" | "features">): string {
  return `${timesteps} ${timesteps === 1 ? "step" : "steps"} × ${features.join(", ")}`;
}

function describeRole({ shadow, share }: { readonly shadow?: number; readonly share?: number }): string {
  if (shadow !== undefined) return `scores ${100 * shadow} % of the requests in the shadow`;
  return share === undefined ? "answers" : `answers ${100 * share} % of the requests`;
}

const ROLLBACK_WORDS = { url: word(CHANGED_URL_HELP) };
const ROLLBACK_OPTIONS = { name: option("NAME", text, "name of the model", "none: it must be given"), json: JSON_FLAG };

export const rollbackCommand = declareCommand({
  name: "rollback",
  summary: "Let the previous artifact of a deployment's registry answer again",
  words: ROLLBACK_WORDS,
  options: ROLLBACK_OPTIONS,
  examples: [
    "rollback https://quickstep.example.workers.dev --name sp500",
    "rollback https://quickstep.example.workers.dev --name sp500 --json",
  ],
  run: async ({ url, name, json }: Values<typeof ROLLBACK_WORDS, typeof ROLLBACK_OPTIONS>, { key, terminal }: Dependencies) => {
    if (name === undefined) throw new UsageError("--name NAME must be given: the model to roll back");
    const pointer = await call(url, `/v1/models/${encodeURIComponent(name)}/rollback`, key, { method: "POST" });
    terminal.print(json ? JSON.stringify(pointer) : `${modelId({ name }, String(pointer.sha256))} answers again at ${url}`);
  },
});

/** As GET /v1/models lists it. */
interface Listed {
  readonly name: string;
  readonly sha256: string;
  readonly previous?: string;
  readonly when?: string;
  readonly by?: string;
  readonly challenger?: { readonly sha256: string; readonly share?: number; readonly shadow?: number };
  readonly fault?: string;
}

const MODELS_WORDS = { url: word(URL_HELP) };
const MODELS_OPTIONS = { json: JSON_FLAG };

export const modelsCommand = declareCommand({
  name: "models",
  summary: "List the models of a deployment's registry",
  words: MODELS_WORDS,
  options: MODELS_OPTIONS,
  examples: ["models https://quickstep.example.workers.dev", "models https://quickstep.example.workers.dev --json"],
  run: async ({ url, json }: Values<typeof MODELS_WORDS, typeof MODELS_OPTIONS>, { key, terminal }: Dependencies) => {
    const answer = await call(url, "/v1/models", key, {});
    if (json) return terminal.print(JSON.stringify(answer));
    const { defaultModel, models } = answer as unknown as { defaultModel: string | null; models: readonly Listed[] };
    terminal.print(`default: ${defaultModel ?? "none"}`);
    for (const { name, sha256, previous, when, by, challenger, fault } of models)
      terminal.print(
        fault ??
          `${modelId({ name }, sha256)}${when ? `, published ${when} by ${by}` : ", put by hand"}${previous ? `; previous ${previous.slice(0, 12)}` : ""}` +
            (challenger ? `; challenger ${challenger.sha256.slice(0, 12)} ${describeRole(challenger)}` : ""),
      );
  },
});

const COMPARE_WORDS = { url: word(URL_HELP) };
const COMPARE_OPTIONS = { name: option("NAME", text, "name of the model", "none: it must be given"), json: JSON_FLAG };

/** As GET /v1/models/{name}/compare gives it. */
interface Comparison {
  readonly model: string;
  readonly challenger: string;
  readonly shadow?: number;
  readonly share?: number;
  readonly paired: boolean;
  readonly sequences: { readonly model: number; readonly challenger: number };
  readonly meanDifference: Estimate | null;
  readonly agreement: number | null;
  readonly outcomes: { readonly model: number; readonly challenger: number };
  readonly logLoss: { readonly model: number; readonly challenger: number; readonly difference: Estimate | null } | null;
}

export const compareCommand = declareCommand({
  name: "compare",
  summary: "Compare a deployment's challenger with the model that answers",
  words: COMPARE_WORDS,
  options: COMPARE_OPTIONS,
  examples: [
    "compare https://quickstep.example.workers.dev --name sp500",
    "compare https://quickstep.example.workers.dev --name sp500 --json",
  ],
  run: async ({ url, name, json }: Values<typeof COMPARE_WORDS, typeof COMPARE_OPTIONS>, { key, terminal }: Dependencies) => {
    if (name === undefined) throw new UsageError("--name NAME must be given: the model whose challenger is compared");
    const answer = await call(url, `/v1/models/${encodeURIComponent(name)}/compare`, key, {});
    terminal.print(json ? JSON.stringify(answer) : listComparison(answer as unknown as Comparison).join("\n"));
  },
});

function listComparison({ model, challenger, shadow, share, paired, ...figures }: Comparison): string[] {
  const { sequences, meanDifference, agreement, outcomes, logLoss } = figures;
  const withInterval = ({ value, low, high }: Estimate) => `${value.toFixed(4)} (${low.toFixed(4)} to ${high.toFixed(4)})`;
  return [
    shadow === undefined
      ? `${challenger} answers ${100 * share!} % of the requests in place of ${model}`
      : `${challenger} scores ${100 * shadow} % of the requests of ${model} in the shadow`,
    paired ? `${sequences.model} sequences that both scored` : "each scored its own sequences: only those whose outcomes came are compared",
    ...(meanDifference ? [`mean difference of the probabilities: ${withInterval(meanDifference)}`] : []),
    ...(agreement === null ? [] : [`labels agree on ${(100 * agreement).toFixed(1)} %`]),
    `outcomes: ${paired ? outcomes.model : `${outcomes.model} of the current model, ${outcomes.challenger} of the challenger`}`,
    ...(logLoss ? [`log loss: ${logLoss.model.toFixed(4)}, of the challenger ${logLoss.challenger.toFixed(4)}`] : []),
    ...(logLoss?.difference
      ? [`difference of the log losses, ${paired ? "paired" : "unpaired"}: ${withInterval(logLoss.difference)}`]
      : []),
  ];
}

/** The JSON of a 200. Throws UsageError for what is no address, DataError for any other answer. */
async function call(
  url: string,
  path: string,
  key: string | undefined,
  request: Omit<DeploymentRequest, "timeoutMs">,
): Promise<Record<string, unknown>> {
  checkAddress(url, "the deployment");
  const base = withoutSlashes(url);
  const response = await askDeployment(base, path, key, { ...request, timeoutMs: TIMEOUT_MS });
  if (response.status !== 200) throw await refusalOf(base, response, `a key of scope ${request.method === undefined ? "read" : "admin"}`);
  return response.json().catch(() => ({}));
}
