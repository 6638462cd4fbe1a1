// node test/docs/screenshots.ts http://localhost:8787 out/sp500.html: takes README's pictures anew, of the page that a Worker serves
// (`npm start`) and of a report (`train … --report`). Needs Chromium.
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [worker, report] = process.argv.slice(2);
const pictureOf = (name: string): string => fileURLToPath(new URL(`../../docs/images/${name}.png`, import.meta.url));
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
const page = await browser.newPage({ viewport: { width: 1000, height: 960 }, colorScheme: "light" });
await page.goto(worker);
await page.click("#sample");
await page.click("#score");
await page.waitForSelector("#explanation:not([hidden])");
await page.evaluate("scrollTo(0, 0)");
await page.screenshot({ path: pictureOf("page") });
await page.setViewportSize({ width: 1000, height: 760 });
await page.goto(pathToFileURL(report).href);
await page.screenshot({ path: pictureOf("report") });
await browser.close();
