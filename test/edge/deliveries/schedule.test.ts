// When a delivery is tried again, and when no more.
import { describe, expect, test } from "vitest";
import { classifyStatus, nextDelayMs, parseRetryAfter, SCHEDULE_S } from "../../../edge/deliveries/schedule.ts";

test("tries at once, then after 5 s, 5 m, 30 m, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h, then no more", () => {
  const delays = Array.from({ length: 12 }, (_, attempts) => nextDelayMs({ attempts, random: 0 }));
  const hour = 3_600_000;
  const expected = [0, 5000, 300_000, hour / 2, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour, undefined, undefined];
  expect(delays).toEqual(expected);
  expect(SCHEDULE_S.reduce((sum, s) => sum + s) / 3600).toBeCloseTo(75.58, 2); // the specification's 75.6 hours
});

test("jitter makes a delay longer by less than a fifth, never shorter, and the first attempt not at all", () => {
  expect(nextDelayMs({ attempts: 1, random: 0.5 })).toBe(5500);
  expect(nextDelayMs({ attempts: 1, random: 0.999999 })).toBeLessThanOrEqual(6000);
  expect(nextDelayMs({ attempts: 0, random: 0.999 })).toBe(0);
});

test("Retry-After lengthens a delay, shortens none, and adds no attempt", () => {
  expect(nextDelayMs({ attempts: 1, random: 0, retryAfterMs: 60_000 })).toBe(60_000);
  expect(nextDelayMs({ attempts: 2, random: 0, retryAfterMs: 60_000 })).toBe(300_000);
  expect(nextDelayMs({ attempts: 10, random: 0, retryAfterMs: 60_000 })).toBeUndefined();
});

test("another schedule takes the place of the usual one", () => {
  const schedule = [0, 1];
  expect([0, 1, 2].map((attempts) => nextDelayMs({ attempts, random: 0 }, schedule))).toEqual([0, 1000, undefined]);
});

describe("Retry-After", () => {
  const now = Date.UTC(2026, 10, 25, 9, 30);
  test.each<[string | null, number | undefined]>([
    ["120", 120_000],
    [" 0 ", 0],
    ["Wed, 25 Nov 2026 09:31:30 GMT", 90_000],
    ["Wed, 25 Nov 2026 09:00:00 GMT", 0],
    ["86401", 86_400_000],
    ["9999999999", 86_400_000],
    ["Fri, 25 Nov 2095 09:30:00 GMT", 86_400_000],
    ["99999999999999999999", undefined],
    ["-5", undefined],
    ["1.5", undefined],
    ["soon", undefined],
    ["2026-11-25T09:31:30Z", undefined],
    ["1 day", undefined],
    ["", undefined],
    [null, undefined],
  ])("%j is %j ms", (header, ms) => expect(parseRetryAfter(header, now)).toBe(ms));
});

test("only 2xx is success, 410 ends it, and everything else, redirects included, is tried again", () => {
  for (const status of [200, 201, 202, 204, 299]) expect(classifyStatus(status)).toBe("delivered");
  expect(classifyStatus(410)).toBe("disable");
  for (const status of [100, 199, 300, 301, 302, 304, 307, 400, 401, 404, 409, 429, 500, 502, 503, 504, 599])
    expect(classifyStatus(status)).toBe("retry");
});
