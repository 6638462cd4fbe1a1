// GET /docs in real Chromium: Swagger UI under the Worker's policy, tried with a key, on a phone, in the dark, held against axe-core.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readAccess } from "../../edge/http/access.ts";
import { openApp } from "../fixtures/app.ts";
import { kernel } from "../fixtures/kernel.ts";
import { BUILT_ASSETS, isHere, launch, openPage, SHOTS, violationsOn, widerThanScreen } from "./chromium.ts";

const artifact = new Uint8Array(readFileSync(new URL("../../edge/model.safetensors", import.meta.url)));
const GRAVE = ["serious", "critical"];
const SCORE = "#operations-score-scoreSequences";
const LIST = "#operations-deliveries-listDeliveries";
const access = readAccess({ API_KEYS: `docs:${createHash("sha256").update("the-key").digest("hex")}:score` });
const app = openApp(kernel, artifact, { assets: BUILT_ASSETS, access });

describe.skipIf(!isHere)("the reference", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser?.close());

  test("tries a request with the key, and shows it as curl, JavaScript and Python, without the key", async () => {
    const { page, errors, close } = await openPage(browser, app, "/docs");
    await page.click(".btn.authorize");
    await page.fill(".auth-container input", "the-key");
    await page.click(".auth-btn-wrapper .authorize");
    await page.click(".auth-btn-wrapper .btn-done");
    await page.click(`${SCORE} .opblock-summary-control`);
    await page.click(`${SCORE} .btn.execute`);
    await page.waitForSelector(`${SCORE} .live-responses-table`);
    expect(await page.textContent(`${SCORE} .live-responses-table tbody .response-col_status`)).toContain("200");
    expect(await page.textContent(`${SCORE} .live-responses-table`)).toContain('"probability"');
    for (const [title, said] of [
      ["curl", '-H "authorization: Bearer $QUICKSTEP_KEY"'],
      ["JavaScript", "process.env.QUICKSTEP_KEY"],
      ["Python", 'os.environ["QUICKSTEP_KEY"]'],
    ]) {
      await page.click(`${SCORE} .curl-command .btn:text-is("${title}"), ${SCORE} .curl-command h4:text-is("${title}")`);
      await page.waitForFunction(([at, text]) => document.querySelector(at)?.textContent?.includes(text), [`${SCORE} .curl`, said]);
      expect(await page.textContent(`${SCORE} .curl`)).not.toContain("the-key");
    }
    expect(errors).toEqual([]); // nothing that the policy refused among them
    await close();
  });

  test.each([
    ["light", 1200],
    ["dark", 1200],
    ["dark", 360],
  ] as const)("axe-core finds nothing serious in it, %s, %i px, and nothing scrolls sideways", async (colorScheme, width) => {
    const { page, close } = await openPage(browser, app, "/docs", { colorScheme, viewport: { width, height: 800 } });
    await page.waitForSelector(SCORE);
    expect(await violationsOn(page, GRAVE)).toEqual([]);
    for (const operation of [SCORE, LIST]) await page.click(`${operation} .opblock-summary-control`);
    await page.click(`${SCORE} .btn.execute`);
    await page.waitForSelector(`${SCORE} .live-responses-table`);
    await page.waitForSelector(`${LIST} .opblock-body`);
    expect(await violationsOn(page, GRAVE)).toEqual([]);
    expect(await widerThanScreen(page)).toBe(false);
    const beyond = await page.evaluate(
      () => [...document.querySelectorAll("#reference *")].filter((part) => part.getBoundingClientRect().right > innerWidth + 1).length,
    );
    expect(beyond).toBe(0);
    await page.screenshot({ path: `${SHOTS}docs-${colorScheme}-${width}.png` });
    await close();
  });
});
