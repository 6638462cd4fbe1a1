// Chromium with a page that an app of this repository answers, whatever the page asks for.
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import type { StaticAssets } from "../../edge/http/static-assets.ts";
import type { App } from "../fixtures/app.ts";

const CHROMIUM = "/usr/bin/chromium";
export const isHere = existsSync(CHROMIUM);
if (!isHere && process.env.CI) throw new Error(`${CHROMIUM} is missing: apt-get install chromium`);
if (!isHere) console.warn(`skipped: ${CHROMIUM} is missing (apt-get install chromium)`);

const BUILT = new URL("../../edge/assets/", import.meta.url);
const axe = readFileSync(new URL("../../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

/** What the build put beside the Worker. */
export const BUILT_ASSETS: StaticAssets = {
  async fetch({ url }) {
    const file = new URL(`.${new URL(url).pathname}`, BUILT);
    return existsSync(file) ? new Response(readFileSync(file)) : new Response(null, { status: 404 });
  },
};

/** Where pictures of pages go, as a path that ends in a slash. */
export const SHOTS = fileURLToPath(new URL("../../out/page/", import.meta.url));

/** What a page must fit. */
export const SCREENS = [
  ["phone", { viewport: { width: 360, height: 900 } }],
  ["dark", { colorScheme: "dark", viewport: { width: 1280, height: 900 } }],
  ["light", { viewport: { width: 1280, height: 900 } }],
] as const satisfies readonly (readonly [name: string, options: BrowserContextOptions])[];

export function launch(): Promise<Browser> {
  mkdirSync(SHOTS, { recursive: true });
  return chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
}

export interface OpenPage {
  readonly page: Page;
  /** What went wrong in the page, its console's errors included. */
  readonly errors: string[];
  close(): Promise<void>;
}

/** The page at `path` as `app` serves it. */
export async function openPage(browser: Browser, app: App, path = "/", options: BrowserContextOptions = {}): Promise<OpenPage> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(error.message));
  await page.route("**/*", async (route) => {
    const request = route.request();
    const body = request.postDataBuffer();
    const response = await app.request(request.url(), {
      method: request.method(),
      headers: await request.allHeaders(),
      ...(body && { body: new Uint8Array(body) }),
    });
    const headers = Object.fromEntries(response.headers);
    await route.fulfill({ status: response.status, headers, body: Buffer.from(await response.arrayBuffer()) });
  });
  await page.goto(`http://localhost${path}`);
  return { page, errors, close: () => context.close() };
}

/** Whether the page scrolls sideways. */
export const widerThanScreen = (page: Page): Promise<boolean> =>
  page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);

interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string }[];
}

/** What axe-core finds, of all impacts or of `impacts`: the rule, and where. */
export async function violationsOn(page: Page, impacts?: readonly string[]): Promise<string[]> {
  await page.evaluate(axe);
  const { violations } = (await page.evaluate("axe.run()")) as { readonly violations: readonly Violation[] };
  return violations
    .filter(({ impact }) => impacts === undefined || impacts.includes(impact))
    .map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`);
}
