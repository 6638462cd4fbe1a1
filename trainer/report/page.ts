// The report as one HTML file.

import { renderDocument } from "../html/document.ts";
import type { ReportContent } from "./content.ts";
import { decisionsSection, figuresSection, probabilitiesSection, verdictSection } from "./score-sections.ts";
import { dataSection, importanceSection, learningSection, originSection, recipeSection } from "./training-sections.ts";

export async function renderReport(content: ReportContent): Promise<string> {
  return renderDocument(content.name, content.verdict.code, content.id, [
    verdictSection(content),
    await figuresSection(content),
    await learningSection(content),
    await probabilitiesSection(content),
    await decisionsSection(content),
    await dataSection(content),
    await recipeSection(content),
    await importanceSection(content),
    originSection(content),
  ]);
}
