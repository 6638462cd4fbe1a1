// Which answers a destination gets, what a delivery says, and what else a destination may have.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ENVELOPE, parseBody, renderBody, renderWord, type Said } from "../../../edge/deliveries/bodies.ts";
import { holds, parseCondition } from "../../../edge/deliveries/conditions.ts";
import { parseDestinations } from "../../../edge/deliveries/destinations.ts";
import { openDestinations as open, SECRETS, START, servableOf } from "../../fixtures/destinations.ts";
import { randomOf } from "../../fixtures/model.ts";

describe("when", () => {
  test.each<[string, object, boolean]>([
    ["probability >= 0.8", { probability: 0.8 }, true],
    ["probability >= 0.8", { probability: 0.79 }, false],
    ["probability >= 0.8", { warming: true }, false],
    ["probability<.2", { probability: 0.1 }, true],
    ["label = 1", { label: 1 }, true],
    ["label == 0", { label: 1 }, false],
    ["label changed", { label: 1, previous: 0 }, true],
    ["label changed", { label: 1, previous: 1 }, false],
    ["label changed", { label: 1 }, false],
    ["warming", { warming: true }, true],
    ["warming or label changed and probability > 0.5", { label: 1, previous: 0, probability: 0.4 }, false],
    ["warming or label changed and probability > 0.5", { label: 1, previous: 0, probability: 0.6 }, true],
  ])("%s of %j: %s", (text, judged, expected) => {
    expect(holds(parseCondition(text, []), judged)).toBe(expected);
  });

  test.each([
    "",
    "probability",
    "probability >= 2",
    "probability => 0.5",
    "label = 2",
    "label changed or",
    "drop table",
    "warming and",
    "probability >= 0.5; x",
  ])("%j is no condition", (text) =>
    expect(() => parseCondition(text, ["DESTINATIONS", "d", "when"])).toThrow("DESTINATIONS.d.when must be"),
  );

  test("a change of label makes exactly one row, by the key's own order; without a condition each score one", async () => {
    const to = open({
      changes: { url: "https://a.example.com/", secrets: ["DESK"], when: "label changed" },
      all: { url: "https://b.example.com/", secrets: ["DESK"] },
    });
    const random = randomOf(3);
    const labels: number[] = [];
    for (let i = 0; i < 60; i++) labels.push((await to.send([40 * (random() - 0.5), 1])).label!);
    const changed = labels.flatMap((label, i) => (i > 0 && label !== labels[i - 1] ? [i + 1] : []));
    expect(changed.length).toBeGreaterThan(4);
    const rows = to.streams.query("k", "SELECT seq, destination FROM outbox ORDER BY n");
    expect(rows.filter(({ destination }) => destination === "changes").map(({ seq }) => seq)).toEqual(changed);
    expect(rows.filter(({ destination }) => destination === "all")).toHaveLength(60);
  });

  test("a forgotten window and another model leave no label to change from", async () => {
    const to = open({ changes: { url: "https://a.example.com/", secrets: ["DESK"], when: "label changed" } });
    const count = () => to.streams.query("k", "SELECT seq FROM outbox").length;
    const [low, high] = [
      [-20, 1],
      [20, 1],
    ];
    const first = (await to.send(low)).label;
    for (let i = 0; i < 4; i++) await to.send(high);
    const after = (await to.send(high)).label;
    expect(after).not.toBe(first);
    expect(count()).toBe(1);
    await to.streams.store.forget("k");
    for (let i = 0; i < 4; i++) await to.send(low);
    expect(count()).toBe(1);
    to.streams.run("k", "UPDATE stream SET labelModel = 'other@0', label = 1 - label");
    to.streams.restart(servableOf(), to.endpoints);
    await to.send(low);
    expect(count()).toBe(1);
  });

  test("warming answers go to those who ask for them alone", async () => {
    const destinations = {
      warm: { url: "https://a.example.com/", secrets: ["DESK"], when: "warming" },
      all: { url: "https://b.example.com/", secrets: ["DESK"] },
    };
    const to = open(destinations, servableOf("fx", 3));
    for (let i = 0; i < 4; i++) await to.send([i + 1, 1]);
    const rows = to.streams
      .query("k", "SELECT seq, destination FROM outbox ORDER BY n")
      .map(({ seq, destination }) => `${destination} ${seq}`);
    expect(rows).toEqual(["warm 1", "warm 2", "all 3", "all 4"]);
  });
});

describe("what a delivery says", () => {
  const answer = {
    key: '"}<!channel> @everyone {id}',
    id: "e1",
    seq: 3,
    model: "fx@0",
    probability: 0.25,
    label: 0,
    timestamp: "2026-01-31T00:00:00.000Z",
  };
  const said: Said = { answer, text: JSON.stringify(answer), time: "2026-01-31T00:00:01.000Z", generation: "0a1b2c3d" };
  const render = (body?: string, text?: string) => JSON.parse(renderBody(parseBody(body, text, ["d"]), said));

  test("is our own envelope where nothing is said", () => {
    expect(parseBody(undefined, undefined, [])).toBe(ENVELOPE);
    expect(render()).toEqual({ type: "prediction.created", timestamp: said.time, data: answer });
  });

  test("to chats names nobody and breaks nothing", () => {
    expect(render("slack")).toEqual({ text: '"}&lt;!channel&gt; @everyone {id}: probability 0.25, label 0 (2026-01-31T00:00:00.000Z)' });
    expect(render("discord", "{key}!")).toEqual({ content: `${answer.key}!`, allowed_mentions: { parse: [] } });
    expect(render("teams", "{key}").attachments[0].content.body).toEqual([{ type: "TextBlock", wrap: true, text: answer.key }]);
  });

  test("by a template has values of their own types, and holes that are filled once", () => {
    const template = JSON.stringify({ p: "{probability}", t: "{key} is {label}", all: "{data}", none: "{warming}", n: [1, null, "{seq}"] });
    expect(render(template)).toEqual({ p: 0.25, t: `${answer.key} is 0`, all: answer, none: null, n: [1, null, 3] });
  });

  test("is JSON of the template's own form, whatever texts the template and the answer hold", () => {
    const places = ["{key}", "{id}", "{source}", "{label}", "{data}"];
    const texts = fc.string({
      unit: fc.oneof(fc.constantFrom(...places, "{", "}", '"', "\\", "\\u0022}"), fc.string({ unit: "binary", maxLength: 3 })),
    });
    // longer than a place alone, which would become the value itself, and with places that there are
    const sentences = texts.map((text) => `:${text.replace(/\{\w+\}/g, (place) => (places.includes(place) ? place : ""))}`);
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        sentences,
        fc.integer(),
        fc.constant(null),
        fc.array(tie("tree"), { maxLength: 3 }),
        fc.dictionary(sentences, tie("tree")),
      ),
    }));
    const formOf = (part: unknown): unknown => {
      if (Array.isArray(part)) return part.map(formOf);
      if (typeof part !== "object" || part === null) return typeof part;
      return Object.entries(part).map(([name, value]) => [name, formOf(value)]);
    };
    const formSent = (body: string, answer: Said["answer"]) =>
      formOf(JSON.parse(renderBody(parseBody(body, undefined, []), { ...said, answer })));
    fc.assert(
      fc.property(tree, fc.record({ key: texts, id: texts, source: texts, label: fc.constantFrom(0, 1) }), (template, filled) => {
        expect(formSent(JSON.stringify(template), filled)).toEqual(formOf(template));
        for (const chat of ["slack", "discord", "teams"]) expect(formSent(chat, filled)).toEqual(formSent(chat, answer));
      }),
    );
  });

  test("as CloudEvents 1.0 has the required attributes, and one id for one answer", () => {
    expect(parseBody("cloudevents", undefined, []).contentType).toBe("application/cloudevents+json");
    expect(render("cloudevents")).toEqual({
      ...{ specversion: "1.0", id: "0a1b2c3d-3", type: "prediction.created", subject: answer.key, time: said.time },
      ...{ source: `/v1/streams/${encodeURIComponent(answer.key)}`, datacontenttype: "application/json", data: answer },
    });
  });

  test("of a model is rendered as a prediction is, and CloudEvents have an id without one of an answer", () => {
    const time = "2026-01-31T00:00:01.000Z";
    const data = { model: "fx@0123456789ab", sequences: 500 };
    const word = (body?: string, text?: string) =>
      JSON.parse(renderWord(parseBody(body, text, []), "quickstep:model:fx", "drift.detected", data, time));
    expect(word()).toEqual({ type: "drift.detected", timestamp: time, data });
    expect(word("slack", "{type}: {model} ({timestamp})")).toEqual({ text: `drift.detected: fx@0123456789ab (${time})` });
    const all = { key: "quickstep:model:fx", timestamp: time, ...data };
    expect(word('{"t":"{type}","all":"{data}"}')).toEqual({ t: "drift.detected", all });
    expect(word("cloudevents")).toMatchObject({ type: "drift.detected", id: `drift.detected-${time}`, subject: all.key, data: all });
  });

  test.each<[string, unknown, string]>([
    ["{", undefined, "d.body must be slack, discord, teams, cloudevents or JSON"],
    ['{"a":"{secret}"}', undefined, "d.body must have no places but {data}, {type}, {key}"],
    ["slack", 7, "d.text must be text, got 7"],
    ["cloudevents", "{key}", "d.text must be left out"],
    [`["${"x".repeat(16_384)}"]`, undefined, "d.body must have at most 16384 characters"],
  ])("%j cannot be configured", (body, text, sentence) => {
    expect(() => parseBody(body, text, ["d"])).toThrow(sentence);
  });
});

describe("a destination", () => {
  test("may have a port, headers, an authorization by name, and no signature, each named outright", async () => {
    const to = open({
      a: { url: "https://a.example.com:8443/x", port: 8443, secrets: ["DESK"], authorization: "BEARER", headers: { "X-Tenant": "t1" } },
      chat: { urlSecret: "CHAT", unsigned: true, body: "slack", text: "{key}" },
    });
    await to.send([1, 1]);
    await to.streams.advance(START + 10_000);
    const [a, chat] = ["https://a.example.com:8443/x", SECRETS.CHAT].map((url) => to.sent.find((one) => one.url === url)!);
    expect(a.headers).toMatchObject({
      authorization: SECRETS.BEARER,
      "x-tenant": "t1",
      "webhook-signature": expect.stringMatching(/^v1,/),
      "content-type": "application/json",
    });
    expect(chat.body).toBe('{"text":"k"}');
    expect(chat.headers["webhook-signature"]).toBeUndefined();
    expect(chat.headers.authorization).toBeUndefined();
  });

  test("that is a secret is nowhere in storage", async () => {
    const to = open({ chat: { urlSecret: "CHAT", unsigned: true } });
    to.answer(410);
    await to.send([1, 1]);
    await to.streams.advance(START + 10_000);
    const stored = JSON.stringify(["gone", "outbox", "attempts"].map((table) => to.streams.query("k", `SELECT * FROM ${table}`)));
    expect(stored).toContain("secret ");
    expect(stored).not.toContain("hooks.slack.com");
    await to.send([1, 1]);
    expect(to.streams.query("k", "SELECT state FROM outbox ORDER BY n").map(({ state }) => state)).toEqual(["dead", "dead"]);
  });

  test("that is replayed keeps the attempts before", async () => {
    const to = open({ a: { url: "https://a.example.com/", secrets: ["DESK"] } });
    to.answer(500);
    await to.send([1, 1]);
    await to.streams.advance(START + 20_000);
    const attempts = () => to.streams.query("k", "SELECT status, diagnostics FROM attempts ORDER BY rowid");
    const before = attempts();
    expect(before.length).toBeGreaterThan(1);
    expect(before[0]).toEqual({ status: 500, diagnostics: "no" });
    to.answer(200);
    const { items } = await to.streams.store.deliveries({ key: "k" }, 1);
    expect(await to.streams.store.replay(items[0].id)).toBe(true);
    await to.streams.advance(START + 30_000);
    expect(attempts()).toEqual([...before, { status: 200, diagnostics: "no" }]);
    to.streams.run("k", "DELETE FROM outbox");
    expect(attempts()).toEqual([]);
  });

  test.each<[object, string]>([
    [{ url: "https://a.example.com:8443/" }, "d.url must be on https' own port, 443, or on the one that port names, got 8443"],
    [{ url: "https://a.example.com/", port: 8443 }, "d.url must be on port 8443, as port says, got 443"],
    [{ url: "https://a.example.com/", port: 0 }, "d.port must be 1 to 65535, got 0"],
    [{ url: "https://a.example.com/", unsigned: true }, "d must have either secrets or unsigned, got both"],
    [{ url: "https://a.example.com/", urlSecret: "CHAT" }, "d must have either url or urlSecret, got both"],
    [
      { urlSecret: "BEARER" },
      "d.urlSecret must name a secret that is an https address of the public internet, got another, which is not shown",
    ],
    [
      { url: "https://a.example.com/", headers: { "webhook-id": "x" } },
      "d.headers must have names of headers that deliveries do not set themselves",
    ],
    [{ url: "https://a.example.com/", headers: { "x-a": "a\nb" } }, "d.headers.x-a must be visible ASCII"],
    [{ url: "https://a.example.com/", authorization: "NONE" }, "d.authorization[0] must be a secret that is set"],
    [{ url: "https://a.example.com/", when: "always" }, "d.when must be conditions"],
  ])("%j cannot be configured", (table, sentence) => {
    const secretOf = (name: string) => (SECRETS as Record<string, string>)[name];
    expect(() => parseDestinations({ d: { secrets: ["DESK"], ...table } }, secretOf, false)).toThrow(`DESTINATIONS.${sentence}`);
  });
});
