// A button that copies the lines below it. Without its script, or where the clipboard is closed, the lines can still be selected.
import { html, type Markup } from "./html.ts";

/** Lines of code with a button above them. Long lines wrap on the page, and are copied whole. The page needs COPY_SCRIPT. */
export function copyableLines(lines: readonly string[]): Markup {
  return html`<div class="copyable"><button type="button" class="copy" hidden>Copy</button><pre>${lines.map((line) => html`${line}\n`)}</pre></div>`;
}

/** Shows the buttons; a click copies, or selects the lines where copying is refused. */
export const COPY_SCRIPT = `
for (const button of document.querySelectorAll("button.copy")) {
  const lines = button.parentElement.querySelector("pre");
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(lines.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(lines);
      button.textContent = document.execCommand("copy") ? "Copied" : "Selected";
    }
  });
}
`;
