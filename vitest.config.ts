import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      { test: { name: "node", include: ["test/**/*.test.ts"], exclude: ["test/workerd/**", "**/*.slow.test.ts"], testTimeout: 30_000 } },
      { test: { name: "slow", include: ["test/**/*.slow.test.ts"], testTimeout: 600_000 } },
      {
        plugins: [cloudflareTest({ wrangler: { configPath: "./wrangler.toml" } })],
        test: { name: "workerd", include: ["test/workerd/**/*.test.ts"], globalSetup: ["test/parity.setup.ts"] },
      },
    ],
  },
});
