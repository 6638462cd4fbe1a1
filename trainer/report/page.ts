// The report as one HTML file.
import { renderDocument } from "../html/document.ts";
import type { ReportContent } from "./content.ts";
import { dataSection } from "./data-section.ts";
import { membersSection } from "./members-section.ts";
import { metricsSection, operatingPointsSection, probabilitiesSection, reportVerdict } from "./score-sections.ts";
import { importanceSection, learningSection, originSection, recipeSection } from "./training-sections.ts";

/** The whole page, verdict first. The same content gives the same bytes. */
export async function renderReport(content: ReportContent): Promise<string> {
  return renderDocument(content.name, content.verdict.code, content.id, [
    reportVerdict(content),
    await metricsSection(content),
    membersSection(content),
    ...(content.card.stack === undefined ? [await learningSection(content)] : []),
    await probabilitiesSection(content),
    await operatingPointsSection(content),
    await dataSection(content),
    await recipeSection(content),
    await importanceSection(content),
    originSection(content),
  ]);
}
