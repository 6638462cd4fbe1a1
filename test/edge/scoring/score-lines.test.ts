// A stream of lines, beside what the routes' tests say of it: how many there may be.
import { expect, test } from "vitest";
import { openModel, type Ready } from "../../../edge/models/servable-model.ts";
import { scoreLines } from "../../../edge/scoring/score-lines.ts";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel } from "../../fixtures/model.ts";

const ready = openModel(encodeArtifact(makeModel(kernel)), instantiateKernel(kernel).log, (m) => createWasmEngine(kernel, m)) as Ready;
const options = { point: ready.model.operatingPoints[0], explain: false };

/** The answers to endless lines, of which at most `maxLines` are scored; and how many chunks of ten were read. */
async function answersTo(maxLines: number) {
  let chunks = 0;
  let isCancelled = false;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      chunks++;
      controller.enqueue(new TextEncoder().encode("[[1,2,3,4,5]]\n".repeat(10)));
    },
    cancel() {
      isCancelled = true;
    },
  });
  let totals: object | undefined;
  const answered = scoreLines(ready, body, options, (counted) => (totals = { ...counted }), maxLines);
  const lines = (await new Response(answered).text()).trimEnd().split("\n");
  return { lines: lines.map((line) => JSON.parse(line)), chunks, isCancelled, totals };
}

test("a stream of more lines than there may be ends with an error line, and no more of it is read", async () => {
  const { lines, chunks, isCancelled, totals } = await answersTo(25);
  expect(lines).toHaveLength(26);
  expect(lines[24]).toHaveProperty("probability");
  expect(lines[25]).toMatchObject({ line: 26, error: { status: 413, detail: "at most 25 lines a request: send them in parts" } });
  expect(chunks).toBeLessThan(6);
  expect(isCancelled).toBe(true);
  expect(totals).toEqual({ sequences: 25, errors: 1 });
});
