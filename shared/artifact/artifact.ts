// Model ⇄ artifact: a safetensors file whose metadata and tensors are exactly a model's. Whatever is off is one sentence.
// Knows no file system and computes no hash: an artifact's identity is the SHA-256 of its bytes, taken by whoever holds them.
import { ArtifactError } from "../errors.ts";
import type { Model } from "../model.ts";
import { asObject, fail, parseJson, show } from "./checks.ts";
import { readFormat1 } from "./format-1.ts";
import { crc32With, type DecodingKernel } from "./kernel-decoder.ts";
import { parseMembers, parseStack } from "./member-texts.ts";
import { encodeMetadata, FORMAT, type ModelTexts, parseFormat, parseMetadata } from "./metadata.ts";
import { decodeFrame, encodeFrame, type Frame } from "./safetensors.ts";
import { type ModelTensors, packModel, unpackModel } from "./tensors.ts";
import { countColumns, parseView } from "./view-text.ts";

/** Bytes at a multiple of which the data begins, so that views can be taken without copying. */
const ALIGNMENT = 16;
const MAX_HEADER_BYTES = 1 << 20;

/** The bytes of a model: the same model gives the same bytes. */
export function encodeArtifact(model: Model): Uint8Array<ArrayBuffer> {
  const metadata = encodeMetadata(model);
  const tensors = packModel(model);
  return encodeFrame({ ...metadata, checksum: checksumOf(metadata, tensors.data) }, tensors, ALIGNMENT);
}

/**
 * Decodes and checks everything but the golden vectors' scores (checkGolden does); sooner with a `kernel`, whose memory is used for it.
 * Throws ArtifactError.
 */
export function decodeArtifact(bytes: Uint8Array, kernel?: DecodingKernel): Model {
  const { metadata: fields, entries, dataStart, data } = decodeFrame(bytes, MAX_HEADER_BYTES, failAsFile);
  if (dataStart % ALIGNMENT !== 0) fail(`the data starts at byte ${dataStart}, expected a multiple of ${ALIGNMENT}`);
  const metadata = asObject(fields, "__metadata__");
  const texts = parseMetadata(metadata);
  const { format, plan, ...model } = texts;
  const { recipe, ...tensors } =
    format === FORMAT ? readMembers(metadata, { entries, data }, texts, kernel) : readFormat1(metadata, { entries, data }, texts);
  checkChecksum(metadata, data, kernel); // last, since whatever else is wrong says more
  return { ...model, recipe: { ...plan, ...recipe }, ...tensors };
}

/** The format that `bytes` say, `quickstep/2` say. Throws ArtifactError where this code does not read it. */
export function readFormat(bytes: Uint8Array): string {
  return parseFormat(asObject(decodeFrame(bytes, MAX_HEADER_BYTES, failAsFile).metadata, "__metadata__").format);
}

/** View, members, stack, and what every model has in tensors. */
function readMembers(
  metadata: Readonly<Record<string, unknown>>,
  frame: Pick<Frame, "entries" | "data">,
  { plan }: ModelTexts,
  kernel: DecodingKernel | undefined,
): ModelTensors & Pick<Model, "stack"> {
  const { timesteps, features, padding } = plan;
  const view = metadata.view === undefined ? undefined : parseView(parseJson(metadata.view, "view"), timesteps, features.length);
  const shape = { channels: plan.channels.length, timesteps, padding };
  const members = parseMembers(parseJson(metadata.members, "members"), view && countColumns(view), shape);
  const stack = parseStack(metadata.stack === undefined ? undefined : parseJson(metadata.stack, "stack"), members);
  return { ...unpackModel(frame, plan, view, members, kernel), ...(stack && { stack }) };
}

/**
 * CRC-32 of all metadata but itself, and of the data: 8 hexadecimal digits. Golden vectors alone miss a flipped low bit of a
 * weight as often as one time in six (measured); this misses none.
 */
function checksumOf(metadata: Readonly<Record<string, unknown>>, data: Uint8Array, kernel?: DecodingKernel): string {
  const texts = Object.entries(metadata).filter(([key]) => key !== "checksum");
  const crc = crc32With(kernel, data, crc32With(kernel, new TextEncoder().encode(JSON.stringify(texts)), 0));
  return crc.toString(16).padStart(8, "0");
}

function checkChecksum(metadata: Readonly<Record<string, unknown>>, data: Uint8Array, kernel: DecodingKernel | undefined): void {
  const checksum = checksumOf(metadata, data, kernel);
  if (metadata.checksum !== checksum)
    fail(`checksum is ${checksum}, expected ${show(metadata.checksum)}: the file is damaged; copy it again or retrain`);
}

/** Of the file around the artifact. Throws ArtifactError. */
function failAsFile(message: string): never {
  throw new ArtifactError(`artifact: ${message}`);
}
