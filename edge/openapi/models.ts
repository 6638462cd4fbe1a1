// The part of the OpenAPI document that is about the registry: which models there are, publishing, rolling back, and scoring by name.
import { SHOWN_HASH } from "./figures.ts";
import { scorePaths } from "./score.ts";
import { ABOUT, hole, type Json, json, KEYED, list, type Operation, object, type Paths, problems, ref, text } from "./terms.ts";

const NAME: Json = { name: "name", in: "path", required: true, schema: text, description: "Without : and /." };
const SHA256: Json = { type: "string", pattern: "^[0-9a-f]{64}$" };
const PART: Json = { type: "number", exclusiveMinimum: 0, maximum: 1 };
const SHOWN_SHA256 = SHOWN_HASH.padEnd(64, "0");
const SHOWN_POINTER = {
  name: "fx",
  sha256: SHOWN_SHA256,
  when: "2026-01-31T12:00:00.000Z",
  by: "root",
  revision: "8f14e45f-ceea-467f-9575-1d3b5bd6bd1f",
};

const SHOWN_LIST = { defaultModel: hole("name"), models: [], watched: { drift: false, outcomes: false } };

/** Pointer and ModelList. */
export function registrySchemas(): Record<string, Json> {
  const challenger = object({ sha256: SHA256, share: PART, shadow: PART }, ["share", "shadow"], {
    description: "share: answers that part of the requests. shadow: scores that part as well, after the answers.",
  });
  const pointer = { name: text, sha256: SHA256, previous: SHA256, when: text, by: text, revision: text, challenger, fault: text };
  const flag: Json = { type: "boolean" };
  return {
    Pointer: object(
      pointer,
      Object.keys(pointer).filter((key) => key !== "name"),
      {
        description: "Which artifact answers under a name. fault: what is wrong with a pointer that cannot be read.",
      },
    ),
    ModelList: object({
      defaultModel: { type: ["string", "null"] },
      models: list(ref("Pointer")),
      watched: object({ drift: flag, outcomes: flag }, [], { description: "Which parts of the monitor this deployment binds." }),
    }),
  };
}

/** The paths of the registry, and those of scoring under a model's name. */
export function registryPaths(): Paths {
  const query = (name: string, schema: Json, required = false): Json => ({ name, in: "query", required, schema });
  const put: Operation = {
    ...change(
      "publishModel",
      "Publish an artifact",
      "It is proven by its golden vectors before the pointer moves; with share it becomes the challenger, which answers that part of the requests; with shadow it scores that part as well, after the answers.",
    ),
    parameters: [NAME, query("sha256", SHA256, true), query("share", PART), query("shadow", PART)],
    requestBody: { required: true, content: { "application/octet-stream": { schema: { type: "string", format: "binary" } } } },
  };
  return {
    "/v1/models": {
      get: {
        operationId: "listRegistry",
        tags: ["registry"],
        summary: "The models that the registry has",
        description: "Scope: read or score.",
        security: ABOUT,
        responses: {
          "200": { description: "By name.", content: json(ref("ModelList"), SHOWN_LIST) },
          ...KEYED,
          ...problems("storage"),
        },
      },
    },
    "/v1/models/{name}/rollback": {
      post: { ...change("rollBackModel", "The previous artifact answers again", "It is proven first."), parameters: [NAME] },
    },
    "/v1/models/{name}/challenger": { delete: { ...change("withdrawChallenger", "No challenger any more", ""), parameters: [NAME] } },
    ...namedScorePaths(),
    "/v1/models/{name}": { put },
  };
}

function change(operationId: string, summary: string, description: string): Operation {
  return {
    operationId,
    tags: ["registry"],
    summary,
    description: `Scope: admin. ${description}`.trim(),
    security: [{ key: ["admin"] }],
    responses: {
      "200": { description: "The pointer as it stands now.", content: json(ref("Pointer"), SHOWN_POINTER) },
      ...problems("malformed", "notFound", "moved", "limit", "unservable"),
      ...KEYED,
      ...problems("storage"),
    },
  };
}

/** Of each path of /v1/score, and of the card, one under a model's name. */
function namedScorePaths(): Paths {
  const named = (operation: Operation, operationId: string, summary: string): Operation => ({
    ...operation,
    operationId,
    summary,
    parameters: [{ ...NAME, example: hole("name") }, ...(operation.parameters ?? [])],
    responses: { ...operation.responses, ...problems("notFound") },
  });
  const paths = scorePaths();
  const scoring = Object.entries(paths).filter(([path]) => path.startsWith("/v1/score"));
  return {
    "/v1/models/{name}/card": { get: named(paths["/v1/model"].get, "getCardOfModel", "The card of a model of the registry") },
    ...Object.fromEntries(
      scoring.map(([path, { post }]) => [
        path.replace("/v1/score", "/v1/models/{name}/score"),
        { post: named(post, `${post.operationId}OfModel`, `${post.summary} by a model of the registry`) },
      ]),
    ),
  };
}
