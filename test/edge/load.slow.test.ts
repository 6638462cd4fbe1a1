// The Worker on raw workerd, as bundled for a deploy, a small part of what `npm run bench -- load` does.
import { statSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { dieInTheMiddle, interleave, stallInTheMiddle, streamLines } from "../studies/bench/load.ts";
import { type Bundle, bundle, type Server, serve } from "../studies/bench/workerd.ts";

/** What garbage may lie around between two collections. */
const SLACK_BYTES = 96 * 2 ** 20;
/** Of the upload without the artifact, and of an artifact at default settings. */
const MAX_CODE_BYTES = 320 * 1024;
const MAX_ARTIFACT_BYTES = 2 ** 20;

let bundled: Bundle;
let server: Server;
beforeAll(async () => {
  bundled = bundle();
  server = await serve(bundled);
});
afterAll(async () => {
  await server.stop();
  bundled.remove();
});

test("the upload is small, without the artifact, and so is the artifact", () => {
  const artifact = statSync(new URL("../../edge/model.safetensors", import.meta.url)).size;
  expect(bundled.bytes - artifact).toBeLessThanOrEqual(MAX_CODE_BYTES);
  expect(artifact).toBeLessThanOrEqual(MAX_ARTIFACT_BYTES);
});

test("requests of many clients at once never mix, and leave no memory behind", async () => {
  await interleave(server, 40_000, () => {}); // V8 has its heap's size by then
  const before = server.memory();
  await interleave(server, 40_000, () => {});
  expect(server.memory() - before).toBeLessThan(SLACK_BYTES);
});

test("100,000 lines in one stream are answered one by one, in flat memory", async () => {
  const before = server.memory();
  expect((await streamLines(server, 100_000)) - before).toBeLessThan(SLACK_BYTES);
});

test("clients that die in the middle of a body hold nothing", async () => {
  await dieInTheMiddle(server, 500);
  const before = server.memory();
  await dieInTheMiddle(server, 1000);
  await interleave(server, 1000, () => {});
  expect(server.memory() - before).toBeLessThan(SLACK_BYTES);
});

test("500 clients that stall in the middle of a body hold up nobody, and get their own answers in the end", async () => {
  const before = server.memory();
  await stallInTheMiddle(server, 500, () => interleave(server, 5000, () => {}));
  expect(server.memory() - before).toBeLessThan(SLACK_BYTES);
});
