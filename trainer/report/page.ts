// The report as one HTML file: nothing is fetched, nothing runs, and the same content gives the same bytes.
import type { ReportContent } from "./content.ts";
import { html, Markup } from "./html.ts";
import { decisionsSection, figuresSection, probabilitiesSection, verdictSection } from "./score-sections.ts";
import { STYLE } from "./style.ts";
import { dataSection, importanceSection, learningSection, originSection, recipeSection } from "./training-sections.ts";

export async function renderReport(content: ReportContent): Promise<string> {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="robots" content="noindex">
<title>${content.name}: ${content.verdict.code}</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
<main>
    <header><h1>${content.name}</h1><span>${content.id}</span></header>
    ${verdictSection(content)}
    ${await figuresSection(content)}
    ${await learningSection(content)}
    ${await probabilitiesSection(content)}
    ${await decisionsSection(content)}
    ${await dataSection(content)}
    ${await recipeSection(content)}
    ${await importanceSection(content)}
    ${originSection(content)}
</main>
</body>
</html>
`;
  return page.text;
}
