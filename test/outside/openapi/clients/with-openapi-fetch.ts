// A score, an event, a webhook and an infer call by openapi-typescript's types and openapi-fetch. Compiled strictly beside the generated
// schema.ts. Arguments: the Worker's URL, a key, a source's token.
import createClient from "openapi-fetch";
import type { paths } from "./schema";

declare const process: { readonly argv: string[] };
const [url, key, token] = process.argv.slice(2) as [string, string, string];
const client = createClient<paths>({ baseUrl: url, headers: { authorization: `Bearer ${key}` } });
const sequence = [
  [10, 14, 9, 12, 51],
  [12, 16, 11, 13, 62],
];

/** What was answered, of the one type that answers have. Throws Error where a problem came. */
function dataOf<T>({ data, error }: { data?: T; error?: { detail: string } }): T {
  if (data === undefined) throw new Error(error?.detail ?? "no answer");
  return data;
}

const score = dataOf(await client.POST("/v1/score", { body: { sequence } }));
const probability: number | undefined = score.results[0]?.probability;
const event = dataOf(
  await client.POST("/v1/streams/{key}/events", {
    params: { path: { key: "openapi-fetch" } },
    body: { id: "a", timestamp: "2026-01-31T12:00:00Z", values: [10, 14, 9, 12, 51] },
  }),
);
const hook = dataOf(
  await client.POST("/hooks/{source}/{token}", {
    params: { path: { source: "alerts", token } },
    body: { ticker: "openapi-fetch-hook", time: new Date().toISOString(), bar: [10, 14, 9, 12, 51] },
  }),
);
const infer = dataOf(
  await client.POST("/v2/models/{name}/infer", {
    params: { path: { name: "sp500" } },
    body: { inputs: [{ name: "x", datatype: "FP64", shape: [1, 2, 5], data: [sequence] }] },
  }),
);
const inferred: number | boolean | undefined = infer.outputs[0]?.data[0];
const refused = await client.POST("/v1/score", { body: { sequence: [[1, 2]] } });
console.log(
  JSON.stringify({
    score: probability,
    infer: inferred,
    event: "seq" in event ? event.seq : undefined,
    hook: "seq" in hook ? hook.seq : undefined,
    pointer: refused.error?.pointer,
  }),
);
