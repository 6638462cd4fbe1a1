// docs/examples/score-from-browser.mjs in real Chromium: a page of one origin asks the Worker at another.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { chromium } from "playwright-core";
import { expect, test } from "vitest";
import { readAccess } from "../../edge/http/access.ts";
import { openApp } from "../fixtures/app.ts";
import { kernel } from "../fixtures/kernel.ts";
import { type Listening, listen } from "./listen.ts";

const CHROMIUM = "/usr/bin/chromium";
const isHere = existsSync(CHROMIUM);
if (!isHere && process.env.CI) throw new Error(`${CHROMIUM} is missing: apt-get install chromium`);

const KEY = "a-key-that-the-page-knows";
const read = (path: string): Buffer => readFileSync(new URL(`../../${path}`, import.meta.url));

/** A page at an origin of its own that has the example beside it. */
const servePage = (): Promise<Listening> =>
  listen("https://page.example.com", ({ url }) =>
    url.endsWith(".mjs")
      ? new Response(new Uint8Array(read("docs/examples/score-from-browser.mjs")), { headers: { "content-type": "text/javascript" } })
      : new Response("<!doctype html><title>a page</title>", { headers: { "content-type": "text/html" } }),
  );

test.skipIf(!isHere)("a page of a listed origin gets a probability, a page of another origin gets nothing", async () => {
  const [page, stranger] = [await servePage(), await servePage()];
  const digest = createHash("sha256").update(KEY).digest("hex");
  const app = openApp(kernel, new Uint8Array(read("edge/model.safetensors")), {
    access: readAccess({ API_KEYS: `page:${digest}:score` }),
    origins: [page.url],
  });
  const worker = await listen("https://edge.example.com", (request) => app.request(request));
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  /** What the page of this origin gets for one sequence: the answer's results, or the error's text. */
  const askFrom = async ({ url }: Listening): Promise<unknown> => {
    const tab = await browser.newPage();
    await tab.goto(`${url}/`);
    return tab.evaluate(
      `import("/score-from-browser.mjs").then(({ score }) => score("${worker.url}", "${KEY}", [[[10.1, 10.4, 9.9, 10.2, 5100]]])).catch(String)`,
    );
  };
  try {
    expect(await askFrom(page)).toMatchObject([{ probability: expect.any(Number), label: expect.any(Number) }]);
    expect(await askFrom(stranger)).toBe("TypeError: Failed to fetch");
  } finally {
    await browser.close();
    for (const { close } of [page, stranger, worker]) close();
  }
});
