// Keras' CSVLogger file → the user's own training curve. Bytes in, numbers out.
import { type CsvError, parse } from "csv-parse/sync";
import { DataError } from "../../shared/errors.ts";

/** One number an epoch each; NaN where the log holds none. Undefined where the log has no such column. */
export interface History {
  readonly loss: readonly number[];
  readonly valLoss?: readonly number[];
  readonly accuracy?: readonly number[];
  readonly valAccuracy?: readonly number[];
}

const NAMES = {
  loss: ["loss"],
  valLoss: ["val_loss"],
  accuracy: ["accuracy", "acc", "binary_accuracy"],
  valAccuracy: ["val_accuracy", "val_acc", "val_binary_accuracy"],
} as const;
/** Each digit fits one place only, so that a long cell that is no number takes no longer than its length. */
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
/** As CSVLogger writes a value that is missing, or not finite. */
const NOT_FINITE = /^(?:[+-]?(?:nan|inf|infinity)|na|none|)$/i;

/**
 * Reads a CSVLogger file (a header with at least `loss`), or two columns without one: epoch and loss, or loss and val_loss.
 * Throws DataError naming the line.
 */
export function readHistory(bytes: Uint8Array, source: string): History {
  let records: { readonly record: readonly string[]; readonly info: { readonly lines: number } }[];
  const options = { bom: true, trim: true, delimiter: [",", ";", "\t"], skip_empty_lines: true, relax_column_count: true, info: true };
  try {
    records = parse(bytes, options) as unknown as typeof records;
  } catch (error) {
    throw new DataError(source, `cannot be read as CSV: ${(error as CsvError).message}`);
  }
  const first = records[0]?.record ?? [];
  const isHeader = first.some((cell) => !NUMBER.test(cell) && !NOT_FINITE.test(cell));
  const names = isHeader ? first.map((name) => name.toLowerCase()) : null;
  const lines = names === null ? records : records.slice(1);
  const width = first.length;
  if (names !== null && !names.includes("loss"))
    throw new DataError(
      source,
      `has the columns ${names.join(", ").slice(0, 80)}, expected one named loss, as keras.callbacks.CSVLogger writes`,
    );
  if (lines.length === 0)
    throw new DataError(source, "holds no epoch, expected a line of numbers for each, as keras.callbacks.CSVLogger writes");
  if (names === null && width !== 2)
    throw new DataError(
      source,
      `has ${width} column${width === 1 ? "" : "s"} and no header, expected two, loss and val_loss, or a header that names them`,
    );
  const cells = lines.map(({ record, info }) => {
    const where = `${source}: line ${info.lines}`;
    if (record.length !== width) throw new DataError(where, `has ${record.length} columns, expected ${width} as in the first line`);
    return record.map((cell, column) => {
      if (NUMBER.test(cell)) return Number(cell);
      if (NOT_FINITE.test(cell)) return Number.NaN;
      const name = names?.[column] ?? `column ${column + 1}`;
      throw new DataError(where, `${name} is ${JSON.stringify(cell.slice(0, 40))}, expected a number`);
    });
  });
  const column = (index: number): number[] => cells.map((row) => row[index]);
  if (names === null) {
    const counts = cells.length > 1 && cells.every(([epoch], i) => epoch === cells[0][0] + i) && (cells[0][0] === 0 || cells[0][0] === 1);
    return counts ? { loss: column(1) } : { loss: column(0), valLoss: column(1) };
  }
  const find = (role: keyof typeof NAMES): number[] | undefined => {
    const index = names.findIndex((name) => (NAMES[role] as readonly string[]).includes(name));
    const values = index < 0 ? undefined : column(index);
    return values?.some(Number.isFinite) ? values : undefined;
  };
  return { loss: column(names.indexOf("loss")), valLoss: find("valLoss"), accuracy: find("accuracy"), valAccuracy: find("valAccuracy") };
}
