// Bytes as text and back, strictly: one spelling a value, so that whatever was changed on the way is seen. (Uint8Array.fromBase64 is
// not in Node 24, and atob lets stray bits and white space pass.)

export type Bytes = Uint8Array<ArrayBuffer>;

export const ENCODINGS = ["hex", "base64", "base64url"] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** One for all: an encoder takes longer to make than to use. */
const encoder = new TextEncoder();

/** UTF-8. */
export function encodeText(text: string): Bytes {
  return encoder.encode(text);
}

/** All parts, one behind the other. */
export function concat(...parts: readonly Bytes[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** Two small hexadecimal digits a byte. */
export function encodeHex(bytes: Bytes): string {
  let text = "";
  for (const byte of bytes) text += (byte >> 4).toString(16) + (byte & 15).toString(16);
  return text;
}

/** With padding. */
export function encodeBase64(bytes: Bytes): string {
  return btoa(String.fromCharCode(...bytes));
}

/** Undefined where `text` is not what `encoding` writes. Hex may be in capitals, base64url without its padding. */
export function decode(text: string, encoding: Encoding): Bytes | undefined {
  if (encoding === "hex") return decodeHex(text);
  return decodeBase64(encoding === "base64" ? text : fromUrl(text));
}

function decodeHex(text: string): Bytes | undefined {
  if (!/^([0-9a-fA-F]{2})*$/.test(text)) return undefined;
  return Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

/** Undefined where `text` is not what encodeBase64 writes. */
export function decodeBase64(text: string): Bytes | undefined {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) return undefined;
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return encodeBase64(bytes) === text ? bytes : undefined; // bits that no byte holds must be 0
}

function fromUrl(text: string): string {
  const standard = text.replaceAll("-", "+").replaceAll("_", "/");
  return text.includes("+") || text.includes("/")
    ? "?"
    : standard.includes("=")
      ? standard
      : standard.padEnd(Math.ceil(standard.length / 4) * 4, "=");
}
