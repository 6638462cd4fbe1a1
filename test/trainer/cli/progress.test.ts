// What long work says of itself, on a terminal and where nobody watches.
import { expect, test } from "vitest";
import { createFitProgress } from "../../../trainer/cli/progress.ts";
import { createStages } from "../../../trainer/cli/stages.ts";
import { createTerminal, type Terminal } from "../../../trainer/cli/terminal.ts";
import type { Progress } from "../../../trainer/training/loop.ts";

/** A terminal that remembers, and a clock that is set by hand. */
function open(isWatched: boolean): { terminal: Terminal; said: string[]; drawn: string[]; clock: { ms: number }; now: () => number } {
  const said: string[] = [];
  const drawn: string[] = [];
  const clock = { ms: 0 };
  const terminal = { isWatched, say: (line: string) => said.push(line), progress: (line: string) => drawn.push(line), print: () => {} };
  return { terminal, said, drawn, clock, now: () => clock.ms };
}

const at = (epoch: number, seen: number, isEpochEnd: boolean, validationLoss = 0.5): Progress => ({
  epoch,
  epochs: 10,
  seen,
  total: 1000,
  trainLoss: 0.6,
  validationLoss,
  learningRate: 1e-3,
  isEpochEnd,
});

test("where nobody watches, every epoch has a line and fits have no summary", () => {
  const { terminal, said, clock, now } = open(false);
  const progress = createFitProgress(terminal, now);
  progress.show(at(1, 0, false));
  clock.ms = 500;
  progress.show(at(1, 1000, true));
  progress.show(at(2, 1000, true));
  progress.finish();
  expect(said).toEqual([
    "epoch   1/10  train 0.6000  validation 0.5000  rate 1.0e-3  2,000 sequences/s",
    expect.stringMatching(/^epoch {3}2\/10 /),
  ]);
});

test("on a terminal epochs overwrite one line, with the time left, and a summary of each fit remains", () => {
  const { terminal, said, drawn, clock, now } = open(true);
  const progress = createFitProgress(terminal, now);
  progress.show(at(1, 0, false));
  clock.ms = 500;
  progress.show(at(1, 500, false));
  expect(drawn.at(-1)).toBe("epoch 1/10  train 0.6000  validation 0.5000  1 s left in this epoch, at most 10 s in all  1,000 sequences/s");
  clock.ms = 1000;
  progress.show(at(1, 1000, true, 0.45));
  clock.ms = 2000;
  progress.show(at(2, 1000, true, 0.47));
  expect(said).toEqual([]);
  progress.say("on a teacher's probabilities:");
  progress.show(at(1, 1000, true, 0.44));
  progress.finish();
  progress.finish();
  expect(said).toEqual([
    "2 epochs: train loss 0.6000, best validation loss 0.4500 in epoch 1, 1,000 sequences/s",
    "on a teacher's probabilities:",
    expect.stringMatching(/^1 epoch: train loss 0\.6000, best validation loss 0\.4400 in epoch 1, /),
  ]);
});

test("a note in the middle of an epoch is said at once, without a summary", () => {
  const { terminal, said, now } = open(true);
  const progress = createFitProgress(terminal, now);
  progress.show(at(1, 500, false));
  progress.say("loss: it starts at 0.6");
  expect(said).toEqual(["loss: it starts at 0.6"]);
});

test("stages have a line each where nobody watches", () => {
  const { terminal, said, now } = open(false);
  const stages = createStages(terminal, now);
  for (const share of [0, 0.5, 1]) stages.show("search", share);
  stages.show("score");
  stages.finish();
  expect(said).toEqual(["search …", "score …"]);
});

test("on a terminal a stage overwrites one line, with the time left where it can be told", () => {
  const { terminal, said, drawn, clock, now } = open(true);
  const stages = createStages(terminal, now);
  stages.show("search", 0);
  clock.ms = 30_000;
  stages.show("search", 0.25, "Δ f0");
  clock.ms = 30_050;
  stages.show("search", 0.3); // too soon to be drawn
  clock.ms = 31_000;
  stages.show("score", undefined, "4,096 sequences");
  stages.finish();
  expect(drawn).toEqual(["search …", "search …  25.0 %  90 s left  Δ f0", "score …  4,096 sequences", ""]);
  expect(said).toEqual([]);
});

test("a share that grows from stage to stage is of all stages, and the time left counts from the first", () => {
  const { terminal, drawn, clock, now } = open(true);
  const stages = createStages(terminal, now);
  stages.show("adding", 0);
  clock.ms = 10_000;
  stages.show("removing", 0.5);
  clock.ms = 12_000;
  stages.show("scoring", 0);
  clock.ms = 14_000;
  stages.show("scoring", 0.5);
  expect(drawn).toEqual(["adding …", "removing …  50.0 %  10 s left", "scoring …", "scoring …  50.0 %  2 s left"]);
});

test("a drawn line is cleared before anything is said or printed, and fits the terminal", () => {
  const written: string[] = [];
  const out = { isTTY: true, columns: 30, write: (text: string) => written.push(text) };
  const terminal = createTerminal(out, out);
  terminal.progress("x".repeat(100));
  terminal.say("said");
  terminal.progress("y");
  terminal.print("printed");
  terminal.say("more");
  expect(written).toEqual([`\r\x1b[K${"x".repeat(29)}`, "\r\x1b[K", "said\n", "\r\x1b[Ky", "\r\x1b[K", "printed\n", "more\n"]);
});

test("where nobody watches, nothing is drawn", () => {
  const written: string[] = [];
  const terminal = createTerminal({ write: () => {} }, { write: (text: string) => written.push(text) });
  terminal.progress("x");
  terminal.say("said");
  expect(written).toEqual(["said\n"]);
});
