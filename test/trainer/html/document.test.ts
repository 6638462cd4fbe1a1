import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { COPY_SCRIPT, copyableLines } from "../../../trainer/html/copy-button.ts";
import { renderDocument } from "../../../trainer/html/document.ts";

const page = (script?: string): string => renderDocument("n", "c", "a", [copyableLines(["x = 1 < 2", "y"])], script);

test("a page without a script allows none", () => {
  expect(page()).toContain(`content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">`);
  expect(page()).not.toContain("<script");
});

test("the one script of a page is allowed by its hash, and the bytes are the same each time", () => {
  const [, code] = page(COPY_SCRIPT).match(/<script>([\s\S]*)<\/script>/)!;
  const hash = createHash("sha256").update(code).digest("base64");
  expect(page(COPY_SCRIPT)).toContain(`style-src 'unsafe-inline'; script-src 'sha256-${hash}'">`);
  expect(page(COPY_SCRIPT)).toBe(page(COPY_SCRIPT));
});

test("the lines to copy are text, whatever they hold; the button stays hidden where no script runs", () => {
  expect(page()).toContain("<pre>x = 1 &lt; 2\ny\n</pre>");
  expect(page()).toContain(`<button type="button" class="copy" hidden>`);
});
