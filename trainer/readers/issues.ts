// What becomes of a value that is not finite and of a label that is not 0 or 1. Knows no format.
import { DataError } from "../../shared/errors.ts";
import { MISSING_TEXT } from "../../shared/recipe/inputs.ts";
import type { Labels } from "../statistics/labels.ts";
import type { LabelCodes } from "./labels.ts";
import { NO_LABEL } from "./no-label.ts";
import { show } from "./quoting.ts";

/**
 * Hears of a bad value or label: `source` is the file and the place in it, `label` what stands there where a label should be.
 * `throwIssue` throws. Where a handler returns, the value is kept as NaN and the label as NO_LABEL; a sequence of JSON that cannot
 * be read is left out.
 */
export type OnIssue = (source: string, message: string, label?: number) => void;

/** The default: the first issue ends the reading. Throws DataError. */
export const throwIssue: OnIssue = (source, message) => {
  throw new DataError(source, message);
};

/** Where nothing better is known of a number of an array. */
export const FILL_ADVICE = ": fill the gap or leave the sequence out";

/** What of the options says how a number is refused: `gapAdvice` is as ReadOptions has it. */
export interface GapRefusal {
  readonly gapAdvice?: string;
}

/** What was expected of a cell that is no finite number, with what settles it where a number is missing. */
export function expectNumber(isMissing: boolean, { gapAdvice }: GapRefusal, otherAdvice = ""): string {
  return `expected a finite number${isMissing && gapAdvice !== undefined ? `: ${gapAdvice}` : otherAdvice}`;
}

/** Room for `count` labels: floats where labels are soft. */
export function openLabels(count: number, isSoft: boolean | undefined): Labels {
  return isSoft ? new Float64Array(count) : new Uint8Array(count);
}

/** What was expected where a label is missing; `text` is what stands there, where it is a text. */
export function expectLabel(text = ""): string {
  return `expected a label: fill it in or leave the record out${text.trim() === "" ? "" : "; where it is a class, write another word"}`;
}

/** Whether a label says that there is none: NaN, an empty text, NA and their like. */
export function isMissingLabel(value: number | string): boolean {
  return typeof value === "string" ? MISSING_TEXT.test(value.trim()) : Number.isNaN(value);
}

/**
 * 0, 1, the code of another value, a soft label as it is, or NO_LABEL after `onIssue` has heard that it is none; `what` names the
 * label there.
 */
export function toLabel(
  value: number | string,
  what: string,
  source: string,
  { onIssue, labelCodes, softLabels }: { readonly onIssue: OnIssue; readonly labelCodes?: LabelCodes; readonly softLabels?: boolean },
): number {
  if (value === 0 || value === 1) return value;
  if (isMissingLabel(value)) {
    const isWord = typeof value === "string";
    onIssue(source, `${what} is ${isWord ? show(value) : value}, ${expectLabel(isWord ? value : undefined)}`, Number.NaN);
    return NO_LABEL;
  }
  if (softLabels) {
    if (typeof value === "number" && value > 0 && value < 1) return value;
    onIssue(source, `${what} is ${typeof value === "string" ? show(value) : value}, expected a soft label from 0 to 1`);
    return NO_LABEL;
  }
  const code = labelCodes?.code(value, what, source);
  if (code !== undefined) return code;
  const isText = typeof value === "string";
  onIssue(source, `${what} is ${isText ? show(value) : value}, expected a label 0 or 1`, isText ? Number.NaN : value);
  return NO_LABEL;
}

/** Collects issues instead of throwing them, for whoever wants to know what is wrong with the data. */
export interface IssueCollector {
  readonly onIssue: OnIssue;
  /**
   * (N) labels with what stood where they are NO_LABEL, NaN where that is not known. Call it in the order of reading. Of windows
   * that share rows, what stood in the rows.
   */
  restoreLabels(labels: Labels): Float64Array;
}

/** A collector for one reading of data. */
export function collectIssues(): IssueCollector {
  const strange: number[] = [];
  let used = 0;
  return {
    onIssue(_source, _message, label) {
      if (label !== undefined) strange.push(label);
    },
    restoreLabels(given) {
      const labels = Float64Array.from(given);
      const missing = labels.reduce((sum, label) => sum + (label === NO_LABEL ? 1 : 0), 0);
      const isKnown = used + missing <= strange.length;
      return Float64Array.from(labels, (label) => (label !== NO_LABEL ? label : isKnown ? strange[used++] : Number.NaN));
    },
  };
}
