// What GET /metrics says, held by Prometheus' own linter: `promtool check metrics` of Debian's package prometheus, or of its Go module, on
// the PATH or where PROMTOOL names it.
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { expose } from "../../../edge/monitor/exposition.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { computeInputs } from "../../../shared/model.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { openMonitor } from "../../fixtures/monitor.ts";
import { drawSequences, makeWatchedModel } from "../../studies/drift/streams.ts";

const PROMTOOL = process.env.PROMTOOL ?? "promtool";
const isHere = spawnSync(PROMTOOL, ["--version"]).status === 0;
if (!isHere) console.warn("skipped: promtool is not there (apt-get install prometheus)");

const check = (text: string) => {
  const { status, stdout, stderr } = spawnSync(PROMTOOL, ["check", "metrics"], { input: text, encoding: "utf8" });
  return { status, said: `${stdout}${stderr}` };
};

/** All families, with names that need escaping. */
async function exposition(): Promise<string> {
  const node = openMonitor(kernel);
  const model = makeWatchedModel(kernel, 1000, 970_000);
  const { log } = instantiateKernel(kernel);
  const engine = createWasmEngine(kernel, model);
  const scored = { id: 'f"x\\@0123456789ab', model, engine, log };
  const values = drawSequences(8, createRandom(1));
  node.monitor.isolate.scored(scored, values, engine.probabilities(computeInputs(model, values, log, engine.series)), true);
  for (const status of [200, 422])
    node.monitor.isolate.request({
      id: "r",
      method: "POST",
      route: "/v1/score",
      status,
      model: "0123456789ab",
      version: "0.1.0",
      durationMs: 12,
      sequences: 8,
    });
  node.monitor.isolate.delivery("desk", "delivered");
  for (let n = 0; n < 11; n++) node.monitor.remember("0123456789ab".padEnd(64, "0"), new Float32Array(1000)); // the last ones are lost
  await node.monitor.isolate.flush();
  return expose({
    model: { id: scored.id, version: "0.1.0" },
    counts: await node.monitor.counts(),
    totals: { streams: 3, pending: 1, delivered: 2, dead: 0, dropped: 0 },
    destinations: [{ name: "desk", state: "open", openedAt: null, probeAt: null }],
    drift: [{ model: scored.id, report: await node.monitor.drift(scored) }],
  });
}

test.skipIf(!isHere)("promtool finds nothing in what a deployment exposes, and finds what is wrong", async () => {
  const text = await exposition();
  expect(text.match(/^# TYPE /gm)?.length).toBeGreaterThanOrEqual(10);
  expect(check(text)).toEqual({ status: 0, said: "" });
  expect(check(text.replace("# TYPE quickstep_requests_total counter", "# TYPE quickstep_requests_total speed")).status).not.toBe(0);
});
