// A whole HTML page around its sections: nothing is fetched, no script runs but the one that is given, by its hash, and the same sections
// give the same bytes.
import { createHash } from "node:crypto";
import { html, Markup } from "./html.ts";
import { STYLE } from "./style.ts";

/** As edge/page/favicon.svg: in the page, so that no page asks for one. */
export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#0b5cad"/><path d="M6 22h6v-6h6v-6h8" fill="none" stroke="#fff" stroke-width="3.5" stroke-linecap="round" stroke-linejoin="round"/></svg>`;

/** `aside` stands beside the name, at the top; sections that are null are left out; `script` is code of ours, which nothing of the data is in. */
export function renderDocument(
  name: string,
  code: string,
  aside: string,
  sections: readonly (Markup | null | undefined)[],
  script?: string,
): string {
  const allowed = script === undefined ? "" : `; script-src 'sha256-${createHash("sha256").update(script).digest("base64")}'`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'${new Markup(allowed)}">
<meta name="robots" content="noindex">
<link rel="icon" href="data:image/svg+xml,${encodeURIComponent(ICON)}">
<title>${name}: ${code}</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
<main>
    <header><h1>${name}</h1><span>${aside}</span></header>
    ${sections.map((section) => html`${section}\n    `)}
</main>
${
  script === undefined
    ? null
    : html`<script>${new Markup(script)}</script>
`
}</body>
</html>
`;
  return page.text;
}
