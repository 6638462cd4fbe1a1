// What names that fit one way of writing may mean beside it: dates, lags, numbers of features. Knows names only.
import { NUMBER } from "./header-patterns.ts";
import type { Grid, HeaderReading } from "./header-reading.ts";

const YEAR = String.raw`(?:19|20)\d{2}`;
const MONTH = "(?:0[1-9]|1[0-2])";
const MONTH_NAME =
  "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)";
const JOINT = "[-_./ ]";
/**
 * A date, or a time of day, of which no number by itself is the step: `price_2024-01-31`, `price_2024_01`, `price_2024Q1`,
 * `price_jan_2024`, `price_09:00`.
 */
const MOMENT = new RegExp(
  String.raw`(?<!\d)(?:\d{4}-\d{2}-\d{2}|\d{1,2}:\d{2}|${YEAR}${JOINT}${MONTH}|${MONTH}${JOINT}${YEAR}|${YEAR}${JOINT}?(?:[qhwm]\d{1,2}|${MONTH_NAME})|(?<![a-z])(?:[qhw]\d{1,2}|${MONTH_NAME})${JOINT}?${YEAR})(?![\da-z])`,
  "i",
);
/** The same in digits alone, as `price_202401`, `price_20240131` and `price_0930`: steps only where they count on by one. */
const MOMENT_NUMBER = new RegExp(String.raw`(?<!\d)(?:${YEAR}${MONTH}(?:[0-2]\d|3[01])?|(?:[01]\d|2[0-3])[0-5]\d)(?!\d)`);

/** Whether a name holds a date or a time of day. */
export function isMoment(name: string): boolean {
  return MOMENT.test(name);
}

/** Whether a name holds digits that may be a date or a time of day. */
export function isMomentNumber(name: string): boolean {
  return MOMENT_NUMBER.test(name);
}

/** `close-1 … close-10` may count forwards or backwards. */
const DASH = new RegExp(String.raw`[^\s_.:/(\[-]-${NUMBER}$`);
/** And `close_d-9 … close_d-0`, days, does where 0 is among its numbers, too. */
const UNIT_DASH = new RegExp(
  String.raw`[\s_.:/-](?:[a-su-z]|days?|hours?|hrs?|mins?|minutes?|secs?|seconds?|weeks?|months?|quarters?|years?|bars?|ticks?|offset)-${NUMBER}$`,
  "i",
);
/** `close_L1` and `closeL1` may be lags; `close_t1` is a step. */
const LETTER = /(?:[_.:/\s-](?:[a-su-z]|[A-SU-Z])|(?<=[a-z\d])[A-SU-Z])\d+$/;
/** `closelag1` may be a lag of `close`; `flag1` is none of `f`, but who knows. */
const GLUED_LAG = /(?:lag|lagged|shift|shifted|prev|previous|minus)\d+$/i;
/** `x_0_0` and `x[0][0]`: which number is the step? */
const TWO_NUMBERS = /^(?<stem>|.*[\s_.:/([-])(?<number>\d+)[)\]]*$/;
/** A step that says that it is one. */
const SAID_STEP = /^(?:t|step|timestep)_?\d+|(?:t|step|timestep)_?\d+[)\]]*$/i;

/** The second meaning of names that fit one pattern; null where there is none, or where a model has the grid's features and the second meaning's are others. */
export function findOtherReading(names: readonly string[], grid: Grid, isKnown: boolean): HeaderReading | null {
  const { order, features } = grid;
  const written = order.map((column) => names[column]);
  if (written.every((name) => SAID_STEP.test(name))) return null;
  const steps = written.map((name) => Number(/\d+$/.exec(name)?.[0]));
  const suffix = [LETTER, GLUED_LAG].find((expression) => written.every((name) => expression.test(name)));
  const isDashed = written.every((name) => DASH.test(name)) && !steps.includes(0);
  if (!suffix && !isDashed && !written.every((name) => UNIT_DASH.test(name))) return isKnown ? null : findTwoNumbers(written, grid);
  const last = order.length - 1; // whose step is not 0
  const place = {
    column: order[last],
    feature: suffix ? written[last].replace(suffix, "") : features[last % features.length],
    step: steps[last],
  };
  return { code: "ambiguous", first: place, second: { ...place, step: -place.step } };
}

/** Features that are numbers behind one stem: they may be the steps, and the steps the features. */
function findTwoNumbers(written: readonly string[], { order, features, timesteps: T }: Grid): HeaderReading | null {
  const F = features.length;
  const parts = features.map((feature) => TWO_NUMBERS.exec(feature)?.groups);
  const numbers = parts.map((groups) => Number(groups?.number)).sort((a, b) => a - b);
  const isCounted = (numbers[0] === 0 || numbers[0] === 1) && numbers.every((number, i) => number === numbers[0] + i);
  const isOne = parts.every((groups) => groups !== undefined && groups.stem === parts[0]?.stem);
  if (F < 2 || T < 2 || !isOne || !isCounted) return null;
  const last = order.length - 1;
  const [step] = /\d+(?=\D*$)/.exec(written[last]) ?? [];
  if (step === undefined) return null;
  const feature = features[F - 1];
  const place = { column: order[last], feature, step: Number(step) };
  return { code: "ambiguous", first: place, second: { ...place, feature: step, step: Number(parts[F - 1]?.number) } };
}
