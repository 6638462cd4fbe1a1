// KServe's own REST client, as it is, in both of its protocols, against the Worker on raw workerd. Its key has the scope score alone.
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeOutside } from "../environment.ts";
import { SCORE_KEY, type Served, scoredSequences, serveWorker } from "../served.ts";

describeOutside("kserve", (python) => {
  let served: Served;
  beforeAll(async () => {
    served = await serveWorker();
  });
  afterAll(() => served?.stop());

  test("every call of InferenceRESTClient answers what /v1/score answers", async () => {
    const { url, name } = served;
    const { sequences, probabilities } = await scoredSequences(served, 7);
    const { v2, v1 } = JSON.parse(await python.run("calls.py", [], { url, key: SCORE_KEY, name, sequences }));
    expect(Object.keys(v2.answers)).toHaveLength(21);
    for (const [call, answer] of Object.entries(v2.answers)) expect(answer, call).toEqual(probabilities);
    expect(v2.about).toEqual({ live: true, ready: true, "model ready": true, "another ready": false, id: "a" });
    const words = "must have shape [sequences, 1 to 10 steps, 5 features], got [1, 1]";
    expect(v2.refused).toEqual([422, expect.stringContaining(`inputs[0].shape ${words}`)]);
    expect(Object.keys(v1.answers)).toHaveLength(3);
    for (const [call, answer] of Object.entries(v1.answers)) expect(answer, call).toEqual(probabilities.map((p) => [p]));
    expect(v1.ready).toBe(true);
    expect(v1.refused).toEqual([422, expect.stringMatching(/^instances\[0\]\[0\] must have 5 /)]);
  });
});
