// What a request may ask for, by each way of asking. The refusals are with the routes.
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { openApp, post, postScore } from "../../fixtures/app.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel } from "../../fixtures/model.ts";

const sequence = [[1, 2, 3, 4, 5]];

describe.each([
  ["an older artifact", "even"],
  ["a newer artifact", "default"],
])("the default operating point of %s is found by both its names, and answered by the artifact's", (_, name) => {
  const points = [
    { name: "best-f1", threshold: 0.25 },
    { name, threshold: 0.5 },
  ];
  const app = openApp(kernel, encodeArtifact({ ...makeModel(kernel, { name: "fx" }), operatingPoints: points }));

  test.each(["even", "default"])("%s", async (asked) => {
    const inBody = await postScore(app, JSON.stringify({ sequence, operatingPoint: asked }));
    expect(await inBody.json()).toMatchObject({ operatingPoint: name });
    const inQuery = await post(app, `/v1/score?operatingPoint=${asked}`, JSON.stringify({ sequence }), {
      "content-type": "application/json",
    });
    expect(await inQuery.json()).toMatchObject({ operatingPoint: name });
    const inputs = [{ name: "sequences", shape: [1, 1, 5], datatype: "FP64", data: sequence.flat() }];
    const inParameters = await post(app, "/v2/models/fx/infer", JSON.stringify({ inputs, parameters: { operatingPoint: asked } }), {
      "content-type": "application/json",
    });
    expect(await inParameters.json()).toMatchObject({ parameters: { operatingPoint: name } });

    const document = await (await app.request("/openapi.json")).json();
    const ajv = new Ajv2020({ strict: false, validateFormats: false }).addSchema(document, "service");
    const request = ajv.getSchema("service#/components/schemas/ScoreRequest")!;
    expect(request({ sequence, operatingPoint: asked })).toBe(true);
    expect(request({ sequence, operatingPoint: "evens" })).toBe(false);
  });
});
