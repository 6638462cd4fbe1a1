// Webhooks of models with categories and statics, in Node; and what they say goes into the same stream as events of the API do.
import { expect, test } from "vitest";
import { openModel } from "../../../edge/models/servable-model.ts";
import { readEndpoints } from "../../../edge/streams/endpoints.ts";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { openApp, post, postScore } from "../../fixtures/app.ts";
import { describeGivenHooks, envOf, GIVEN } from "../../fixtures/given-hooks.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel } from "../../fixtures/model.ts";
import { openStreams } from "../../fixtures/streams.ts";

describeGivenHooks(kernel);

test("an event that says its statics and one that does not give the bits of /v1/score", async () => {
  const artifact = encodeArtifact(makeModel(kernel, GIVEN));
  const streams = openStreams(openModel(artifact, instantiateKernel(kernel).log, (m) => createWasmEngine(kernel, m)));
  const endpoints = readEndpoints(envOf({ values: ["/x", "/mode"], static: { plan: "/customer/plan", age: "/customer/age" } }));
  const app = openApp(kernel, artifact, { ...streams.dependencies, endpoints, now: () => streams.clock });
  const send = async (body: object) =>
    (await post(app, "/hooks/s/a-token-of-some-length", JSON.stringify({ shop: "k", at: streams.clock, ...body }))).json();
  await send({ x: 1.25, mode: "up", customer: { plan: "pro", age: 41 } });
  const { probability, detail } = await send({ x: null, mode: "down" });
  const request = {
    sequence: [
      [1.25, "up"],
      [null, "down"],
    ],
    static: { plan: "pro", age: 41 },
  };
  const { results } = await (await postScore(app, JSON.stringify(request))).json();
  expect(probability, detail).toBe(results[0].probability);
});
