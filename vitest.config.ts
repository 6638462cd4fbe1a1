import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** The digests of `test-key-score-read`, `test-key-read` and `test-key-admin`. */
const API_KEYS = `
  tests:dde359804bbf17e6d26d5c0760d5f9464837eecc88ee26f1a77d96fa5b3845be
  reader:bbacdaf9b396472c47034f9694f1dfa54628788be7f8b17ed3e282aae0ebf97d:read
  root:9dcbbd74444fd6ad6e60351b17c5e8a9c6f88269a79f6c805e451fa121a9d608:admin`;

/** What wrangler.toml leaves out: each part of the monitor is off unless it is bound. */
const MONITOR = Object.fromEntries(
  Object.entries({ METRICS: "Metrics", DRIFT: "Drift", OUTCOMES: "Outcomes" }).map(([name, className]) => [
    name,
    { className, useSQLite: true },
  ]),
);

/** Some two hundred commands are started, and Node need not compile the same sources for each: 0.14 s instead of 0.36 (measured). */
const env = { NODE_COMPILE_CACHE: join(tmpdir(), "quickstep-tests-compiled") };

export default defineConfig({
  test: {
    maxWorkers: availableParallelism(), // by default one core stays idle: half of two
    silent: "passed-only", // a line a request is no news while tests pass
    projects: [
      {
        test: {
          name: "node",
          include: ["test/**/*.test.ts"],
          exclude: ["test/workerd/**", "test/outside/**", "**/*.slow.test.ts"],
          testTimeout: 30_000,
          env,
        },
      },
      { test: { name: "slow", include: ["test/**/*.slow.test.ts"], testTimeout: 600_000 } },
      { test: { name: "outside", include: ["test/outside/**/*.test.ts"], testTimeout: 600_000, hookTimeout: 600_000, env } },
      {
        logLevel: "error", // else a line for every source map that a library does not ship
        plugins: [
          cloudflareTest({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: {
              bindings: { API_KEYS },
              r2Buckets: ["TEST_MODELS"],
              durableObjects: MONITOR,
              analyticsEngineDatasets: { ANALYTICS: { dataset: "quickstep" } },
            },
          }),
        ],
        test: { name: "workerd", testTimeout: 30_000, include: ["test/workerd/**/*.test.ts"], globalSetup: ["test/parity.setup.ts"] },
      },
    ],
  },
});
