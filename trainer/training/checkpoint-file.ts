// A checkpoint's bytes: four letters that say whose it is, u32 CRC-32 of what follows, u32 length of a header, the header, a body
// (little-endian). Knows no run's inside; what a run is called, and why another one is refused, is said here.
import { crc32 } from "../../shared/artifact/crc32.ts";
import { DataError } from "../../shared/errors.ts";

/** Whose state it is: one network's between two steps, or a stack's between two stages. */
export type CheckpointKind = "network" | "stack";

const MAGIC: Readonly<Record<CheckpointKind, number>> = { network: 0x50435351, stack: 0x53435351 }; // "QSCP", "QSCS"
const WHOSE: Readonly<Record<CheckpointKind, string>> = { network: "one network alone", stack: "a stack" };
const START = 12;

/** The bytes of a checkpoint. */
export function encodeCheckpointFile(kind: CheckpointKind, header: string, body: readonly ArrayBufferView[]): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(START + text.length + body.reduce((sum, part) => sum + part.byteLength, 0));
  bytes.set(text, START);
  let at = START + text.length;
  for (const { buffer, byteOffset, byteLength } of body) {
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += byteLength;
  }
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC[kind], true);
  view.setUint32(8, text.length, true);
  view.setUint32(4, crc32(bytes.subarray(8)), true);
  return bytes;
}

/** Header and body of a checkpoint of that kind. Throws DataError, which names `source`, when the bytes are damaged, or another's. */
export function decodeCheckpointFile(
  bytes: Uint8Array,
  kind: CheckpointKind,
  source: string,
): { readonly header: string; readonly body: Uint8Array } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found =
    bytes.length < START ? undefined : (Object.keys(MAGIC) as CheckpointKind[]).find((own) => MAGIC[own] === view.getUint32(0, true));
  if (found === undefined || view.getUint32(4, true) !== crc32(bytes.subarray(8)))
    throw new DataError(source, "is not a checkpoint, or is damaged: train without --resume");
  if (found !== kind)
    throw new DataError(
      source,
      `belongs to another run, of ${WHOSE[found]}, and this one is of ${WHOSE[kind]}: give the options it had, or train without --resume`,
    );
  const start = START + view.getUint32(8, true);
  return { header: new TextDecoder().decode(bytes.subarray(START, start)), body: bytes.subarray(start) };
}

/** Throws DataError, which names what differs, unless `found` is `run`: objects as JSON, of all that decides a run's bytes. */
export function checkSameRun(found: string, run: string, source: string): void {
  if (found === run) return;
  const [theirs, ours] = [readRun(found), readRun(run)];
  const names = [...new Set([...Object.keys(ours), ...Object.keys(theirs)])];
  const other = names.find((name) => JSON.stringify(theirs[name]) !== JSON.stringify(ours[name]));
  const difference = other === undefined ? "" : ` (${other}: ${say(theirs[other])}, here ${say(ours[other])})`;
  throw new DataError(source, `belongs to another run${difference}: give the data and options it had, or train without --resume`);
}

function readRun(text: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(text)) as Readonly<Record<string, unknown>>;
  } catch {
    return {}; // of a version that named runs otherwise
  }
}

const MAX_SAID = 40;

function say(value: unknown): string {
  if (value === undefined || value === null) return "none";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > MAX_SAID ? `${text.slice(0, 12)}…` : text;
}
