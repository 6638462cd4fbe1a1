import { expect, test } from "vitest";
import { formatNumber, percent, range, short, shorten, spreadOut, ticks, together } from "../../../trainer/html/format.ts";
import { html, Markup } from "../../../trainer/html/html.ts";

test.each([
  [0, "0"],
  [1234.5, "1,235"],
  [0.0321, "0.0321"],
  [-0.5, "−0.5"],
  [3.21e9, "3.21·10⁹"],
  [6.25e-5, "6.25·10⁻⁵"],
  [-1.7976931348623157e308, "−1.8·10³⁰⁸"],
  [5e-324, "4.94·10⁻³²⁴"],
])("%d is written %s", (x, text) => {
  expect(short(x)).toBe(text);
});

test("numbers that are read together keep the digits that tell them apart", () => {
  expect(together([1.24829336, 1.24831488])).toEqual(["1.248293", "1.248315"]);
  expect(together([676.53, 3386.15])).toEqual(["677", "3,386"]);
  expect(together([-1.7e308, 1.7e308])).toEqual(["−1.7·10³⁰⁸", "1.7·10³⁰⁸"]);
  expect(new Set(together([1, 1 + 2 ** -52])).size).toBe(2);
});

test("a range names a common power once, one value once, and a small distance as such", () => {
  expect(range(3.51e9, 5.11e9)).toBe("3.51 … 5.11·10⁹");
  expect(range(4, 4)).toBe("4");
  expect(range(8.06e8, 7.67e9)).toBe("8.06·10⁸ … 7.67·10⁹");
  expect(range(1.2428161, 1.2428166)).toBe("1.2428161 + 5·10⁻⁷");
});

test("a percentage is 0 only for none and 100 only for all", () => {
  expect([0, 1e-9, 0.272, 1 - 1e-9, 1].map(percent)).toEqual([
    "0\u00a0%",
    "<\u00a00.1\u00a0%",
    "27.2\u00a0%",
    ">\u00a099.9\u00a0%",
    "100\u00a0%",
  ]);
  expect([formatNumber(null), formatNumber(Number.NaN), formatNumber(-0.04)]).toEqual(["–", "–", "−0.0400"]);
});

test("names are cut between characters", () => {
  expect(shorten("volume", 6)).toBe("volume");
  expect(shorten("🙂🙂🙂🙂", 3)).toBe("🙂🙂…");
});

test("ticks lie on 1, 2 or 5 times a power of ten, within the range", () => {
  expect(ticks(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
  expect(ticks(0.35, 0.58, 5)).toEqual([0.35, 0.4, 0.45, 0.5, 0.55]);
  expect(ticks(-0.0004, 0.0011, 5)).toEqual([0, 0.0005, 0.001]);
  expect(ticks(2, 2, 5)).toEqual([2]);
});

test("labels are moved apart by no more than they must", () => {
  expect(spreadOut([1, 5, 9], 1, 0, 10)).toEqual([1, 5, 9]);
  expect(spreadOut([5, 5, 5], 1, 0, 10)).toEqual([5, 6, 7]);
  expect(spreadOut([9.5, 9.8, 10], 1, 0, 10)).toEqual([8, 9, 10]);
});

test("a template escapes text and places markup as it is", () => {
  expect(html`<p title="${`"'`}">${"<b>"}${new Markup("<i>")}${[html`<u>${1}</u>`]}${null}</p>`.text).toBe(
    `<p title="&quot;&#39;">&lt;b&gt;<i><u>1</u></p>`,
  );
});
