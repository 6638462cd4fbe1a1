// Instants as senders write them: a date and time with its zone, or a number since 1970 in whatever unit.

/** Below, a number is seconds (until the year 5138), then milliseconds (until 5138), then microseconds, from 1e17 on nanoseconds. */
const [MIN_MILLISECONDS, MIN_MICROSECONDS, MIN_NANOSECONDS] = [1e11, 1e14, 1e17];
/** Nanoseconds of the year 5138: no later instant is read, in whatever unit. */
export const MAX_INSTANT = 1e20;

/** Dates that there are, by the months' lengths, the 29th of February by its years; then a time and its zone. */
const DATE = [
  "\\d{4}-(0[13578]|1[02])-(0[1-9]|[12]\\d|3[01])",
  "\\d{4}-(0[469]|11)-(0[1-9]|[12]\\d|30)",
  "\\d{4}-02-(0[1-9]|1\\d|2[0-8])",
  "(\\d\\d(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29",
].join("|");
export const RFC3339 = new RegExp(`^(${DATE})[Tt ]([01]\\d|2[0-3]):[0-5]\\d(:[0-5]\\d(\\.\\d+)?)?([Zz]|[+-]([01]\\d|2[0-3]):?[0-5]\\d)$`);

/** Milliseconds since 1970; undefined where `value` is no instant. The unit of a number shows in its magnitude. */
export function readInstant(value: unknown): number | undefined {
  if (typeof value === "string") return readDate(value);
  if (typeof value !== "number" || !(value >= 0 && value <= MAX_INSTANT)) return undefined;
  if (value < MIN_MILLISECONDS) return Math.round(value * 1000);
  if (value < MIN_MICROSECONDS) return Math.round(value);
  return Math.round(value / (value < MIN_NANOSECONDS ? 1e3 : 1e6));
}

/** The same where a number may also be its text, as headers and forms have it. */
export function readInstantText(value: unknown): number | undefined {
  return readInstant(typeof value === "string" && /^\d{1,20}(\.\d{1,9})?$/.test(value) ? Number(value) : value);
}

/** Date.parse alone makes 2 March of 30 February. */
function readDate(text: string): number | undefined {
  if (!RFC3339.test(text)) return undefined;
  const instant = Date.parse(text.replace(" ", "T").toUpperCase());
  return Number.isNaN(instant) ? undefined : instant;
}
