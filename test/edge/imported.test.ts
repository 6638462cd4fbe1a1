// A model that was trained elsewhere, served: hard gates, read backwards, no metrics yet.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readNpy } from "../../shared/npy.ts";
import { openApp, postScore } from "../fixtures/app.ts";
import { importBytes, scoreBytes } from "../fixtures/import/importing.ts";
import { kernel } from "../fixtures/kernel.ts";

const folder = new URL("../fixtures/import/", import.meta.url);
const { bytes } = await importBytes(readFileSync(new URL("good/hard-backwards.h5", folder)));
const app = openApp(kernel, Uint8Array.from(bytes));

test("an imported model is ready, and scores with the bits it has in the trainer", async () => {
  expect((await app.request("/health/ready")).status).toBe(200);
  const X = readNpy(readFileSync(new URL("sequences.npy", folder)), "X").data as Float64Array;
  const sequences = Array.from({ length: 10 }, (_, k) =>
    Array.from({ length: 10 }, (_, t) => [...X.subarray(((k + 1) * 10 + t) * 5, ((k + 1) * 10 + t + 1) * 5)]),
  );
  const answer = await postScore(app, JSON.stringify({ sequences }));
  const { results } = (await answer.json()) as { results: { probability: number }[] };
  expect(results.map(({ probability }) => probability)).toEqual(scoreBytes(bytes, X.subarray(50, 550)));
});

test("its card says where it came from, and that there are no metrics yet", async () => {
  const card = (await (await app.request("/v1/model")).json()) as Record<string, unknown>;
  expect(card).toMatchObject({ metrics: null, imported: { format: "Keras 2.2.4 (.h5)" } });
  expect(String(card.warnings)).toContain("not calibrated");
});
