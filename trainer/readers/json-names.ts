// Names of features in a JSON sequence: rows that are objects, `{"sequence": [{"open": 1.2, "high": 1.3}, …]}`, or a list `features`
// beside the sequence. Knows no numbers. Legend: F features.
import { DataError, describe } from "../../shared/errors.ts";
import { MAX_FEATURES } from "../../shared/sequence.ts";
import { type Fields, isFields } from "./json-frames.ts";
import { show } from "./quoting.ts";

/** Where a record may name its features. */
export const FEATURES = "features";

/** (F) the names that the first record gives, or null where it gives none. Throws DataError where they are no names of features. */
export function findNames(record: unknown, sequence: unknown, place: string): readonly string[] | null {
  const first: unknown = Array.isArray(sequence) ? sequence[0] : undefined;
  if (isFields(first)) return checkNames(Object.keys(first), `${place}: sequence[0]`);
  const listed = listOf(record, sequence);
  return listed === undefined ? null : checkNames(listed, `${place}: ${FEATURES}`);
}

/** The sequence with each row's numbers in the order of `names`; what is no list of rows stays, for the parser to refuse. Throws DataError. */
export function arrangeRows(record: unknown, sequence: unknown, names: readonly string[], place: string): unknown {
  const listed = listOf(record, sequence);
  if (listed !== undefined && listed.join("\0") !== names.join("\0"))
    throw new DataError(`${place}: ${FEATURES}`, `must be ${names.map(show).join(", ")} as in the first record`);
  if (!Array.isArray(sequence)) return sequence;
  return sequence.map((row: unknown, t) => (isFields(row) ? arrangeRow(row, names, `${place}: sequence[${t}]`) : row));
}

function arrangeRow(row: Fields, names: readonly string[], place: string): unknown[] {
  const missing = names.find((name) => !Object.hasOwn(row, name));
  if (missing !== undefined) throw new DataError(place, `lacks ${show(missing)}, which the first row has`);
  const other = Object.keys(row).find((name) => !names.includes(name));
  if (other !== undefined) throw new DataError(place, `has ${show(other)}, which the first row lacks`);
  return names.map((name) => row[name]);
}

/** The list beside a sequence of arrays; undefined where there is none. */
function listOf(record: unknown, sequence: unknown): readonly unknown[] | undefined {
  const listed = isFields(record) && sequence !== undefined ? record[FEATURES] : undefined;
  return Array.isArray(listed) ? listed : undefined;
}

function checkNames(names: readonly unknown[], place: string): readonly string[] {
  if (names.length === 0 || names.length > MAX_FEATURES)
    throw new DataError(place, `names ${names.length} features, expected 1 to ${MAX_FEATURES}`);
  return names.map((name, f) => {
    if (typeof name !== "string" || name === "") throw new DataError(place, `holds ${describe(name)}, expected a feature's name`);
    if (names.indexOf(name) !== f) throw new DataError(place, `names ${show(name)} twice`);
    return name;
  });
}
