import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import type { Metrics } from "../../../shared/model.ts";
import { percent } from "../../../trainer/html/format.ts";
import { COLOURS } from "../../../trainer/html/palette.ts";
import { gatherReport } from "../../../trainer/report/gather.ts";
import { renderReport } from "../../../trainer/report/page.ts";
import { type Changes, makeInput } from "./fixture.ts";
import { parseTags, type Tag } from "./tags.ts";

const render = (changes?: Changes): Promise<string> => renderReport(gatherReport(makeInput(changes)));

describe("the page", () => {
  let page: string;
  let tags: Tag[];
  beforeAll(async () => {
    page = await render();
    tags = parseTags(page);
  });

  test("has the same bytes for the same input", async () => {
    expect(await render()).toBe(page);
  });

  test("brings its icon, and that is the one of the Worker's page", () => {
    const [{ attributes }, ...others] = tags.filter(({ name }) => name === "link");
    expect(others).toEqual([]);
    const icon = readFileSync(new URL("../../../edge/page/favicon.svg", import.meta.url), "utf8").trim();
    expect(attributes).toEqual({ rel: "icon", href: `data:image/svg+xml,${encodeURIComponent(icon)}` });
  });

  test("fetches nothing and runs nothing", () => {
    const [before, after] = page.split(/<link rel="icon" href="data:image\/svg\+xml,[^"]*">/);
    expect(before + after).not.toMatch(/https?:|\/\/|@import|url\(|<script|<link|<img|<object|<iframe|javascript:/i);
    for (const { name: tag, attributes } of tags)
      expect(Object.keys(attributes).filter((name) => /^(on|src|href|xlink|data)/i.test(name))).toEqual(tag === "link" ? ["href"] : []);
  });

  test("stays small", () => {
    expect(page.length).toBeLessThan(400_000);
  });

  test("says the verdict before anything else", () => {
    const main = page.slice(page.indexOf("<main>"));
    expect(main.indexOf("✓ Learned")).toBeLessThan(main.indexOf("<h2"));
    expect(main.indexOf("Learned: a little.")).toBeLessThan(main.indexOf("<h2"));
  });

  test("has one heading of the first level, skips none, and names every section and figure", () => {
    const levels = tags.flatMap(({ name }) => (/^h[1-6]$/.test(name) ? [Number(name[1])] : []));
    expect(levels.filter((level) => level === 1)).toHaveLength(1);
    levels.reduce((before, level) => {
      expect(level).toBeLessThanOrEqual(before + 1);
      return level;
    }, 0);
    const ids = tags.map(({ attributes }) => attributes.id).filter(Boolean);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { name, attributes } of tags) {
      if (name === "svg" && attributes["aria-hidden"] !== "true") {
        expect(attributes.role).toBe("img");
        expect(attributes["aria-label"].length).toBeGreaterThan(20);
      }
      if (name === "th") expect(attributes.scope).toMatch(/^(row|col)$/);
      if (name === "section") expect(attributes["aria-label"] ?? ids.includes(attributes["aria-labelledby"])).toBeTruthy();
    }
  });

  test("draws in no colour that the dark does not exchange", () => {
    const colours = COLOURS.map(({ light }) => light);
    for (const { attributes } of tags)
      for (const colour of [attributes.fill, attributes.stroke])
        if (colour !== undefined && colour !== "none") expect(colours).toContain(colour);
  });

  test("shows the figures of the card, of the model and of every baseline", () => {
    const { model } = makeInput();
    const rows = page.split("<tr>").slice(1);
    const shown = (label: string): string[] =>
      Array.from(rows.find((row) => row.includes(`>${label}<`))!.matchAll(/<td[^>]*>([^<]*)</g), ([, value]) => value);
    const names: [string, keyof Metrics][] = [
      ["Log loss", "logLoss"],
      ["Brier score", "brier"],
      ["AUC", "auc"],
      ["PR-AUC", "prAuc"],
      ["Accuracy", "accuracy"],
      ["Calibration error", "ece"],
    ];
    const models = [model.card.test, ...Object.values(model.card.baselines)];
    for (const [label, key] of names) expect(shown(label), label).toEqual(models.map((metrics) => metrics[key]!.toFixed(4)));
    expect(page).toContain(`±\u00a0${model.card.intervals.logLoss!.toFixed(4)}`);
    expect(page).toContain(model.card.test.majorityAccuracy.toFixed(4));
    expect(page).toContain("a fact to keep in mind");
  });
});

test("shows what each operating point is worth, and its cost where costs were given", async () => {
  const { model } = makeInput();
  const cost = { value: 0.4321, low: 0.4, high: 0.5 };
  const points = model.operatingPoints.map((point) => ({ ...point, figures: { cost } }));
  const content = gatherReport(makeInput({ input: { model: { ...makeInput().model, operatingPoints: points } } }));
  const [page, without] = [await renderReport(content), await render()];
  const section = page.slice(page.indexOf('id="operating-points"'));
  const cells = section.split("<tr>").slice(2, 2 + points.length);
  content.operatingPoints.forEach(({ name, metrics: { precision, recall, f1 } }, i) => {
    expect(cells[i]).toContain(name);
    for (const { value } of [precision!, recall!, f1!]) expect(cells[i]).toContain(`</span>${percent(value)}<small>`);
    expect(cells[i]).toContain("</span>0.4321<small>0.4000–0.5000</small>");
  });
  expect(page).toContain('<th scope="col">Cost</th>');
  expect(without).not.toContain('<th scope="col">Cost</th>');
});

const HOSTILE = [
  `</text></svg><script>alert(1)</script>`,
  `" onload="alert(1)" x="`,
  `'><img src=x onerror=alert(1)>`,
  `&lt;b&gt; pointer-events="none" 12px"`,
  `\u202eevil\u0000\ud800${"x".repeat(300)}\n<!--`,
];

test("hostile names, verdicts and warnings change no tag and no attribute's name", async () => {
  const shapeOf = (page: string): string[] => parseTags(page).map(({ name, attributes }) => [name, ...Object.keys(attributes)].join(" "));
  const changes = (names: readonly string[]): Changes => {
    const input = makeInput({ model: { features: names, name: names[0] }, baselineName: names[1] });
    return {
      model: { features: names, name: names[0] },
      baselineName: names[1],
      input: {
        id: names[0],
        verdict: { code: names[2], text: names[3], next: "" },
        model: {
          ...input.model,
          operatingPoints: [{ name: names[4], threshold: 0.5 }],
          card: { ...input.model.card, warnings: [names[0]], data: { name: names[1], sha256: names[2], float32: true } },
        },
      },
    };
  };
  const page = await render(changes(HOSTILE));
  expect(shapeOf(page)).toEqual(shapeOf(await render(changes(["a", "b", "c", "d", "e"]))));
  for (const forbidden of ["\u202e", "\u0000", "<img", "<script", "<!--"]) expect(page).not.toContain(forbidden);
  expect(page.isWellFormed()).toBe(true);
  expect(page).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
});

describe("how the report speaks of channels", () => {
  const content = gatherReport(makeInput());
  const [first] = content.influence.channels;

  test("as the network sees them, and of none beside the recipe's, where a network speaks in the model and no learner sees columns", async () => {
    const page = await renderReport(content);
    expect(page).toContain("channels, as the network sees them");
    expect(page).not.toContain("Learners on columns see raw features as well");
  });

  test("as the recipe gives them where no network speaks, and says why more are ranked than the recipe has", async () => {
    const learners = [{ name: "linear", logLoss: 0.61, weight: 1 }];
    const stack = { folds: 5, learners, logLoss: 0.61, gate: { gain: 0, standardError: 0.01, joins: false } };
    const channels = Array.from({ length: content.channels.length + 1 }, (_, i) => ({ ...first, name: `c${i}` }));
    const page = await renderReport({
      ...content,
      card: { ...content.card, stack },
      influence: { ...content.influence, channels },
    });
    expect(page).not.toContain("as the network sees them");
    expect(page).toContain("channels, as the recipe gives them");
    expect(page).toContain("Learners on columns see raw features as well");
  });
});
