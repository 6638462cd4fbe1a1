// Probabilities as files: CSV, JSON lines, Parquet or NumPy's array, by the ending, piece by piece. Beside each probability stands
// what names its sequence, where the input names it, and, but in NumPy's array, whether the sequence lies outside training. Knows no model.
import type { SchemaElement } from "hyparquet";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import { UsageError } from "../../shared/errors.ts";
import { encodeNpy } from "../../shared/npy.ts";
import { createWhole, type WholeFile } from "../files/whole-files.ts";
import type { Column } from "../readers/batch.ts";
import type { Scored } from "./score-threads.ts";

type Piece = Pick<Scored, "probabilities" | "columns" | "outOfRange">;

/** Name of what says whether a sequence lies outside what training saw; in JSON, as the service answers, where it does. */
const OUT_OF_RANGE = "outOfRange";

/** Pieces → bytes. */
interface Encoder {
  encode(piece: Piece): Uint8Array;
  /** What follows the last piece; it may want bytes replaced at the start. */
  end(): { readonly rest: Uint8Array; readonly start?: Uint8Array };
}

/** A file of scores in the making. */
export interface ScoreOutput {
  /** Adds the next piece. Throws DataError. */
  write(piece: Piece): void;
  /** The file is there from here on. Throws DataError. */
  finish(): void;
  /** Leaves nothing, unless finished. */
  discard(): void;
}

export const SCORE_ENDINGS = [".csv", ".jsonl", ".parquet", ".npy"] as const;
/** Rows of a Parquet row group: readers want more than a piece. */
const GROUP_ROWS = 2 ** 16;
const NOTHING = new Uint8Array(0);

/** Opens `path`. Throws UsageError for an ending that nobody writes, DataError where it cannot be written. */
export function createScoreOutput(path: string): ScoreOutput {
  const create = ENCODERS[endingOf(path)];
  const file = createWhole(path);
  const encoder = create(file);
  return {
    write: (piece) => file.write(encoder.encode(piece)),
    finish() {
      const { rest, start } = encoder.end();
      file.write(rest);
      if (start) file.rewrite(start, 0);
      file.finish();
    },
    discard: file.discard,
  };
}

/** Throws UsageError for an ending that nobody writes. */
export function endingOf(path: string): (typeof SCORE_ENDINGS)[number] {
  const ending = SCORE_ENDINGS.find((ending) => path.endsWith(ending));
  if (ending === undefined)
    throw new UsageError(
      `--out must end in ${SCORE_ENDINGS.join(", ").replace(/, (?=[^,]*$)/, " or ")}, got ${path}${path.endsWith(".json") ? ": .jsonl has a JSON object a line, and --json without --out prints one document" : ""}`,
    );
  return ending;
}

/** The lines of a piece, under a header where it is the first. */
export function formatCsv({ probabilities, columns, outOfRange }: Piece, isFirst: boolean): string {
  const names = Object.keys(columns);
  const header = isFirst ? `${[...names.map(quote), "probability", OUT_OF_RANGE].join(",")}\n` : "";
  const cells = Object.values(columns);
  let lines = header;
  for (let n = 0; n < probabilities.length; n++) {
    for (const column of cells) lines += `${quote(String(column[n]))},`;
    lines += `${probabilities[n]},${outOfRange[n]}\n`;
  }
  return lines;
}

/** A cell as RFC 4180 wants it. */
function quote(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

const ENCODERS: Readonly<Record<(typeof SCORE_ENDINGS)[number], (file: WholeFile) => Encoder>> = {
  ".csv": () => {
    const encoder = new TextEncoder();
    let isFirst = true;
    return {
      encode(piece) {
        const lines = formatCsv(piece, isFirst);
        isFirst = false;
        return encoder.encode(lines);
      },
      end: () => ({ rest: NOTHING }),
    };
  },
  ".jsonl": () => {
    const encoder = new TextEncoder();
    return {
      encode({ probabilities, columns, outOfRange }) {
        const cells = Object.entries(columns);
        let lines = "";
        probabilities.forEach((probability, n) => {
          const outside = outOfRange[n] === 1 ? { [OUT_OF_RANGE]: true } : {};
          lines += `${JSON.stringify({ ...Object.fromEntries(cells.map(([name, column]) => [name, column[n]])), probability, ...outside })}\n`;
        });
        return encoder.encode(lines);
      },
      end: () => ({ rest: NOTHING }),
    };
  },
  ".parquet": () => {
    const bytes = new ByteWriter();
    let writer: ParquetWriter | null = null;
    const drain = (): Uint8Array => {
      const written = bytes.getBytes().slice();
      bytes.index = 0;
      return written;
    };
    const waiting: Piece[] = [];
    let rows = 0;
    const writeGroup = (): void => {
      if (rows === 0) return;
      const columns = Object.keys(waiting[0].columns);
      writer ??= new ParquetWriter({ writer: bytes, schema: describeColumns(waiting[0].columns), createdBy: "quickstep" });
      const data = columns.map((name) => waiting.flatMap((piece) => Array.from<string | number>(piece.columns[name])));
      const probabilities = waiting.flatMap((piece) => Array.from(piece.probabilities));
      const outside = waiting.flatMap((piece) => Array.from(piece.outOfRange, (flag) => flag === 1));
      const named = columns.map((name, i) => ({ name, data: data[i] }));
      const columnData = [...named, { name: "probability", data: probabilities }, { name: OUT_OF_RANGE, data: outside }];
      writer.write({ columnData, rowGroupSize: rows });
      waiting.length = 0;
      rows = 0;
    };
    return {
      encode(piece) {
        waiting.push(piece);
        rows += piece.probabilities.length;
        if (rows >= GROUP_ROWS) writeGroup();
        return drain();
      },
      end() {
        writeGroup();
        writer?.finish();
        return { rest: drain() };
      },
    };
  },
  ".npy": (file) => {
    const waiting: Uint8Array[] = []; // a pipe gets its header, which says how many there are, first
    let N = 0;
    const header = (): Uint8Array => encodeNpy(new Float64Array(0), [N]); // of one size for any N, as NumPy leaves room for it
    return {
      encode({ probabilities }) {
        const isFirst = N === 0;
        N += probabilities.length;
        const bytes = new Uint8Array(Float64Array.from(probabilities).buffer);
        if (file.canRewrite) return isFirst ? Buffer.concat([header(), bytes]) : bytes;
        waiting.push(bytes);
        return NOTHING;
      },
      end: () => (file.canRewrite ? { rest: NOTHING, start: header() } : { rest: Buffer.concat([header(), ...waiting]) }),
    };
  },
};

function describeColumns(columns: Readonly<Record<string, Column>>): SchemaElement[] {
  const leaf = (name: string, isText: boolean): SchemaElement => ({
    name,
    repetition_type: "REQUIRED",
    ...(isText ? { type: "BYTE_ARRAY", converted_type: "UTF8" } : { type: "DOUBLE" }),
  });
  const outside: SchemaElement = { name: OUT_OF_RANGE, repetition_type: "REQUIRED", type: "BOOLEAN" };
  const leaves = Object.entries(columns).map(([name, column]) => leaf(name, !(column instanceof Float64Array)));
  return [{ name: "root", num_children: leaves.length + 2 }, ...leaves, leaf("probability", false), outside];
}
