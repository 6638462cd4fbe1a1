// GET / in real Chromium, answered by the app itself: with the keyboard, on a phone, in the dark, behind a key.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createApp } from "../../edge/app.ts";
import { readAccess } from "../../edge/http/access.ts";
import { bundledOnly } from "../../edge/models/models.ts";
import { openOnnxModel } from "../../edge/models/onnx-model.ts";
import { REAL_SAMPLES } from "../../edge/page/real-samples.ts";
import { readEndpoints } from "../../edge/streams/endpoints.ts";
import type { StreamStore } from "../../edge/streams/store.ts";
import type { ListedDelivery } from "../../edge/streams/stream-object.ts";
import { decodeArtifact, encodeArtifact } from "../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../shared/engine.ts";
import { withPrecision } from "../../shared/members.ts";
import { score as scoreModel } from "../../shared/model.ts";
import { openSession } from "../../shared/onnx/session.ts";
import { sampleSequence } from "../../shared/sample.ts";
import { type App, assetsOf, DEPENDENCIES, openApp, postScore } from "../fixtures/app.ts";
import { kernel } from "../fixtures/kernel.ts";
import { makeModel } from "../fixtures/model.ts";
import { encodeLogistic, functions, runtime } from "../fixtures/onnx.ts";
import { ENV, fakeStreams } from "../fixtures/senders.ts";
import {
  BUILT_ASSETS as assets,
  isHere,
  launch,
  type OpenPage,
  openPage,
  SCREENS,
  SHOTS,
  violationsOn,
  widerThanScreen,
} from "./chromium.ts";

const artifact = new Uint8Array(readFileSync(new URL("../../edge/model.safetensors", import.meta.url)));
const model = decodeArtifact(artifact);
const html = readFileSync(new URL("../../edge/assets/page.html", import.meta.url), "utf8");
const ROWS = model.recipe.timesteps;

describe.skipIf(!isHere)("the page", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser?.close());

  /** The page as `app` serves it, whatever the page asks for included; any error in its console fails the test. */
  function open(options: BrowserContextOptions = {}, app: App = openApp(kernel, artifact, { assets })): Promise<OpenPage> {
    return openPage(browser, app, "/", options);
  }

  const probabilityOn = async (page: Page): Promise<string> => {
    await page.waitForFunction(() => !document.getElementById("explanation")?.hidden);
    return (await page.textContent("#probability"))!;
  };

  describe("of a model with categories, gaps, times and what is given once a sequence", () => {
    const given = encodeArtifact(
      makeModel(kernel, {
        name: "shop",
        timesteps: 4,
        gaps: [0],
        clock: true,
        inputs: [
          { name: "x" },
          { name: "mode", levels: ["very low", "up"] },
          { name: "plan", levels: ["", "basic", "pro"], static: true },
          { name: "a rather long name of a number", static: true },
        ],
        features: ["x", "mode=very low", "mode=up", "plan=", "plan=basic", "plan=pro", "a rather long name of a number", "at"],
        channels: [
          { base: "feature", a: 0, view: "rate" },
          { base: "feature", a: 2, view: "level" },
          { base: "feature", a: 5, view: "level" },
          { base: "feature", a: 6, view: "level" },
        ],
      }),
    );
    const app = openApp(kernel, given, { assets });
    const NUMBER = "a rather long name of a number";
    const rows = [
      [1.25, "up"],
      [null, "very low"],
    ];
    const times = ["2026-01-05T09:00:00Z", "2026-01-05T09:01:00Z"];
    const expected = async (statics: object): Promise<string> => {
      const body = JSON.stringify({ sequence: rows, times, static: statics });
      return (await (await postScore(app, body)).json()).results[0].probability.toFixed(4);
    };
    const score = async (page: Page, pasted: string): Promise<string> => {
      await page.fill("#sequence", pasted);
      const answered = page.waitForResponse((response) => response.url().endsWith("/v1/score"));
      await page.click("#score");
      await answered;
      await page.waitForFunction(() => document.getElementById("probability")?.textContent !== "");
      return (await page.textContent("#probability"))!;
    };

    test("has a field for each of these, filled by the sample and by pasted columns", async () => {
      const { page, errors, close } = await open({}, app);
      await page.waitForSelector("#statics:not([hidden])");
      expect(await page.locator("#static-fields label").allTextContents()).toEqual(["plan ", `${NUMBER} `]);
      await page.click("#score"); // the sample
      await probabilityOn(page);
      await page.fill("#static-0", "pro");
      await page.fill("#static-1", "0.75");
      const pasted = `1.25, up, ${times[0]}\nNA, very low, ${times[1]}`;
      expect(await score(page, pasted)).toBe(await expected({ plan: "pro", [NUMBER]: 0.75 }));
      const table = `at,plan,x,${NUMBER},mode\n${times[0]},basic,1.25,0.5,up\n${times[1]},basic,,0.5,very low`;
      expect(await score(page, table)).toBe(await expected({ plan: "basic", [NUMBER]: 0.5 }));
      expect([await page.inputValue("#static-0"), await page.inputValue("#static-1")]).toEqual(["basic", "0.5"]);
      await page.fill("#static-0", "");
      expect(await score(page, pasted)).toBe(await expected({ plan: null, [NUMBER]: 0.5 }));
      await page.fill("#static-1", "many");
      const refused = page.waitForFunction(() => document.getElementById("problem")?.textContent !== "");
      await score(page, pasted);
      await refused;
      expect(await page.textContent("#problem")).toContain(`static.${NUMBER} must be a finite number`);
      expect(errors.filter((error) => !error.includes("422"))).toEqual([]);
      await close();
    });

    test("has the same form for a key that may score and not read", async () => {
      const access = readAccess({ API_KEYS: `page:${createHash("sha256").update("the-key").digest("hex")}:score` });
      const { page, errors, close } = await open({}, openApp(kernel, given, { assets, access }));
      await page.fill("#key", "the-key");
      await page.keyboard.press("Enter");
      await page.waitForSelector("#statics:not([hidden])");
      expect(await page.textContent("#hint")).toContain("of x, mode (very low, up), at, its time");
      expect(await page.textContent("#plot")).toBe(" x   at  "); // the columns that are numbers, by their names
      await page.click("#score"); // the sample
      expect(Number(await probabilityOn(page))).toBeGreaterThan(0);
      expect(await page.isVisible("#card")).toBe(false);
      expect(errors.filter((error) => !error.includes("401"))).toEqual([]); // before the key
      await close();
    });

    test.each(SCREENS)("fits the screen: %s", async (name, options) => {
      const { page, close } = await open(options, app);
      await page.waitForSelector("#statics:not([hidden])");
      await page.click("#score");
      await probabilityOn(page);
      expect(await widerThanScreen(page)).toBe(false);
      await page.screenshot({ path: `${SHOTS}statics-${name}.png`, fullPage: true });
      await close();
    });
  });

  test("shows the model, and scores the sample from the keyboard alone", async () => {
    const { page, errors, close } = await open();
    await page.waitForSelector("#card:not([hidden])");
    expect(await page.textContent("h1")).toContain(model.name);
    expect(await page.locator("#metrics tbody tr").count()).toBe(1 + Object.keys(model.card.baselines).length);
    const bins = model.card.reliability!;
    expect(await page.locator("#reliability tbody tr").count()).toBe(bins.length);
    const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
    for (const [b, { predicted, observed, examples }] of bins.entries()) {
      const cells = await page.locator(`#reliability tbody tr:nth-child(${b + 1}) > *`).allTextContents();
      const came = `${percent(observed.value)} (${(100 * observed.low).toFixed(1)}–${(100 * observed.high).toFixed(1)})`;
      expect(cells).toEqual([percent(predicted), came, "", examples.toLocaleString("en")]);
    }
    expect(await page.locator("#channels li").count()).toBe(model.recipe.channels.length);
    await page.waitForFunction(() => (document.getElementById("sequence") as HTMLTextAreaElement).value !== "");
    await page.keyboard.press("Tab"); // documentation
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("try-tab");
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("sequence");
    await page.keyboard.press("Control+Enter");
    const sample = sampleSequence(model);
    const [, high, low] = [0, 1, 2].map((f) => sample.map((row) => row[f]));
    expect(high.every((value, t) => value >= Math.max(...sample[t].slice(0, 4)) && low[t] <= Math.min(...sample[t].slice(0, 4)))).toBe(
      true,
    );
    const answer = await (
      await openApp(kernel, artifact).request("/v1/score", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ sequence: sample }),
      })
    ).json();
    expect(Number(await probabilityOn(page))).toBeCloseTo(answer.results[0].probability, 3);
    expect(await page.locator("#steps tr").count()).toBe(ROWS);
    expect(await page.locator("#features tr").count()).toBe(model.recipe.features.length);
    await page.screenshot({ path: `${SHOTS}light.png`, fullPage: true });
    expect(errors).toEqual([]);
    await close();
  });

  test("shows no reliability where an older artifact has none", async () => {
    const { reliability: _, ...card } = model.card;
    const { page, errors, close } = await open({}, openApp(kernel, new Uint8Array(encodeArtifact({ ...model, card })), { assets }));
    await page.waitForSelector("#card:not([hidden])");
    expect(await page.locator("#metrics tbody tr").count()).toBeGreaterThan(1);
    expect(await page.isVisible("#reliability")).toBe(false);
    expect(errors).toEqual([]);
    await close();
  });

  test("takes CSV with names, JSON, and a file, and gives them one probability", async () => {
    const { page, errors, close } = await open();
    await page.waitForFunction(() => (document.getElementById("sequence") as HTMLTextAreaElement).value !== "");
    const rows = (await page.inputValue("#sequence")).split("\n").map((line) => line.split(", ").map(Number));
    const probabilities = new Set<string>();
    const scoreNow = async (): Promise<void> => {
      await Promise.all([page.waitForResponse("**/v1/score"), page.click("#score")]);
      probabilities.add(await probabilityOn(page));
      expect(await page.textContent("#problem")).toBe("");
    };
    const { features } = model.recipe;
    const csv = [features.join(";"), ...rows.map((row) => row.join(";"))].join("\r\n");
    const backwards = ["", ...features.toReversed()].join(",");
    for (const source of [
      csv,
      [backwards, ...rows.map((row, t) => [t, ...row.toReversed()].join(","))].join("\n"),
      [features.map((name) => `"${name}"`).join("\t"), ...rows.map((row, t) => [`"${t + 1}"`, ...row].join("\t"))].join("\n"),
      JSON.stringify(rows),
      JSON.stringify({ sequence: rows }),
      JSON.stringify({ sequences: [rows] }),
      rows.map((row) => row.join("\t")).join("\n"),
    ]) {
      await page.fill("#sequence", source);
      await scoreNow();
    }
    await page.setInputFiles("#file", { name: "a.csv", mimeType: "text/csv", buffer: Buffer.from(csv) });
    await page.waitForFunction(() => (document.getElementById("sequence") as HTMLTextAreaElement).value.includes(";"));
    await scoreNow();
    expect(probabilities.size).toBe(1);
    expect(errors).toEqual([]);
    await close();
  });

  test("offers real sequences where the model takes such, and takes a file that is dropped", async () => {
    const { page, errors, close } = await open();
    await page.waitForSelector("#plot svg");
    expect(await page.locator("#real option").allTextContents()).toContain("to 2018-02-02, then −4.1 %: 1");
    const probabilities: string[] = [];
    for (const { last, rows, move, label } of REAL_SAMPLES) {
      await page.selectOption("#real", { label: `to ${last}, then ${move}: ${label}` });
      expect(await page.inputValue("#sequence")).toBe(rows.map((row) => row.join(", ")).join("\n"));
      const answered = page.waitForResponse("**/v1/score");
      await page.click("#score");
      const { results } = await (await answered).json();
      await page.waitForFunction((text) => document.getElementById("probability")?.textContent === text, results[0].probability.toFixed(4));
      probabilities.push(results[0].probability.toFixed(4));
    }
    expect(new Set(probabilities).size).toBe(REAL_SAMPLES.length);
    const rows = REAL_SAMPLES[0].rows;
    const text = JSON.stringify({ sequences: [rows, rows.slice(2)] });
    const data = await page.evaluateHandle((content) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([content], "two.json", { type: "application/json" }));
      return transfer;
    }, text);
    const isTaken = await page.$eval(
      "#score-form",
      (form) => !form.dispatchEvent(new DragEvent("dragover", { bubbles: true, cancelable: true })),
    );
    expect(isTaken).toBe(true); // else the browser would open the file
    await page.dispatchEvent("#score-form", "drop", { dataTransfer: data });
    await page.waitForFunction((content) => (document.getElementById("sequence") as HTMLTextAreaElement).value === content, text);
    await page.click("#score");
    await page.waitForFunction(() => document.querySelector("#batch caption")?.textContent === "Results of 2 sequences");
    expect(errors).toEqual([]);
    await page.screenshot({ path: `${SHOTS}real.png`, fullPage: true });
    await close();
  });

  test("says on the card where a network is computed in int16, and offers another model no real sequence", async () => {
    const int16 = withPrecision(makeModel(kernel, { name: "fx" }), "int16");
    const { log } = instantiateKernel(kernel);
    const { probabilities } = scoreModel(int16, createWasmEngine(kernel, int16), log, int16.golden.inputs);
    const bytes = encodeArtifact({ ...int16, golden: { ...int16.golden, probabilities } });
    const { page, close } = await open({}, openApp(kernel, bytes, { assets }));
    await page.waitForSelector("#card:not([hidden])");
    expect(await page.textContent("#model-line")).toMatch(/^LSTM\(\d+\), computed in int16, /);
    expect(await page.isVisible("#real")).toBe(false);
    await close();
  });

  test("leaves no old probability beside a new error, and takes no binary file", async () => {
    const { page, close } = await open();
    await page.waitForFunction(() => (document.getElementById("sequence") as HTMLTextAreaElement).value !== "");
    const sample = await page.inputValue("#sequence");
    const expectNothing = async (message: string): Promise<void> => {
      await page.waitForFunction((start) => document.getElementById("problem")?.textContent?.includes(start), message);
      expect(await page.textContent("#probability")).toBe("–");
      expect(await page.textContent("#label")).toBe("no score yet");
      expect(await page.isVisible("#explanation")).toBe(false);
    };
    for (const [source, message] of [
      ["1, 2, x", "sequence"],
      ["{", "JSON"],
      ['{"sequences":[],"nothing":1}', "must"],
      [
        "open,high,low,close,adjusted\n1,2,3,4,5",
        "no column volume, only open, high, low, close, adjusted. The model takes open, high, low, close, volume: name",
      ],
      ["volume,high,low,close,open\n1,2,3,4", "Row 1 has 4 cells under 5 names"],
    ]) {
      await page.fill("#sequence", sample);
      await page.click("#score");
      await probabilityOn(page);
      await page.fill("#sequence", source);
      await page.click("#score");
      await expectNothing(message);
    }
    await page.fill("#sequence", sample);
    await page.click("#score");
    await probabilityOn(page);
    for (const buffer of [Buffer.from([0x89, 0x50, 0x4e, 0x47]), Buffer.from("1,2\0")]) {
      await page.setInputFiles("#file", { name: "a.csv", mimeType: "text/csv", buffer });
      await expectNothing("a.csv must be text");
      expect(await page.inputValue("#sequence")).toBe(sample);
    }
    await close();
  });

  test("shows the first of several sequences, and the probabilities of all", async () => {
    const { page, close } = await open();
    await page.waitForSelector("#card:not([hidden])");
    await page.fill("#sequence", JSON.stringify({ sequences: [sampleSequence(model), sampleSequence(model).slice(1)] }));
    await page.click("#score");
    const probability = await probabilityOn(page);
    expect(await page.textContent("#others")).toMatch(new RegExp(`^The first of 2 sequences. All: ${probability}, 0\\.\\d{4}$`));
    await page.screenshot({ path: `${SHOTS}several.png`, fullPage: true });
    await close();
  });

  test("scores sequences of a file, in a table and as a file, and shows the request as lines to run", async () => {
    const { page, errors, close } = await open({ acceptDownloads: true });
    await page.waitForSelector("#plot svg");
    expect(await page.getAttribute("#plot svg", "aria-label")).toMatch(/^The sequence: open from [\d.]+ to [\d.]+, high from /);
    const [one, two] = [sampleSequence(model), sampleSequence(model).slice(1)];
    const lines = [["sequence", ...model.recipe.features], ...[one, two].flatMap((rows, n) => rows.map((row) => [`s${n}`, ...row]))];
    const buffer = Buffer.from(lines.map((cells) => cells.join(",")).join("\n"));
    await page.setInputFiles("#file", { name: "many.csv", mimeType: "text/csv", buffer });
    await page.waitForFunction(() => (document.getElementById("sequence") as HTMLTextAreaElement).value.startsWith("sequence,"));
    await page.click("#score");
    await page.waitForSelector("#batch:not([hidden])");
    const expected = (await (await postScore(openApp(kernel, artifact), JSON.stringify({ sequences: [one, two] }))).json()).results;
    expect(await page.locator("#batch tbody td:nth-child(2)").allInnerTexts()).toEqual(
      expected.map(({ probability }: { probability: number }) => `${probability}`),
    );
    const [download] = await Promise.all([page.waitForEvent("download"), page.click("#batch-file")]);
    const written = readFileSync(await download.path(), "utf8").split("\n");
    expect([download.suggestedFilename(), written[0], written.length]).toEqual([
      "results.csv",
      "sequence,probability,label,out of range",
      4,
    ]);
    for (const [language, said] of [
      ["curl", "curl -s -X POST 'http://localhost/v1/score'"],
      ["python", "urllib.request.Request"],
      ["javascript", "await fetch("],
    ]) {
      await page.click(`#copy-${language}`);
      await page.waitForFunction((text) => (document.getElementById("snippet") as HTMLTextAreaElement).value.includes(text), said);
    }
    const separated = [one, two].map((rows) => rows.map((row) => row.join(", ")).join("\n")).join("\n\n");
    await page.fill("#sequence", separated);
    await page.click("#score");
    await page.waitForFunction(() => document.querySelector("#batch caption")?.textContent === "Results of 2 sequences");
    const { features } = model.recipe;
    const named = [one, two].map((rows) => rows.map((row) => Object.fromEntries(row.map((x, f) => [features[f], x]))));
    await page.fill("#sequence", JSON.stringify(named));
    const [answer] = await Promise.all([page.waitForResponse("**/v1/score"), page.click("#score")]);
    expect(answer.request().postDataJSON()).toMatchObject({ sequences: named });
    expect((await answer.json()).results).toMatchObject(expected);
    expect(errors).toEqual([]);
    await page.screenshot({ path: `${SHOTS}many.png`, fullPage: true });
    await close();
  });

  test.each(["light", "dark"] as const)("axe-core finds nothing in it, %s", async (colorScheme) => {
    const { page, close } = await open({ colorScheme });
    await page.waitForSelector("#plot svg");
    await page.click("#score");
    await probabilityOn(page);
    await page.click("#copy-curl");
    expect(await violationsOn(page)).toEqual([]);
    await page.screenshot({ path: `${SHOTS}page-${colorScheme}.png`, fullPage: true });
    await close();
  });

  test("is of use to a key that may score and not read", async () => {
    const access = readAccess({ API_KEYS: `page:${createHash("sha256").update("the-key").digest("hex")}:score` });
    const { page, close } = await open({}, openApp(kernel, artifact, { assets, access }));
    await page.fill("#key", "the-key");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => (document.getElementById("sequence") as HTMLTextAreaElement).value !== "");
    expect(await page.isVisible("#card")).toBe(false);
    await page.click("#score");
    expect(Number(await probabilityOn(page))).toBeGreaterThan(0);
    const [{ name, threshold }] = model.operatingPoints;
    expect(await page.textContent("#decision")).toBe(`at ${name}: 1 from ${threshold.toFixed(4)} on`);
    expect(await page.textContent("#hint")).toContain(model.recipe.features.join(", "));
    expect(await page.locator("#features th").allTextContents()).toEqual(model.recipe.features);
    expect(await page.locator("#real option").count()).toBe(1 + REAL_SAMPLES.length);
    await page.screenshot({ path: `${SHOTS}score-only.png`, fullPage: true });
    await close();
  });

  test("takes the model's columns of a table by their names, says which others it leaves out, and refuses rows that go back in time", async () => {
    const { page, errors, close } = await open();
    await page.waitForFunction(() => (document.getElementById("sequence") as HTMLTextAreaElement).value !== "");
    const rows = (await page.inputValue("#sequence")).split("\n").map((line) => line.split(", ").map(Number));
    const { features } = model.recipe;
    const fill = async (lines: readonly string[]): Promise<void> => {
      await page.fill("#sequence", lines.join("\n"));
      await page.click("#score");
    };
    const day = (t: number): string => `2026-11-${String(10 + t)} 09:30:00`;
    // as pandas writes a frame: an index without a name, a time, and what stood beside the features
    const table = [["", "timestamp", ...features, "label"].join(","), ...rows.map((row, t) => [t, day(t), ...row, 1].join(","))];
    const request = page.waitForRequest("**/v1/score");
    await fill(table);
    expect((await request).postDataJSON()).toMatchObject({ sequence: rows });
    expect(await page.textContent("#left-out")).toBe("Left out, since the model does not take it: timestamp, label.");
    expect(Number(await probabilityOn(page))).toBeGreaterThan(0);
    expect(await page.textContent("#problem")).toBe("");
    await fill([table[0], ...table.slice(1).toReversed()]);
    await page.waitForFunction(() => document.getElementById("problem")!.textContent !== "");
    expect(await page.textContent("#problem")).toBe(
      `Rows go from the oldest to the newest; by timestamp, row 2 (${day(rows.length - 2)}) is before row 1.`,
    );
    expect(await page.textContent("#probability")).toBe("–");
    await fill([["timestamp", ...features.slice(1)].join(","), ...rows.map((row, t) => [day(t), ...row.slice(1)].join(","))]);
    await page.waitForFunction(() => document.getElementById("problem")!.textContent!.startsWith("The first row"));
    expect(await page.textContent("#problem")).toBe(
      `The first row has no column ${features[0]}, only timestamp, ${features.slice(1).join(", ")}. The model takes ${features.join(", ")}: name the columns so.`,
    );
    await fill([" ", ""]);
    await page.waitForFunction(() => document.getElementById("problem")!.textContent!.startsWith("There is nothing"));
    expect(await page.textContent("#problem")).toBe("There is nothing to score: write rows, or load the sample.");
    await fill(rows.map((row) => row.join(", ")));
    await page.waitForFunction(() => document.getElementById("problem")!.textContent === "");
    expect(await page.textContent("#left-out")).toBe("");
    expect(errors).toEqual([]);
    await close();
  });

  test("of a model whose features have no names leaves a column of times out, and takes the rest by position", async () => {
    const bare = encodeArtifact(
      makeModel(kernel, {
        name: "bare",
        features: ["f0", "f1"],
        timesteps: 3,
        channels: [{ base: "feature", a: 0, view: "level" }],
      }),
    );
    const { page, close } = await open({}, openApp(kernel, bare, { assets }));
    await page.waitForSelector("#card:not([hidden])");
    await page.waitForFunction(() => (document.getElementById("sequence") as HTMLTextAreaElement).value !== "");
    const request = page.waitForRequest("**/v1/score");
    await page.fill("#sequence", "date,price,size\n2026-11-24,1,2\n2026-11-25,3,4");
    await page.click("#score");
    expect((await request).postDataJSON()).toMatchObject({
      sequence: [
        [1, 2],
        [3, 4],
      ],
    });
    expect(await page.textContent("#left-out")).toBe("Left out, since the model does not take it: date.");
    await close();
  });

  test("of a model of categories alone takes a row of words, known or not, and refuses names alone", async () => {
    const inputs = [
      { name: "mode", levels: ["down", "up"] },
      { name: "plan", levels: ["basic", "pro"] },
    ];
    const features = ["mode=down", "mode=up", "plan=basic", "plan=pro"];
    const channels = [{ base: "feature", a: 0, view: "level" }] as const;
    const categories = encodeArtifact(makeModel(kernel, { name: "categories", timesteps: 3, inputs, features, channels }));
    const { page, close } = await open({}, openApp(kernel, categories, { assets }));
    await page.waitForSelector("#card:not([hidden])");
    await page.waitForFunction(() => (document.getElementById("sequence") as HTMLTextAreaElement).value !== "");
    for (const row of [
      ["up", "pro"],
      ["sideways", "other"],
    ]) {
      const request = page.waitForRequest("**/v1/score");
      await page.fill("#sequence", row.join(","));
      await page.click("#score");
      expect((await request).postDataJSON()).toMatchObject({ sequence: [row] });
    }
    await page.fill("#sequence", "mode,plan");
    await page.click("#score");
    await page.waitForFunction(() => document.getElementById("problem")!.textContent!.startsWith("These are names alone"));
    await close();
  });

  test("says what 1 and 0 stand for, and how its metrics came about", async () => {
    const labels = { name: "churned", meaning: { one: "yes", zero: "no", values: ["no", "yes"] } };
    const facts = { sequences: 90, features: model.recipe.features, labels };
    const card = { ...model.card, assessment: "nested-cross-validation" as const, data: { ...model.card.data, facts } };
    const { page, errors, close } = await open({}, openApp(kernel, new Uint8Array(encodeArtifact({ ...model, card })), { assets }));
    await page.waitForSelector("#card:not([hidden])");
    expect(await page.textContent("#label-line")).toBe("Label churned: 1 is yes, 0 is no.");
    expect(await page.textContent("#metrics-title")).toMatch(/^By nested cross-validation of \d+ sequences, /);
    await page.waitForFunction(() => (document.getElementById("sequence") as HTMLTextAreaElement).value !== "");
    const answered = page.waitForResponse("**/v1/score");
    await page.click("#score");
    const [{ label }] = (await (await answered).json()).results;
    await probabilityOn(page);
    expect(await page.textContent("#label")).toBe(label === 1 ? "Label 1 (churned: yes)" : "Label 0 (churned: no)");
    expect(errors).toEqual([]);
    await close();
  });

  test("says what is not watched here without asking for it", async () => {
    const { page, errors, close } = await open();
    await page.waitForSelector("#watch-tab:not([hidden])");
    const asked: string[] = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await page.click("#watch-tab");
    await page.waitForFunction(() => document.getElementById("watch-compare")?.textContent !== "");
    expect(await page.textContent("#watch-drift")).toMatch(/^Off: this deployment does not bind DRIFT\./);
    expect(await page.textContent("#watch-performance")).toMatch(/^Off: this deployment does not bind OUTCOMES\./);
    expect(asked.filter((path) => path.startsWith("/v1/models"))).toEqual(["/v1/models"]);
    expect(errors).toEqual([]);
    await close();
  });

  test("says what is wrong with a sequence, and where", async () => {
    const { page, close } = await open();
    await page.waitForSelector("#card:not([hidden])");
    for (const [source, message] of [
      ["1, 2, 3, 4, x", 'sequence[0][4] must be a finite number, got "x"'],
      ["[[1,2]]", "sequence[0] must have 5 numbers (open, high, low, close, volume), got 2"],
      ["[[1,", "This is not JSON"],
      ["[[1,2,3,4,5],\n[1,2,3,4,]]", "(line 2 column 10)"],
      ["open,high,low,close,volume", "These are names alone: write rows under them."],
      ["date,price,volume", "These are names alone: write rows under them."],
      ["<img src=x onerror=alert(1)>, 1, 2, 3, 4", "sequence[0]"],
    ]) {
      await page.fill("#sequence", source);
      await page.click("#score");
      await page.waitForFunction((start) => document.getElementById("problem")?.textContent?.includes(start), message);
    }
    expect(await page.textContent("#probability")).toBe("–");
    await page.screenshot({ path: `${SHOTS}problem.png`, fullPage: true });
    await close();
  });

  test("labels at the operating point that is chosen", async () => {
    const { page, close } = await open();
    await page.waitForFunction(() => (document.getElementById("sequence") as HTMLTextAreaElement).value !== "");
    await page.click("#score");
    await probabilityOn(page);
    for (const { name, threshold } of model.operatingPoints) {
      await page.selectOption("#point", name);
      await page.waitForFunction((start) => document.getElementById("decision")?.textContent?.startsWith(start), `at ${name}:`);
      const probability = Number(await page.textContent("#probability"));
      expect(await page.textContent("#label")).toBe(`Label ${probability >= threshold ? 1 : 0}`);
    }
    await close();
  });

  test("fits a phone, light and dark", async () => {
    const { page, errors, close } = await open({
      viewport: { width: 360, height: 740 },
      hasTouch: true,
      isMobile: true,
      colorScheme: "dark",
    });
    await page.waitForFunction(() => (document.getElementById("sequence") as HTMLTextAreaElement).value !== "");
    await page.tap("#score");
    await probabilityOn(page);
    expect(await widerThanScreen(page)).toBe(false);
    const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    expect(Math.max(...ground.match(/\d+/g)!.slice(0, 3).map(Number))).toBeLessThan(64);
    for (const box of await page.locator("button:visible, select:visible").all())
      expect((await box.boundingBox())!.height).toBeGreaterThanOrEqual(44);
    await page.screenshot({ path: `${SHOTS}phone-dark.png`, fullPage: true });
    expect(errors).toEqual([]);
    await close();
  });

  test("asks for a key where one is needed, and keeps it to itself", async () => {
    const access = readAccess({ API_KEYS: `page:${createHash("sha256").update("the-key").digest("hex")}` });
    const { page, close } = await open({}, openApp(kernel, artifact, { assets, access }));
    await page.waitForSelector("#key-form:not([hidden])");
    expect(await page.isVisible("#card")).toBe(false);
    await page.screenshot({ path: `${SHOTS}key.png`, fullPage: true });
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("key");
    await page.keyboard.type("wrong");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.getElementById("key-problem")?.textContent?.includes("not one this service knows"));
    await page.fill("#key", "the-key");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#card:not([hidden])");
    await page.click("#score");
    expect(Number(await probabilityOn(page))).toBeGreaterThan(0);
    expect(page.url()).toBe("http://localhost/");
    expect(await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie])).toEqual([0, 0, ""]);
    await close();
  });

  test("shows a model of which no training is known, and scores with it", async () => {
    const onnx = encodeLogistic(3, 2, Float32Array.of(1, 1, 1, 1, 1, 1));
    const servable = openOnnxModel(onnx, artifact, (bytes) => openSession(runtime, bytes), functions);
    const { page, errors, close } = await open({}, createApp(bundledOnly(servable), { ...DEPENDENCIES, assets }));
    await page.waitForSelector("#card:not([hidden])");
    expect(await page.textContent("#model-line")).toBe("The model takes the rows as they are; nothing is known of its training.");
    await page.fill("#sequence", "0, 0\n0.5, 0.5");
    await page.click("#score");
    expect(Number(await probabilityOn(page))).toBeCloseTo(1 / (1 + Math.exp(-1)), 3);
    expect(errors).toEqual([]);
    await page.screenshot({ path: `${SHOTS}onnx.png`, fullPage: true });
    await close();
  });

  describe("streams and deliveries", () => {
    const HOSTILE = "<img src=x onerror=\"document.title='taken'\"> 📈";
    const counts = { pending: 1, delivered: 2, dead: 1, dropped: 0 };
    const made = { key: HOSTILE, destination: "desk", created: 1_795_599_000_000, attempted: 1_795_599_001_000, ms: 120, batch: null };
    const deliveries: ListedDelivery[] = [
      {
        ...made,
        n: 3,
        id: "msg_3",
        seq: 3,
        state: "pending",
        attempts: 2,
        due: 1_795_599_300_000,
        status: 503,
        diagnostics: "down for an hour",
      },
      { ...made, n: 2, id: "msg_2", seq: 2, state: "delivered", attempts: 1, due: null, status: 204, diagnostics: "" },
      {
        ...made,
        n: 1,
        id: "msg_1",
        seq: 1,
        state: "dead",
        attempts: 10,
        due: null,
        status: null,
        diagnostics: "TimeoutError: ".padEnd(1000, "x"),
      },
    ];
    const HISTORY = [
      { at: 1_795_599_000_000, ms: 15_000, status: null, diagnostics: "TimeoutError: no answer" },
      { at: 1_795_599_001_000, ms: 120, status: 503, diagnostics: "down for an hour" },
    ];
    const streams: StreamStore = {
      ...fakeStreams(() => {}),
      keys: async () => ({ items: [{ key: HOSTILE, ...counts, due: null, version: 1 }], cursor: "more" }),
      deliveries: async ({ state }) => ({ items: deliveries.filter((delivery) => state === undefined || delivery.state === state) }),
      totals: async () => ({ streams: 1, ...counts }),
      breakers: async () => [],
      sources: async () => [],
      delivery: async (id) => {
        const listed = deliveries.find((delivery) => delivery.id === id);
        return listed && { ...listed, body: JSON.stringify({ type: "prediction.created", data: { key: HOSTILE } }), history: HISTORY };
      },
    };
    const reader = { API_KEYS: `page:${createHash("sha256").update("the-key").digest("hex")}:read` };

    test("are shown to a key that may read, as the service lists them, and whatever a key is called", async () => {
      const app = openApp(kernel, artifact, { assets, streams, access: readAccess(reader) });
      const { page, close } = await open({ viewport: { width: 1100, height: 900 } }, app);
      await page.fill("#key", "the-key");
      await page.keyboard.press("Enter");
      await page.click("#desk-tab");
      await page.waitForFunction(() => document.getElementById("totals")?.textContent !== "");
      expect(await page.isVisible("#score")).toBe(false);
      expect(await page.textContent("#totals")).toBe("1 stream, 1 pending, 2 delivered, 1 dead, 0 dropped");
      expect(await page.textContent("#deliveries caption")).toBe("Deliveries: 3");
      expect(await page.textContent("#keys caption")).toBe("Streams: the first 1");
      const rows = await page.locator("#deliveries tbody tr").allInnerTexts();
      expect(rows[0]).toMatch(/\t3\tdesk\tpending\t2\t.*\t503 120 ms down for an hour\tShow/);
      expect(rows[0]).toContain(HOSTILE);
      expect(await page.getAttribute("#outcomes svg", "aria-label")).toBe(
        "3 deliveries by the time they were made, 33.3 % of them delivered",
      );
      expect(await page.locator("#keys tbody tr").allInnerTexts()).toEqual([`${HOSTILE}\t1\t2\t1\t0`]);
      expect(await page.title()).toContain(model.name);
      expect(await widerThanScreen(page)).toBe(false);
      await page.screenshot({ path: `${SHOTS}desk.png`, fullPage: true });
      await page.selectOption("#desk-state", "dead");
      await page.waitForFunction(() => document.querySelector("#deliveries caption")?.textContent === "Deliveries: 1");
      expect(await page.locator("#deliveries tbody tr").allInnerTexts()).toEqual([
        expect.stringMatching(/dead\t10\t.*\t120 ms TimeoutError: xx/),
      ]);
      await page.selectOption("#desk-state", "pending");
      await page.waitForFunction(() => document.querySelector("#deliveries tbody")?.textContent?.includes("down for an hour"));
      expect(await page.locator("#desk [data-action=replay], #desk [data-action=test], #replay-all:visible").count()).toBe(0);
      expect(await page.textContent("#desk-rights")).toContain("You may look.");
      await page.click("#desk-key-button");
      expect(await page.evaluate(() => document.activeElement?.id)).toBe("key");
      await close();
    });

    test("are sent again by a key that may, one and all, and shown whole, with the keyboard", async () => {
      const replayed: string[] = [];
      const acting: StreamStore = {
        ...streams,
        replay: async (id) => replayed.push(id) > 0,
        announce: async (key, bodies) => {
          for (const [name, body] of Object.entries(bodies)) replayed.push(`${key} ${JSON.parse(body).type} ${name}`);
          return ["msg_1"];
        },
        replayAll: async ({ destination, state = "dead", since }, cursor) => {
          replayed.push(`${destination} ${state} ${since} ${cursor}`);
          return cursor === undefined ? { replayed: 2, cursor: "next" } : { replayed: 1 };
        },
        breakers: async () => [{ name: "desk", state: "open", openedAt: 1_795_599_000_000, probeAt: 1_795_599_300_000 }],
      };
      const admin = readAccess({ API_KEYS: `${reader.API_KEYS.slice(0, -5)}:admin` });
      const endpoints = readEndpoints(ENV);
      const { page, errors, close } = await open({}, openApp(kernel, artifact, { assets, streams: acting, access: admin, endpoints }));
      await page.fill("#key", "the-key");
      await page.keyboard.press("Enter");
      await page.waitForSelector("#desk-tab:not([hidden])");
      await page.focus("#try-tab");
      await page.keyboard.press("ArrowLeft"); // from the first tab to the last
      await page.waitForSelector("#deliveries [data-action=detail]");
      expect(await page.textContent("#destinations tbody")).toContain("paused");
      await page.focus("#deliveries [data-action=detail]");
      await page.keyboard.press("Enter");
      await page.waitForSelector(".detail");
      expect(await page.textContent(".detail")).toContain("msg_3");
      expect(JSON.parse((await page.textContent(".detail pre"))!)).toEqual({ type: "prediction.created", data: { key: HOSTILE } });
      expect(await page.locator(".attempts tbody tr").allInnerTexts()).toEqual([
        expect.stringMatching(/\t503\t120 ms\tdown for an hour$/),
        expect.stringMatching(/\tno answer\t15\.0 s\tTimeoutError: no answer$/),
      ]);
      expect(await page.getAttribute("#latency svg", "aria-label")).toBe(
        "Last attempts: half within 120 ms, 95 % within 120 ms; 2 of 3 failed",
      );
      expect(await violationsOn(page)).toEqual([]);
      expect(await page.evaluate(() => (document.activeElement as HTMLElement).dataset.action)).toBe("detail");
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      await page.waitForFunction(() => document.getElementById("desk-said")?.textContent === "It is sent again.");
      await page.selectOption("#desk-destination", "desk");
      await page.click("#replay-all");
      await page.waitForFunction(() => document.getElementById("desk-said")?.textContent === "3 dead deliveries to desk are sent again.");
      await page.selectOption("#desk-state", "delivered");
      await page.fill("#desk-since", "2026-11-25T09:30");
      expect(await page.textContent("#replay-all")).toBe("Send all delivered again");
      page.once("dialog", (dialog) => void dialog.accept());
      await page.click("#replay-all");
      await page.waitForFunction(() => document.getElementById("desk-said")?.textContent?.startsWith("3 delivered deliveries to desk"));
      const since = await page.evaluate(() => new Date("2026-11-25T09:30").getTime());
      await page.click("#destinations [data-action=test]");
      await page.waitForFunction(
        () => document.getElementById("desk-said")?.textContent === "desk: no answer in 15.0 s: TimeoutError: no answer",
      );
      expect(replayed).toEqual([
        ...["msg_3", "desk dead undefined undefined", "desk dead undefined next"],
        ...[`desk delivered ${since} undefined`, `desk delivered ${since} next`, "quickstep:test destination.test desk"],
      ]);
      expect(errors.filter((error) => !error.includes("401"))).toEqual([]); // before there was a key
      await page.screenshot({ path: `${SHOTS}desk-admin.png`, fullPage: true });
      await close();
    });

    test.each([
      ["phone", { viewport: { width: 360, height: 900 }, colorScheme: "dark", isMobile: true, hasTouch: true }],
      ["dark", { viewport: { width: 1280, height: 900 }, colorScheme: "dark" }],
      ["light", { viewport: { width: 1280, height: 900 } }],
    ] as const)("and sources fit the screen, and axe-core finds nothing there: %s", async (name, options) => {
      const from = Math.floor(Date.now() / 3_600_000) * 3_600_000;
      const hour = { taken: 40, replayed: 2, late: 1, refused: 7, ignored: 3 };
      const watched: StreamStore = {
        ...streams,
        sources: async () => [
          {
            name: "standard",
            hours: [
              { from: from - 3_600_000, ...hour },
              { from, ...hour, taken: 12 },
            ],
            last: [
              { at: from + 5000, outcome: "refused", reason: "the signature is not that of the body" },
              { at: from, outcome: "taken", reason: "" },
            ],
          },
        ],
        breakers: async () => [{ name: "desk", state: "closed", openedAt: null, probeAt: null }],
      };
      const access = readAccess({ API_KEYS: `${reader.API_KEYS.slice(0, -5)}:admin` });
      const { page, errors, close } = await open(
        options,
        openApp(kernel, artifact, { assets, streams: watched, access, endpoints: readEndpoints(ENV) }),
      );
      await page.fill("#key", "the-key");
      await page.keyboard.press("Enter");
      await page.click("#desk-tab");
      await page.waitForSelector("#sources tbody tr");
      const rows = await page.locator("#sources tbody tr").allInnerTexts();
      expect(rows).toHaveLength(Object.keys(ENV.SOURCES).length);
      expect(rows[0]).toMatch(/^standard\t52\t4\t2\t14\t6\t[01]\.\d\d\t$/); // 78 in 60 to 120 minutes
      expect(rows[1]).toMatch(/^asymmetric\t0\t0\t0\t0\t0\t0\.00\t$/);
      const standard = page.locator("#sources tbody tr").first();
      expect(await standard.locator("svg").getAttribute("aria-label")).toBe("standard: at most 53 an hour, refused ones on top");
      expect(await page.locator("#source-events tbody tr").allInnerTexts()).toEqual([
        expect.stringMatching(/\tstandard\trefused\tthe signature is not that of the body$/),
        expect.stringMatching(/\tstandard\ttaken\t$/),
      ]);
      await page.click("#deliveries [data-action=detail]");
      await page.waitForSelector(".detail .attempts");
      expect(await widerThanScreen(page)).toBe(false);
      expect(await violationsOn(page)).toEqual([]);
      // all at once: the desk makes them anew every 5 s
      const heights = await page.locator("#desk").evaluate((desk) => {
        const buttons = [...desk.querySelectorAll("button")].filter((button) => button.checkVisibility({ visibilityProperty: true }));
        return buttons.map((button) => button.getBoundingClientRect().height);
      });
      expect(heights.length).toBeGreaterThan(0);
      expect(Math.min(...heights)).toBeGreaterThanOrEqual(44);
      expect(errors.filter((error) => !error.includes("401"))).toEqual([]);
      await page.screenshot({ path: `${SHOTS}desk-whole-${name}.png`, fullPage: true });
      await close();
    });

    test("refresh themselves", async () => {
      let asked = 0;
      const counting: StreamStore = { ...streams, totals: async () => ({ streams: ++asked, ...counts }) };
      const { page, close } = await open({}, openApp(kernel, artifact, { assets, streams: counting }));
      await page.click("#desk-tab");
      await page.waitForFunction(() => document.getElementById("totals")?.textContent?.startsWith("2 streams"), null, { timeout: 20_000 });
      await close();
    });

    test("fit a phone, and where there is no storage the page says so", async () => {
      const phone = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, colorScheme: "dark" } as const;
      const here = await open(phone, openApp(kernel, artifact, { assets, streams }));
      await here.page.tap("#desk-tab");
      await here.page.waitForFunction(() => document.getElementById("totals")?.textContent !== "");
      expect(await widerThanScreen(here.page)).toBe(false);
      await here.page.screenshot({ path: `${SHOTS}desk-phone.png`, fullPage: true });
      expect(await violationsOn(here.page)).toEqual([]);
      await here.close();
      const { page, close } = await open();
      await page.click("#desk-tab");
      await page.waitForFunction(() => document.getElementById("desk-problem")?.textContent?.includes("no storage for streams"));
      await close();
    });
  });

  test("runs no script but its own", async () => {
    const tampered = html.replace("</main>", "</main><script>document.title = 'taken'</script>");
    const { page, errors, close } = await open({}, openApp(kernel, artifact, { assets: assetsOf({ "page.html": tampered }) }));
    await page.waitForSelector("#card:not([hidden])");
    expect(await page.title()).toContain(model.name);
    expect(errors.join()).toContain("Content Security Policy");
    await close();
  });
});
