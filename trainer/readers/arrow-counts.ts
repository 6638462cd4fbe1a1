// What apache-arrow lacks over damaged files: it trusts the counts in metadata, and would make as many objects, for minutes or until memory
// ends. Importing this file bounds them, for whoever reads flatbuffers in this program.
import { ByteBuffer } from "flatbuffers";

const vectorLength = ByteBuffer.prototype.__vector_len;

/** A vector's entries have a byte each, at least. Throws RangeError where it claims more than the buffer holds. */
ByteBuffer.prototype.__vector_len = function (offset: number): number {
  const length = vectorLength.call(this, offset);
  if (length < 0 || length > this.capacity()) throw new RangeError(`metadata of ${this.capacity()} bytes that claims ${length} entries`);
  return length;
};
