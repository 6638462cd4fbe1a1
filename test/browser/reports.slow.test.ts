// The pages that the commands write, in real Chromium: axe-core finds nothing in them, and nothing is fetched, their icon included.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isHere, launch, SHOTS, violationsOn, widerThanScreen } from "./chromium.ts";

const MAIN = fileURLToPath(new URL("../../trainer/main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "quickstep-reports-"));

/** The command's page. Small data: the form is what is looked at. */
function pageOf(...argv: string[]): string {
  const { status, stderr } = spawnSync(process.execPath, [MAIN, ...argv, "--report", "page.html"], { cwd: folder, encoding: "utf8" });
  expect(status, stderr).toBe(0);
  return readFileSync(join(folder, "page.html"), "utf8");
}

describe.skipIf(!isHere)("a report", () => {
  let browser: Browser;
  const pages: Record<string, string> = {};
  beforeAll(async () => {
    browser = await launch();
    const sample = spawnSync(process.execPath, [MAIN, "sample", "fx", "--n", "600", "--out", "."], { cwd: folder, encoding: "utf8" });
    expect(sample.status, sample.stderr).toBe(0);
    pages.training = pageOf("train", "fx.npz", "--learner", "lstm", "--units", "6", "--epochs", "2", "--out", "fx.safetensors");
    pages.diagnosis = pageOf("diagnose", "fx.npz");
    pages.drift = pageOf("drift", "fx.safetensors", "fx.npz");
  }, 600_000);
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await browser?.close();
  });

  const WAYS = ["light", "dark"].flatMap((scheme) => ["training", "diagnosis", "drift"].map((name) => [name, scheme] as const));
  test.each(WAYS)("of %s is without a finding of axe-core, %s, and fits a phone", async (name, scheme) => {
    const context = await browser.newContext({ colorScheme: scheme as "light" | "dark", viewport: { width: 1100, height: 900 } });
    const page = await context.newPage();
    const asked: string[] = [];
    const said: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    page.on("console", (message) => said.push(message.text()));
    await page.route("http://report.test/", (route) => route.fulfill({ contentType: "text/html", body: pages[name] }));
    await page.goto("http://report.test/");
    expect(await violationsOn(page)).toEqual([]);
    expect(said).toEqual([]);
    expect(asked.filter((url) => !url.startsWith("data:"))).toEqual(["http://report.test/"]);
    await page.screenshot({ path: `${SHOTS}report-${name}-${scheme}.png`, fullPage: true });
    await page.setViewportSize({ width: 360, height: 800 });
    expect(await widerThanScreen(page)).toBe(false);
    expect(await violationsOn(page)).toEqual([]); // tables scroll there that are whole on a desk
    await context.close();
  });
});
