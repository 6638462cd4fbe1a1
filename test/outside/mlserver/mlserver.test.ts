// MLServer's own types and codecs, as they are, against the Worker on raw workerd; and all of its types written out, null where nothing is said.
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeOutside } from "../environment.ts";
import { SCORE_KEY, type Served, scoredSequences, serveWorker } from "../served.ts";

describeOutside("mlserver", (python) => {
  let served: Served;
  beforeAll(async () => {
    served = await serveWorker();
  });
  afterAll(() => served?.stop());

  test("what its codecs encode is scored as /v1/score scores it, and what is answered its types and codecs read", async () => {
    const { url, name } = served;
    const { sequences, probabilities } = await scoredSequences(served, 7);
    const { answers, ...about } = JSON.parse(await python.run("calls.py", [], { url, key: SCORE_KEY, name, sequences }));
    expect(Object.keys(answers)).toHaveLength(18);
    for (const [call, answer] of Object.entries(answers)) expect(answer, call).toEqual(probabilities);
    expect(about).toEqual({
      nulls: 4,
      table: ["probability", "label", "outOfRange"],
      answer: { id: "a", name, versioned: true },
      server: ["binary_tensor_data", "model_configuration", "statistics"],
      model: [{ name: "sequences", datatype: "FP64", shape: [-1, 10, 5] }],
      refused: [422, expect.stringContaining("inputs[0].shape must have shape [sequences, 1 to 10 steps, 5 features], got [1, 1]")],
    });
  });
});
