// What whoever uses a model should keep in mind: facts with codes, and how an artifact's card holds them: sentences for people, and
// codes beside them for programs.
import type { Card } from "../../shared/model.ts";
import type { LabelFinding } from "../data/label-checks.ts";
import type { Unattained } from "../statistics/operating-points.ts";

export type Warning =
  /** What the split takes care of is no warning. */
  | Exclude<LabelFinding, { readonly code: "copies" | "shared-rows" }>
  /** Differences that the recipe takes of `features` are mostly lost in the number type in which the data came. */
  | { readonly code: "float32-differences"; readonly dtype: "float32" | "float16"; readonly features: readonly number[] }
  /** All-zero rows after the first other row of their sequence count as data. */
  | { readonly code: "zero-rows-inside"; readonly rows: number }
  | Unattained;

/** Codes stay readable for ever. `not-calibrated`: an imported model before `calibrate`. */
export type WarningCode = Warning["code"] | "not-calibrated";

type CardWarnings = Pick<Card, "warnings" | "warningCodes">;

/** Warnings as a card holds them, `describe` making the sentences. */
export function toCardWarnings(warnings: readonly Warning[], describe: (warning: Warning) => string): Required<CardWarnings> {
  return { warnings: warnings.map(describe), warningCodes: warnings.map(({ code }) => code) };
}

/** A card's warnings but those of `codes`. */
export function withoutWarnings(card: CardWarnings, codes: readonly WarningCode[]): Required<CardWarnings> {
  const coded = card.warnings.map((text, i) => ({ text, code: card.warningCodes?.[i] ?? guessCode(text) }));
  const left = coded.filter(({ code }) => !codes.includes(code as WarningCode));
  return { warnings: left.map(({ text }) => text), warningCodes: left.map(({ code }) => code) };
}

/** Artifacts had sentences alone at first: the code of a sentence as it was written then; empty where nobody asks for the code. */
function guessCode(text: string): WarningCode | "" {
  if (text.startsWith("imported and not calibrated")) return "not-calibrated";
  if (text.startsWith("precision ≥ ") && text.includes("cannot be attained")) return "precision-unattained";
  if (text.startsWith("recall ≥ ") && text.includes("cannot be attained")) return "recall-unattained";
  return "";
}
