// `outcome`: a source that tells what came true instead of events, and where in its bodies that stands.
import type { Path } from "../../shared/errors.ts";
import { ConfigurationError, parseString, parseTable, type Table } from "../config/configuration.ts";
import { parsePointerAt } from "../config/json-pointer.ts";

/** Where in a body the label stands, and what it is of: a prediction that was remembered, or an event that `source` sent. */
export type OutcomePointers = { readonly label: readonly string[] } & (
  | { readonly prediction: readonly string[] }
  | { readonly stream: readonly string[]; readonly id: readonly string[]; readonly source: string }
);

/** What speaks of events alone. */
const EVENT_KEYS = ["key", "id", "timestamp", "values", "sequence", "static", "destinations"];

/** The table `outcome` of a source, whose table stands at `path`; undefined where it has none. Throws ConfigurationError. */
export function parseOutcome(table: Table, path: Path): OutcomePointers | undefined {
  if (table.outcome === undefined) return undefined;
  const stray = EVENT_KEYS.find((key) => table[key] !== undefined);
  if (stray !== undefined) throw new ConfigurationError([...path, stray], "must be left out of a source that tells outcomes", "it");
  const at = [...path, "outcome"];
  const isPrediction = "prediction" in parseTable(table.outcome, at);
  const given = parseTable(table.outcome, at, isPrediction ? ["label", "prediction"] : ["label", "stream", "id", "source"]);
  const label = parsePointerAt(given.label, [...at, "label"]);
  if (isPrediction) return { label, prediction: parsePointerAt(given.prediction, [...at, "prediction"]) };
  return {
    label,
    stream: parsePointerAt(given.stream, [...at, "stream"]),
    id: parsePointerAt(given.id, [...at, "id"]),
    source: parseString(given.source, [...at, "source"], "the name of the source that sends the events"),
  };
}
