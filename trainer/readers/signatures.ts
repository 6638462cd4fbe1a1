// What a file begins with → what it is, where that is not what its ending says. Knows no file system.
// Signatures: the formats' own definitions; PKWARE's APPNOTE.TXT 4.3.7, RFC 1952, RFC 8878, docs.hdfgroup.org (superblock), sqlite.org/fileformat.html
import { DataError } from "../../shared/errors.ts";

/** Bytes that say enough: a zip's first file name stands behind 30. */
export const BEGINNING_BYTES = 64;

interface Signature {
  /** Of the beginning, each byte a character, and those that control something as their pictures: ␀ is 0. */
  readonly pattern: RegExp;
  readonly name: string;
  /** How Quickstep reads it, where it does. */
  readonly format?: string;
  /** What to do where it does not. */
  readonly fix?: string;
}

const UNPACK = "unpack it, or pack it with gzip once";
/** May well be of NumPy, whatever its first file is called. */
const A_ZIP = "a zip archive";
const CONVERT = "write it as Parquet or CSV";
const SHEET = "save the sheet as CSV";
const NUMBERS = "give the file that holds the numbers";

/** The first that fits counts. A text may begin with letters of the others: those have bytes that no text has, or more of them. */
const SIGNATURES: readonly Signature[] = [
  { pattern: /^PK␃␄.{26}xl\//s, name: "an Excel workbook", fix: SHEET },
  { pattern: /^PK␃␄.{26}(?:\[Content_Types\]|_rels\/|docProps\/)/s, name: "a document of Office (an Excel workbook, say)", fix: SHEET },
  { pattern: /^PK␃␄.{26}(?:word|ppt)\//s, name: "a document of Office without a sheet", fix: NUMBERS },
  { pattern: /^PK␃␄.{26}mimetype/s, name: "an OpenDocument file", fix: SHEET },
  { pattern: /^PK␃␄.{26}META-INF\//s, name: "a Java archive", fix: NUMBERS },
  { pattern: /^PK␃␄.{26}[^␀]{0,32}\.npy/s, name: "an archive of NumPy", format: "npz" },
  { pattern: /^PK(?:␃␄|␅␆)/, name: A_ZIP, fix: UNPACK },
  { pattern: /^␟\x8b/, name: "gzip in gzip", fix: UNPACK },
  { pattern: /^(?:BZh[1-9]1AY&SY|\xfd7zXZ␀|\x28\xb5\x2f\xfd|7z\xbc\xaf)/, name: "another packing than gzip", fix: UNPACK },
  { pattern: /^PAR1␕/, name: "a Parquet file", format: "parquet" },
  { pattern: /^(?:ARROW1␀|FEA1␀)/, name: "an Arrow file", format: "arrow" },
  { pattern: /^\x93NUMPY/, name: "an array of NumPy", format: "npy" },
  { pattern: /^\x89HDF/, name: "an HDF5 file", fix: CONVERT },
  { pattern: /^\xd0\xcf␑\xe0/, name: "a workbook of Excel before 2007", fix: SHEET },
  { pattern: /^SQLite format 3␀/, name: "an SQLite database", fix: CONVERT },
  { pattern: /^\x80[␂-␅]/, name: "a pickle of Python", fix: "pickles are never opened, so write it as Parquet or CSV" },
  { pattern: /^(?:\x89PNG|\xff\xd8\xff|GIF8[79]a|%PDF-)/, name: "a picture or a PDF", fix: "give the numbers that it shows as CSV" },
  {
    pattern: /^(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html[\s>])/i,
    name: "a page of the web",
    fix: "a download may have answered with an error or a log-in page, so look into it",
  },
  { pattern: /^(?:\xef\xbb\xbf)?\s*<\?xml\s/, name: "an XML document", fix: CONVERT },
];

/** Throws DataError where a file that should hold `format`, one of the formats' names, begins as something else does; what nobody knows passes. */
export function checkBeginning(first: Uint8Array, format: string, source: string): void {
  const beginning = Buffer.from(first.subarray(0, BEGINNING_BYTES))
    .toString("latin1")
    .replace(/[^\t\n\r -\xff]/g, pictureOf);
  const found = SIGNATURES.find(({ pattern }) => pattern.test(beginning));
  if (found === undefined || found.format === format || (format === "npz" && found.name === A_ZIP)) return;
  const fix = found.format ? `name it .${found.format}, or say --format ${found.format}` : found.fix;
  throw new DataError(source, `begins as ${found.name} does, not as .${format}: ${fix}`);
}

/** The picture of a control character (Unicode's block Control Pictures). */
function pictureOf(control: string): string {
  return String.fromCharCode(0x2400 + control.charCodeAt(0));
}
