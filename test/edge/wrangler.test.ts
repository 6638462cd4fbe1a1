// wrangler.toml: an environment inherits no bindings, so what the default has must stand there again.
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { unstable_readConfig as readConfig } from "wrangler";

const config = fileURLToPath(new URL("../../wrangler.toml", import.meta.url));

/** What tells the two apart, or says where they were read. */
const DIFFERING = ["name", "main", "define", "targetEnvironment"];

test("no environment logs URLs, which may hold a webhook's token", () => {
  for (const env of [undefined, "onnx"]) expect(readConfig({ config, env }).observability?.logs?.invocation_logs).toBe(false);
});

test("the environment onnx has every setting and binding of the default, but for its name, its sources and what they are told", () => {
  const onnx = readConfig({ config, env: "onnx" });
  expect(onnx.main).toMatch(/edge\/worker-onnx\.ts$/);
  const settings = (read: object) => Object.fromEntries(Object.entries(read).filter(([key]) => !DIFFERING.includes(key)));
  expect(settings(onnx)).toEqual(settings(readConfig({ config })));
  expect(onnx.vars).toHaveProperty("AUTH");
  expect(onnx.ratelimits).toHaveLength(2);
  expect(
    onnx.migrations.map(({ tag, new_sqlite_classes }: { tag: string; new_sqlite_classes: string[] }) => [tag, new_sqlite_classes]),
  ).toEqual([
    ["v1", ["Stream", "Directory"]],
    ["v2", ["Breaker"]],
    ["v3", ["Metrics", "Drift", "Outcomes"]],
  ]);
});
