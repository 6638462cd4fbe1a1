// What columns say, in sentences. Computes nothing.
import type { FindingText } from "../data/label-sentences.ts";
import { percent } from "../html/format.ts";
import type { Reason, Stretch } from "./columns/reason.ts";
import type { ColumnsFinding } from "./columns/study.ts";

/** Evidence and fix. */
export function describeColumnsFinding({
  learner,
  loss,
  networkLoss,
  gain,
  standardError,
  reason,
  columns,
  columnsLoss,
  table,
}: ColumnsFinding): FindingText {
  const who = learner === "trees" ? "Boosted trees" : "A logistic regression";
  const few = columns.length === 1 ? "this column alone" : `these ${columns.length} columns alone`;
  return {
    evidence: `${who} on columns of each sequence ${learner === "trees" ? "have" : "has"} a held-out log loss of ${loss.toFixed(4)}, the best network of the experiments ${networkLoss.toFixed(4)} on the same sequences (difference ${gain.toFixed(4)}, standard error ${standardError.toFixed(4)}). ${describeReason(reason, table.names)}`,
    fix: `Train ${learner === "trees" ? "boosted trees" : "a logistic regression"} on columns, as the lines for scikit-learn do (log loss ${columnsLoss.toFixed(4)} with ${few}), or quickstep train, which stacks both with a network.`,
  };
}

function describeReason(reason: Reason, names: readonly string[]): string {
  switch (reason.kind) {
    case "threshold": {
      const { column, threshold, below, above } = reason;
      return `One threshold tells most: of the sequences whose ${names[column]} is ${sayValue(threshold)} or less, ${percent(below.rate)} are positive; of the others ${percent(above.rate)}.`;
    }
    case "values": {
      const { column, cycle, isWhole, high, rest } = reason;
      const where = high.map((stretch) => `${describeStretch(stretch, isWhole)} (${percent(stretch.rate)})`).join(", ");
      const what = cycle === undefined ? "" : `, whole numbers as of ${cycle},`;
      return `The positive rate neither rises nor falls with ${names[column]}${what} but is high where the column is ${where}, and ${percent(rest)} elsewhere.`;
    }
    case "interaction": {
      const { a, b, thresholds, rates } = reason;
      const [x, y] = thresholds.map(sayValue);
      return `Two columns tell together what neither tells alone: ${names[a]} (up to ${x}, or above) and ${names[b]} (up to ${y}, or above). Positive are ${percent(rates[0][0])} where both are low, ${percent(rates[1][1])} where both are high, ${percent(rates[1][0])} where only the first is high, ${percent(rates[0][1])} where only the second is.`;
    }
    case "linear": {
      const { columns, rises } = reason;
      return `The log-odds rise or fall in a straight line: ${columns.map((v, i) => `${rises[i] ? "up" : "down"} with ${names[v]}`).join(", ")}.`;
    }
    case "many":
      return `No one or two columns suffice. The strongest are ${reason.columns.map((v) => names[v]).join("; ")}.`;
  }
}

function describeStretch({ from, to }: Stretch, isWhole: boolean): string {
  if (from === undefined && to === undefined) return "anything";
  const first = from === undefined ? undefined : isWhole ? Math.ceil(from) : from;
  const final = to === undefined ? undefined : isWhole ? Math.floor(to) : to;
  if (first === undefined) return `up to ${sayValue(final!)}`;
  if (final === undefined) return `${isWhole ? "from" : "above"} ${sayValue(first)}`;
  return first === final ? sayValue(first) : `${sayValue(first)} to ${sayValue(final)}`;
}

/** Enough digits for a level on a large offset. */
function sayValue(value: number): string {
  return String(Number(value.toPrecision(7)));
}
