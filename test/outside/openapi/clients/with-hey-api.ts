// The same by the client that @hey-api/openapi-ts generates into the folder hey.
import { client } from "./hey/client.gen";
import { addEvents, inferModel, receiveWebhookByToken, scoreSequences } from "./hey/sdk.gen";
import type { Sequence } from "./hey/types.gen";

declare const process: { readonly argv: string[] };
const [url, key, token] = process.argv.slice(2) as [string, string, string];
client.setConfig({ baseUrl: url, auth: key });
const sequence: Sequence = [
  [10, 14, 9, 12, 51],
  [12, 16, 11, 13, 62],
];

const score = await scoreSequences({ body: { sequence }, throwOnError: true });
const probability: number | undefined = score.data.results[0]?.probability;
const event = await addEvents({
  path: { key: "hey-api" },
  body: { id: "a", timestamp: "2026-01-31T12:00:00Z", values: [10, 14, 9, 12, 51] },
  throwOnError: true,
});
const hook = await receiveWebhookByToken({
  path: { source: "alerts", token },
  body: { ticker: "hey-api-hook", time: new Date().toISOString(), bar: [10, 14, 9, 12, 51] },
  throwOnError: true,
});
const infer = await inferModel({
  path: { name: "sp500" },
  body: { inputs: [{ name: "x", datatype: "FP64", shape: [1, 2, 5], data: [sequence] }] },
  throwOnError: true,
});
const inferred: number | boolean | undefined = infer.data.outputs[0]?.data[0];
const refused = await scoreSequences({ body: { sequence: [[1, 2]] as unknown as Sequence } });
console.log(
  JSON.stringify({
    score: probability,
    infer: inferred,
    event: "seq" in event.data ? event.data.seq : undefined,
    hook: "seq" in hook.data ? hook.data.seq : undefined,
    pointer: refused.error?.pointer,
  }),
);
