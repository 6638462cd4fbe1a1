// The ways in which people and tools write a feature and a step in one column name, as data; and as `--columns` says it. Knows no table.
// A lag L is step −L, so that steps always run from the oldest to the newest.

/** A way of writing a feature and a step in one name. */
export interface Pattern {
  /** Groups `feature`, and `step` or `lag`. */
  readonly expression: RegExp;
  /** Which step a feature's bare name is: lag 0, or the one before the lowest, where all features have it; undefined: none. */
  readonly bare?: "newest" | "oldest";
}

const FEATURE = String.raw`(?<feature>.*[^\s_.:/(\[-])`; // with no separator at its end
const FEATURE_AFTER = String.raw`(?<feature>[^\s_.:/)\]-].*)`;
const SEPARATOR = String.raw`(?:__|[_.:/]|\s)`;
const ANY = String.raw`[\s_.:/-]*`;
/** What sets a word apart from the feature: `flag_0` is no lag of `f`. */
const APART = String.raw`[\s_.:/(\[-]+`;
export const NUMBER = String.raw`\d{1,9}`;
const MINUS = "[-\u2212\u2013]"; // as a keyboard has it, and as a typesetter does
const SIGN = "[+\u2212\u2013-]";
const AGO = "ago|back|before|prior|earlier";
const LAG = `(?:lag|lags|lagged|shift|shifted|prev|previous|minus|tminus|tm|past|delay|delayed|lookback|${AGO})`;
/** The same where an upper case letter sets it apart. */
const CAMEL_LAG = "(?:Lag|Lagged|Shift|Shifted|Prev|Previous|Minus|Past|Delay|Back|Ago)";
const UNIT = "(?:s|sec|secs|seconds?|mins?|minutes?|h|hours?|d|days?|w|weeks?|months?|q|quarters?|y|years?|steps?|periods?|bars?|ticks?)";
const QUOTE = `['"]?`;

function pattern(source: string, hasBare = false, flags = "i"): Pattern {
  return { expression: new RegExp(`^${source}$`, flags), ...(hasBare && { bare: "newest" }) };
}

/**
 * Ways of writing, the plainest first. The first list that fits most of the names decides: `close_lag1` is a lag, and not step 1
 * of `close_lag`.
 */
export const PATTERNS: readonly (readonly Pattern[])[] = [
  [
    pattern(`${FEATURE}_duplicated_(?<step>${NUMBER})`), // as Polars renames columns of one name
    pattern(`${FEATURE}${APART}t${ANY}minus${ANY}(?<lag>${NUMBER})`, true), // close_t_minus_1
    pattern(String.raw`${FEATURE}${APART}${LAG}${ANY}\(?(?<lag>${NUMBER})[)\]]?`, true), // close_lag1, close (lag 1), close.shift(1)
    pattern(`(?<feature>.*[a-z\\d])${CAMEL_LAG}${ANY}(?<lag>${NUMBER})`, true, ""), // closeLag1
    pattern(`${LAG}${ANY}(?<lag>${NUMBER})${ANY}${FEATURE_AFTER}`, true), // lag1_close
    pattern(String.raw`${LAG}\((?<feature>[^,]+),\s*(?<lag>${NUMBER})\)`, true), // lag(close, 1)
    pattern(`${FEATURE}${APART}(?<lag>${NUMBER})${ANY}${UNIT}?${ANY}(?:${AGO})`, true), // close_1_day_ago
    pattern(`(?<lag>${NUMBER})${ANY}${UNIT}?${ANY}(?:${AGO})${APART}${FEATURE_AFTER}`, true), // 1_day_ago_close
    pattern(String.raw`${FEATURE}\s*[(\[]t(?<step>\s*${SIGN}\s*${NUMBER}|)[)\]]`, true), // close(t-1), close(t)
    pattern(`${FEATURE}${SEPARATOR}t(?<step>${SIGN}${NUMBER}|0?)`, true), // close_t-9 … close_t
    pattern(`t(?<step>${SIGN}${NUMBER}|0?)${SEPARATOR}${FEATURE_AFTER}`, true), // t-9_close
    pattern(`${FEATURE}${SEPARATOR}(?<step>${MINUS}${NUMBER}|0)`, true), // close_-9
    pattern(String.raw`${FEATURE}[(\[](?<step>${MINUS}${NUMBER}|0)[)\]]`, true), // close[-9]
  ],
  [
    pattern(String.raw`\(${QUOTE}(?<feature>.+?)${QUOTE}, ${QUOTE}(?<step>-?${NUMBER})(?:\.0)?${QUOTE}\)`), // ('close', 0), a MultiIndex as text
    pattern(String.raw`\(${QUOTE}(?<step>-?${NUMBER})(?:\.0)?${QUOTE}, ${QUOTE}(?<feature>.+?)${QUOTE}\)`),
    pattern(String.raw`${FEATURE}[(\[](?<step>${NUMBER})[)\]]`), // close[0]
    pattern(`${FEATURE}${SEPARATOR}(?:t|step|timestep)_?(?<step>${NUMBER})`), // close_t0
    pattern(`(?:t|step|timestep)_?(?<step>${NUMBER})${SEPARATOR}${FEATURE_AFTER}`), // t0_close
    pattern(`${FEATURE}(?:${SEPARATOR}|-)(?<step>${NUMBER})`), // close_0, close.0, close-0
    pattern(String.raw`${FEATURE}${SEPARATOR}(?<step>${NUMBER})\.0`), // close_0.0, where pandas' step was a float64
    pattern(`(?<step>${NUMBER})(?:${SEPARATOR}|-)${FEATURE_AFTER}`), // 0_close
  ],
  [pattern(String.raw`(?<feature>.*\D)(?<step>${NUMBER})`)], // close0
];

/** The step that a pattern's groups say. */
export function stepOf({ step = "", lag }: Readonly<Record<string, string>>): number {
  if (lag !== undefined) return -Number(lag) || 0;
  return Number(step.replace(/\s/g, "").replace(/^[\u2212\u2013]/, "-"));
}

/**
 * How `--columns` says that names are written: `{feature}_{step}`, or `{feature}_l{lag}`, newest first, or `{feature}` alone, where names
 * repeat. Null where it is no such text.
 */
export function parsePattern(text: string): RegExp | null {
  const parts = text.split(/(\{feature\}|\{step\}|\{lag\})/);
  const holes = parts.filter((part) => /^\{.*\}$/.test(part)).sort();
  if (holes.length > 2 || holes[0] !== "{feature}" || holes[1] === "{feature}") return null;
  if (holes.length === 1 && text !== "{feature}") return null;
  const groups: Readonly<Record<string, string>> = {
    "{feature}": "(?<feature>.+?)",
    "{step}": `(?<step>[+-]?${NUMBER})`,
    "{lag}": `(?<lag>${NUMBER})`,
  };
  return new RegExp(`^${parts.map((part) => groups[part] ?? escapeText(part)).join("")}$`);
}

function escapeText(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** How `--columns` says that `name` is this step, or lag, of this feature; undefined where it cannot. */
export function writePattern(name: string, feature: string, step: number): string | undefined {
  const hole = step < 0 ? "{lag}" : "{step}";
  for (let at = name.indexOf(feature); at >= 0; at = name.indexOf(feature, at + 1)) {
    const around = [name.slice(0, at), name.slice(at + feature.length)];
    for (const side of [1, 0])
      for (const { 0: digits, index } of around[side].matchAll(/\d+/g)) {
        const filled = around[side].slice(0, index) + hole + around[side].slice(index + digits.length);
        const text = side === 1 ? `${around[0]}{feature}${filled}` : `${filled}{feature}${around[1]}`;
        const groups = parsePattern(text)?.exec(name)?.groups;
        if (groups && groups.feature === feature && Math.abs(stepOf(groups)) === Math.abs(step)) return text;
      }
  }
  return undefined;
}
