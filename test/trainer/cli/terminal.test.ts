// What reaches a terminal: words, and nothing that steers it.
import { describe, expect, test } from "vitest";
import { createTerminal, showControls } from "../../../trainer/cli/terminal.ts";

function record(isTTY: boolean) {
  let written = "";
  const output = { isTTY, columns: 60, write: (text: string) => void (written += text) };
  return { output, written: () => written };
}

const STEERING = "a\u001b]0;title\u0007\u001b[31mred\u009b2J\u007f\r\u202egnp.\u2028b";
const SHOWN = String.raw`a\u001b]0;title\u0007\u001b[31mred\u009b2J\u007f\u000d\u202egnp.\u2028b`;

describe("control characters of a name are shown, not sent", () => {
  test.each(["say", "print"] as const)("by %s", (how) => {
    const [stdout, stderr] = [record(true), record(true)];
    createTerminal(stdout.output, stderr.output)[how](`${STEERING}\n\tnext`);
    expect(stdout.written() + stderr.written()).toBe(`${SHOWN}\n\tnext\n`);
  });

  test("by progress, in one line of the terminal's width", () => {
    const stderr = record(true);
    createTerminal(record(true).output, stderr.output).progress(`a\u001b[2J\nb${"x".repeat(100)}`);
    const shown = `${String.raw`a\u001b[2J b`}${"x".repeat(100)}`;
    expect(stderr.written()).toBe(`\r\u001b[K${shown.slice(0, 59)}`);
  });

  test("and a JSON document stays the same document", () => {
    const value = { name: STEERING };
    expect(JSON.parse(showControls(JSON.stringify(value)))).toEqual(value);
  });

  test("and letters of every script stay as they are", () => {
    const text = "Zürich 東京 عربي 👩‍🔬 Δ log(f3) → 0.5";
    expect(showControls(text)).toBe(text);
  });
});
