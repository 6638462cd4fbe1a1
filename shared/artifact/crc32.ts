// CRC-32 as zip, PNG and zlib compute it: polynomial 0xEDB88320, reflected. Four bytes a turn (Kounavis & Berry 2005): a cold
// start reads every artifact once, before anything is compiled.

/** Made when they are first asked for: a Worker's kernel has its own. */
let tables: readonly Int32Array[] | undefined;

/** The CRC of `bytes`, continuing from the `crc` of what came before; unsigned. */
export function crc32(bytes: Uint8Array, crc = 0): number {
  const [t0, t1, t2, t3] = (tables ??= makeTables());
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const whole = bytes.length - (bytes.length % 4);
  let c = ~crc;
  for (let i = 0; i < whole; i += 4) {
    c ^= view.getInt32(i, true);
    c = t3[c & 0xff] ^ t2[(c >>> 8) & 0xff] ^ t1[(c >>> 16) & 0xff] ^ t0[c >>> 24];
  }
  for (let i = whole; i < bytes.length; i++) c = (c >>> 8) ^ t0[(c ^ bytes[i]) & 0xff];
  return ~c >>> 0;
}

/** Table k: what a byte adds to the CRC when k more bytes follow it. */
function makeTables(): Int32Array[] {
  const made = Array.from({ length: 4 }, () => new Int32Array(256));
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    made[0][byte] = crc;
  }
  for (let k = 1; k < 4; k++)
    for (let byte = 0; byte < 256; byte++) made[k][byte] = (made[k - 1][byte] >>> 8) ^ made[0][made[k - 1][byte] & 0xff];
  return made;
}
