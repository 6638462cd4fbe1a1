// Triton's own HTTP client, as it is, sync, asynchronous and aio, against the Worker on raw workerd.
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeOutside } from "../environment.ts";
import { ADMIN_KEY, type Served, scoredSequences, serveWorker } from "../served.ts";

describeOutside("triton", (python) => {
  let served: Served;
  beforeAll(async () => {
    served = await serveWorker();
  });
  afterAll(() => served?.stop());

  test("every call of tritonclient.http answers what /v1/score answers", async () => {
    const { url, name } = served;
    const { sequences, probabilities } = await scoredSequences(served, 7);
    const { sync, aio } = JSON.parse(await python.run("calls.py", [], { url, key: ADMIN_KEY, name, sequences }));
    expect(Object.keys(sync.answers).length).toBe(33);
    for (const [call, answer] of Object.entries(sync.answers)) expect(answer, call).toEqual(probabilities);
    expect(aio).toEqual({ answers: Array(6).fill(probabilities), ready: true });
    expect(sync.about).toEqual({
      live: true,
      ready: true,
      "model ready": true,
      "version ready": true,
      "another ready": false,
      server: "quickstep",
      metadata: [{ name: "sequences", datatype: "FP64", shape: [-1, 10, 5] }],
      config: 1000,
      index: "READY",
    });
    expect(sync.counts).toEqual([33, 33]);
    expect(sync.refused.class_count).toMatch(/must be left out \(class_count, in Triton's clients\)/);
    expect(sync.refused.shape).toMatch(/^inputs\[0\]\.shape must have shape \[sequences, 1 to 10 steps, 5 features\], got \[1, 1\]/);
  });
});
