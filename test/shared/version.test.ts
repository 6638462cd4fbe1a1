import { expect, test } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import { VERSION } from "../../shared/version.ts";

test("the code's version is the package's", () => {
  expect(VERSION).toBe(manifest.version);
});
