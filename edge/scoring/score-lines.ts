// NDJSON in, NDJSON out: results leave while lines arrive, one output line for every line that is not blank, in their order.
// A bad line becomes an error line and the rest go on. Nothing is read ahead of what the client takes.
import { describe, LimitError, SequenceError } from "../../shared/errors.ts";
import { expandGiven } from "../../shared/recipe/given-rows.ts";
import { shapeOf } from "../../shared/recipe/recipe.ts";
import { parseSequence, type Shape } from "../../shared/sequence.ts";
import { parseJson } from "../http/body.ts";
import { type Line, LineSplitter } from "../http/lines.ts";
import { describeProblem, problemKind, RequestError } from "../http/problem.ts";
import type { Ready } from "../models/servable-model.ts";
import type { Options } from "./options.ts";
import { type Result, resultsOf } from "./scoring.ts";
import { joinTimes } from "./times.ts";

/** The largest sequence there can be, 512 × 64 numbers of 25 digits, fits. */
export const MAX_LINE_BYTES = 1 << 20;

/** Lines of one request: then it ends with an error line. */
const MAX_LINES = 1_000_000;

export interface StreamTotals {
  /** Lines answered with a result. */
  sequences: number;
  /** Lines answered with an error. */
  errors: number;
}

/**
 * The answers to the lines of `body`, as they can be given. `done` is called once, when the last line has been answered or the client
 * has gone; with the error, where the client's connection broke or scoring failed.
 */
export function scoreLines(
  ready: Ready,
  body: ReadableStream<Uint8Array>,
  options: Options,
  done: (totals: StreamTotals, failure?: unknown) => void,
  maxLines = MAX_LINES,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  const splitter = new LineSplitter(MAX_LINE_BYTES);
  const encoder = new TextEncoder();
  const { totals, answer, breakOff } = createLineScorer(ready, options, maxLines);
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          for (;;) {
            const { done: ended, value } = await reader.read();
            const { text, isOver } = answer(ended ? splitter.end() : splitter.split(value));
            if (text !== "") controller.enqueue(encoder.encode(text));
            if (ended || isOver) {
              controller.close();
              done(totals);
              return ended ? undefined : await reader.cancel();
            }
            if (text !== "") return;
          }
        } catch (error) {
          if (problemKind(error) !== "internal") {
            controller.enqueue(encoder.encode(breakOff(error))); // what came is damaged, and its sender is there to be told
            controller.close();
            return done(totals);
          }
          controller.error(error); // half an answer must not look whole
          done(totals, error);
        }
      },
      async cancel(reason) {
        done(totals);
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}

/** Lines → their answers' lines, as one text; blank lines have none. `totals` counts along. */
function createLineScorer(ready: Ready, options: Options, maxLines: number) {
  const { recipe } = ready.model;
  const shape = shapeOf(recipe);
  const values = new Float64Array(recipe.timesteps * recipe.features.length);
  const totals: StreamTotals = { sequences: 0, errors: 0 };
  let lineNumber = 0;

  function scoreLine(line: Line): Result {
    if (line === null) throw new RequestError("malformed", `the line must have at most ${MAX_LINE_BYTES} bytes, got more`);
    const { sequence, times, static: statics } = sequenceIn(parseJson(line, "the line"), shape);
    values.fill(0);
    const expanded = expandGiven(sequence, ["sequence"], statics, ["static"], recipe);
    parseSequence(joinTimes(expanded, ["sequence"], times, ["times"], shape), ["sequence"], shape, values, 0);
    return resultsOf(ready, values, () => ["sequence"], options)[0];
  }

  /** The answer to line `lineNumber` that says what is wrong with it. */
  function fail(error: unknown): string {
    totals.errors++;
    return `${JSON.stringify({ line: lineNumber, error: describeProblem(error) })}\n`;
  }

  /** The same of the line that would come next, where nothing more can be read. */
  function breakOff(error: unknown): string {
    lineNumber++;
    return fail(error);
  }

  /** `isOver`: there were too many, and the rest is not looked at. */
  function answer(lines: Iterable<Line>): { readonly text: string; readonly isOver: boolean } {
    let text = "";
    for (const line of lines) {
      lineNumber++;
      if (lineNumber > maxLines) {
        const error = new LimitError([], `at most ${maxLines} lines a request: send them in parts`, maxLines);
        return { text: text + fail(error), isOver: true };
      }
      if (line !== null && isBlank(line)) continue;
      try {
        text += `${JSON.stringify(scoreLine(line))}\n`;
        totals.sequences++;
      } catch (error) {
        if (problemKind(error) === "internal") throw error;
        text += fail(error);
      }
    }
    return { text, isOver: false };
  }
  return { totals, answer, breakOff };
}

/** `{"sequence":[[…]]}`, with times and what is given once a sequence where the model takes them, or the sequence itself. Throws SequenceError. */
function sequenceIn(
  line: unknown,
  { clock, statics }: Shape,
): { readonly sequence?: unknown; readonly times?: unknown; readonly static?: unknown } {
  if (Array.isArray(line)) return { sequence: line };
  if (typeof line !== "object" || line === null)
    throw new SequenceError(["line"], "must be a sequence or an object with one", describe(line));
  const unknownKey = Object.keys(line).find((key) => key !== "sequence" && key !== "times" && key !== "static");
  if (unknownKey === undefined) return line;
  const known = ["sequence", ...(clock ? ["times"] : []), ...(statics ? ["static"] : [])].join(" and ");
  throw new SequenceError(["line"], `must have no key but ${known}`, describe(unknownKey));
}

function isBlank(line: Uint8Array): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x0d || byte === 0x09);
}
