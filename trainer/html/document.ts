// A whole HTML page around its sections: nothing is fetched, nothing runs, and the same sections give the same bytes.
import { html, Markup } from "./html.ts";
import { STYLE } from "./style.ts";

/** `aside` stands beside the name, at the top; sections that are null are left out. */
export function renderDocument(name: string, code: string, aside: string, sections: readonly (Markup | null | undefined)[]): string {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="robots" content="noindex">
<title>${name}: ${code}</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
<main>
    <header><h1>${name}</h1><span>${aside}</span></header>
    ${sections.map((section) => html`${section}\n    `)}
</main>
</body>
</html>
`;
  return page.text;
}
