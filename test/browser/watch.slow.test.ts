// The page of a deployment that has several models, a challenger in the shadow, drift, and outcomes: in real Chromium, on the code that
// serves, with the monitor's objects on node:sqlite.
import { createHash } from "node:crypto";
import type { Browser, BrowserContextOptions } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createApp } from "../../edge/app.ts";
import { readAccess } from "../../edge/http/access.ts";
import type { Bucket } from "../../edge/models/bucket.ts";
import { monitored } from "../../edge/models/monitored.ts";
import { Registry } from "../../edge/models/registry.ts";
import { hooksOf } from "../../edge/monitor/hooks.ts";
import { encodeArtifact } from "../../shared/artifact/artifact.ts";
import { createRandom } from "../../trainer/statistics/random.ts";
import { type App, artifactOpener, DEPENDENCIES } from "../fixtures/app.ts";
import { kernel } from "../fixtures/kernel.ts";
import { makeModel } from "../fixtures/model.ts";
import { openMonitor } from "../fixtures/monitor.ts";
import { drawSequences, makeWatchedModel } from "../studies/drift/streams.ts";
import { BUILT_ASSETS as assets, isHere, launch, openPage, SCREENS, SHOTS, violationsOn, widerThanScreen } from "./chromium.ts";

const open = artifactOpener(kernel);
const sha256 = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex");
const [T, F] = [5, 3];

/** A bucket in memory. */
function openBucket(): Bucket {
  const objects = new Map<string, Uint8Array<ArrayBuffer>>();
  const read = (bytes: Uint8Array<ArrayBuffer>) => ({
    etag: sha256(bytes),
    size: bytes.length,
    text: async () => new TextDecoder().decode(bytes),
    arrayBuffer: async () => bytes.slice().buffer,
  });
  return {
    get: async (key) => (objects.has(key) ? read(objects.get(key)!) : null),
    async put(key, value) {
      objects.set(key, typeof value === "string" ? new TextEncoder().encode(value) : value);
      return {};
    },
    list: async () => ({ delimitedPrefixes: [...new Set([...objects.keys()].map((key) => key.replace(/[^/]*$/, "")))], truncated: false }),
  };
}

/** `fx`, the default, with a challenger, shifted sequences and outcomes; `shop` beside it; `keys` of the deployment. */
async function openDeployment(keys?: string): Promise<App> {
  const node = openMonitor(kernel);
  const bucket = openBucket();
  const current = { ...makeWatchedModel(kernel, 1000, 970_000), name: "fx" };
  const now = () => node.clock;
  const registry = new Registry({ bundled: open(encodeArtifact(current)).servable, bucket, open, now, log: () => {} });
  const models = monitored(registry, (served) => hooksOf(served, node.monitor));
  const base = { ...DEPENDENCIES, assets, now, monitor: node.monitor, registry: { registry, bucket, open, now } };
  const app = createApp(models, { ...base, access: readAccess({ API_KEYS: `root:${sha256("root-key")}:admin` }) });
  const call = async (method: string, path: string, body: BodyInit) => {
    const headers = {
      authorization: "Bearer root-key",
      "content-type": typeof body === "string" ? "application/json" : "application/octet-stream",
    };
    const response = await app.request(path, { method, body, headers });
    expect([path, response.status]).toEqual([path, 200]);
    return (await response.json()) as { results: { probability: number; prediction: string }[] };
  };
  for (const [name, model, query] of [
    ["fx", current, ""],
    ["fx", makeWatchedModel(kernel, 1000, 970_001), "&shadow=1"],
    ["shop", makeModel(kernel, { name: "shop" }), ""],
  ] as const) {
    const bytes = encodeArtifact(model);
    await call("PUT", `/v1/models/${name}?sha256=${sha256(bytes)}${query}`, bytes);
    node.clock += 61_000;
  }
  const random = createRandom(9);
  for (let day = 0; day < 12; day++) {
    node.clock += 86_400_000;
    const values = drawSequences(60, random).map((x, i) => (day > 6 && i % F === 0 ? x + 1.5 : x));
    for (let n = 0; n < 60; n++) {
      const sequence = Array.from({ length: T }, (_, t) => [...values.subarray((n * T + t) * F, (n * T + t + 1) * F)]);
      const { results } = await call("POST", "/v1/score", JSON.stringify({ sequence, remember: true }));
      if (n % 20 === 19) await node.monitor.isolate.flush();
      const label = random.uniform() < results[0].probability ? 1 : 0;
      await call("POST", "/v1/outcomes", JSON.stringify({ prediction: results[0].prediction, label }));
    }
    await node.monitor.isolate.flush();
  }
  return createApp(models, keys === undefined ? base : { ...base, access: readAccess({ API_KEYS: keys }) });
}

describe.skipIf(!isHere)("drift, outcomes and a challenger", () => {
  let browser: Browser;
  let app: App;
  beforeAll(async () => {
    browser = await launch();
    app = await openDeployment();
  }, 120_000);
  afterAll(() => browser?.close());

  const openWatched = async (options: BrowserContextOptions = {}) => {
    const opened = await openPage(browser, app, "/", options);
    opened.page.setDefaultTimeout(8000);
    await opened.page.waitForSelector("#watch-tab:not([hidden])");
    await opened.page.focus("#try-tab");
    await opened.page.keyboard.press("ArrowRight");
    await opened.page.waitForSelector("#watch-compare figure");
    await opened.page.waitForSelector("#watch-performance figure");
    await opened.page.waitForSelector("#watch-drift figure");
    return opened;
  };

  test("are plots with words, reached from the keyboard", async () => {
    const { page, errors, close } = await openWatched();
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("watch-tab");
    expect(await page.textContent("#watch-drift")).toMatch(/Drift was detected, after \d+ sequences: the evidence reached 1000/);
    expect(await page.locator("#watch-drift figure").first().getAttribute("class")).toBeNull();
    expect(await page.locator("#watch-drift svg").first().getAttribute("aria-label")).toMatch(/^a: evidence .* Part 10 of 10 grew most/);
    const strokes = await page.locator("#watch svg text").evaluateAll((texts) => texts.map((text) => getComputedStyle(text).stroke));
    expect(new Set(strokes)).toEqual(new Set(["none"])); // what the desk's plots draw lines with leaves these texts thin
    expect(await page.textContent("#watch-performance")).toMatch(/720 outcomes/);
    expect(await page.locator("#watch-performance svg").first().getAttribute("aria-label")).toMatch(/^Log loss by day, 12 days/);
    expect(await page.textContent("#watch-compare")).toMatch(
      /scores 100.0 % of the requests in the shadow: \d+ sequences that both models scored/,
    );
    expect(await page.locator("#watch-compare figure").count()).toBe(3);
    expect(await page.locator("#watch table").count()).toBe(0);
    await page.keyboard.press("ArrowRight");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("desk-tab");
    await page.keyboard.press("ArrowRight");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("try-tab");
    expect(errors.filter((error) => !/50[13]|40[134]/.test(error))).toEqual([]); // no streams here: the desk says so
    await close();
  });

  test.each(SCREENS)("fit the screen, and axe-core finds nothing: %s", async (name, options) => {
    const { page, close } = await openWatched(options);
    expect(await widerThanScreen(page)).toBe(false);
    await page.screenshot({ path: `${SHOTS}watch-${name}.png`, fullPage: true });
    expect(await violationsOn(page)).toEqual([]);
    await close();
  });

  test("a model is chosen, and card, score, drift and challenger are its own", async () => {
    const { page, close } = await openWatched();
    expect(await page.locator("#model option").allTextContents()).toEqual(["fx (default)", "shop"]);
    await page.click("#try-tab");
    await page.selectOption("#model", "shop");
    await page.waitForFunction(() => document.querySelector("h1")?.textContent?.startsWith("shop@"));
    const row = "1.25, 0.7, 1.25, 0.8, 1.25";
    await page.fill("#sequence", [row, row, row].join("\n"));
    const answered = page.waitForResponse("**/v1/models/shop/score");
    await page.click("#score");
    expect((await (await answered).json()).model).toMatch(/^shop@/);
    await page.click("#watch-tab");
    await page.waitForFunction(() => document.getElementById("watch-compare")?.textContent?.includes("shop has no challenger"));
    await page.selectOption("#model", "fx");
    await page.waitForFunction(() => document.querySelector("h1")?.textContent?.startsWith("fx@"));
    await close();
  });

  test("a key that may only score chooses and scores, and is shown nothing that it may not read", async () => {
    const scoring = await openDeploymentFor("the-key", "score");
    const { page, close } = await openPage(browser, scoring);
    await page.fill("#key", "the-key");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#model-choice:not([hidden])");
    expect(await page.isVisible("#watch-tab")).toBe(false);
    await page.selectOption("#model", "shop");
    await page.fill("#sequence", "1.25, 0.7, 1.25, 0.8, 1.25");
    const answered = page.waitForResponse("**/v1/models/shop/score");
    await page.click("#score");
    expect((await answered).status()).toBe(200);
    for (const part of ["card", "drift", "performance", "compare"])
      expect((await scoring.request(`/v1/models/fx/${part}`, { headers: { authorization: "Bearer the-key" } })).status).toBe(403);
    await page.screenshot({ path: `${SHOTS}watch-score-only.png`, fullPage: true });
    await close();
  });

  const openDeploymentFor = (key: string, scopes: string) => openDeployment(`page:${sha256(key)}:${scopes}`);
});
