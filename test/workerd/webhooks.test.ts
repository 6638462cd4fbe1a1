// Webhooks with the crypto.subtle of the real runtime: every sender, every tampering, and the published vectors of what we sign.
import { exports } from "cloudflare:workers";
import { expect, test } from "vitest";
import { encodeArtifact } from "../../shared/artifact/artifact.ts";
import kernel from "../../shared/kernel/inference.wasm";
import { openApp } from "../fixtures/app.ts";
import { describeGivenHooks } from "../fixtures/given-hooks.ts";
import { makeModel } from "../fixtures/model.ts";
import { describeDeliveries, describeSenders } from "../fixtures/senders.ts";

const artifact = encodeArtifact(makeModel(kernel));
describeSenders((dependencies) => openApp(kernel, artifact, dependencies));
describeDeliveries();
describeGivenHooks(kernel);

test("the deployed Worker, which is configured with no source, is ready and knows none", async () => {
  expect((await exports.default.fetch("https://edge.test/health/ready")).status).toBe(200);
  const response = await exports.default.fetch("https://edge.test/hooks/anybody", { method: "POST", body: "{}" });
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ detail: "no such source is configured: SOURCES in wrangler.toml lists them" });
});
