// publish, rollback, models: the registry of a deployment, from here. The Worker proves what it is given; what it says is printed.
import { createHash } from "node:crypto";
import { UsageError } from "../../shared/errors.ts";
import { loadModel } from "../artifact/artifact-file.ts";
import { text } from "../cli/arguments.ts";
import { declareCommand, flag, option, type Values, word } from "../cli/declaration.ts";
import type { Dependencies } from "../cli/dependencies.ts";
import { askDeployment, checkAddress, type DeploymentRequest, refusalOf, withoutSlashes } from "../cli/deployment.ts";

/** An upload of 16 MiB on a slow line, and its proof. */
const TIMEOUT_MS = 120_000;
const JSON_FLAG = flag("print one JSON document on stdout");
const URL_HELP = "address of the deployment, https://…; its API key goes into the variable QUICKSTEP_KEY";

const PUBLISH_WORDS = { artifact: word("artifact, .safetensors") };
const PUBLISH_OPTIONS = {
  to: option("URL", text, URL_HELP, "none: it must be given"),
  name: option("NAME", text, "name to publish under", "the artifact's own"),
  json: JSON_FLAG,
};

export const publishCommand = declareCommand({
  name: "publish",
  summary: "Publish an artifact to a deployment that has a registry, without a deploy",
  words: PUBLISH_WORDS,
  options: PUBLISH_OPTIONS,
  examples: [
    "publish mine.safetensors --to https://quickstep.example.workers.dev",
    "publish mine.safetensors --to https://quickstep.example.workers.dev --name sp500",
  ],
  run: async (values: Values<typeof PUBLISH_WORDS, typeof PUBLISH_OPTIONS>, { key, loadEngines, terminal }: Dependencies) => {
    if (values.to === undefined) throw new UsageError("--to URL must be given: the deployment to publish to");
    const { model, bytes } = loadModel(values.artifact, loadEngines());
    const { name = model.name } = values;
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const path = `/v1/models/${encodeURIComponent(name)}?sha256=${sha256}`;
    const pointer = await call(values.to, path, key, { method: "PUT", body: new Uint8Array(bytes) });
    terminal.print(
      values.json ? JSON.stringify(pointer) : `${name}@${sha256.slice(0, 12)} answers at ${values.to}, within seconds everywhere`,
    );
  },
});

const ROLLBACK_WORDS = { url: word(URL_HELP) };
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
    terminal.print(json ? JSON.stringify(pointer) : `${name}@${String(pointer.sha256).slice(0, 12)} answers again at ${url}`);
  },
});

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
    const { defaultModel, models } = answer as unknown as { defaultModel: string | null; models: readonly Record<string, string>[] };
    terminal.print(`default: ${defaultModel ?? "none"}`);
    for (const { name, sha256, previous, when, by, fault } of models)
      terminal.print(
        fault ??
          `${name}@${sha256.slice(0, 12)}${when ? `, published ${when} by ${by}` : ", put by hand"}${previous ? `, before ${previous.slice(0, 12)}` : ""}`,
      );
  },
});

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
  if (response.status !== 200) throw await refusalOf(base, response, "a key of scope admin");
  return response.json().catch(() => ({}));
}
