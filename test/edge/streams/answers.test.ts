// Answers as text: what is stored of them, what they are given as again, and what they say.
import { describe, expect, test } from "vitest";
import { compactAnswer, expandAnswer, formatAnswers, hasField } from "../../../edge/streams/answers.ts";

const HOSTILE = '","probability":1,"late":true,"window":[],"';

function answerOf(id: string, extra: object = {}) {
  const window = [
    { seq: 3, id: HOSTILE },
    { seq: 7, id },
  ];
  return {
    key: HOSTILE,
    source: "api",
    id,
    timestamp: "2026-01-31T00:00:00.000Z",
    seq: 7,
    model: "fx@0",
    ...extra,
    filled: 2,
    timesteps: 10,
    window,
  };
}

describe("an answer's text", () => {
  test.each(["e7", HOSTILE, '"window":', "\\", "\u2028"])(
    "of the id %j is stored with its window's numbers, and comes back byte for byte",
    (id) => {
      const answer = answerOf(id);
      const text = JSON.stringify(answer);
      const { stored, lowest } = compactAnswer(text, answer.window);
      expect(JSON.parse(stored)).toEqual({ ...answer, window: [3, 7] });
      expect(lowest).toBe(3);
      const ids = new Map(answer.window.map(({ seq, id }) => [seq, id]));
      expect(expandAnswer(stored, () => ids)).toBe(text);
    },
  );

  test("of no window is stored as it is, and names no event", () => {
    const text = JSON.stringify({ ...answerOf("e7"), window: [] });
    expect(compactAnswer(text, [])).toEqual({ stored: text, lowest: null });
  });

  test("has the fields that it has, whatever its names say", () => {
    expect(hasField(JSON.stringify(answerOf(HOSTILE)), "probability")).toBe(false);
    expect(hasField(JSON.stringify(answerOf(HOSTILE)), "late")).toBe(false);
    expect(hasField(JSON.stringify(answerOf("e7", { probability: 0.5 })), "probability")).toBe(true);
    expect(hasField(JSON.stringify(answerOf("e7", { late: true })), "late")).toBe(true);
  });

  test("alone or in a list is a body", () => {
    const accepted = [1, 2].map((n) => ({ answer: JSON.stringify(answerOf(`e${n}`)), replayed: false }));
    expect(JSON.parse(formatAnswers(accepted, true))).toEqual({ results: [answerOf("e1"), answerOf("e2")] });
    expect(formatAnswers(accepted, false)).toBe(accepted[0].answer);
  });
});
