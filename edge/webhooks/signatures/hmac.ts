// HMAC over what a template says is signed: the body alone, or with time, id and URL around it. Signature, time and id stand in headers,
// several in one also (`t=…,v1=…`); the time may stand in the body. Presets (presets.ts) are tables of this scheme.
import { describe, type Path } from "../../../shared/errors.ts";
import { ConfigurationError, HEADER_NAME, parseChoice, parseString } from "../../config/configuration.ts";
import { followPointer, parsePointerAt } from "../../config/json-pointer.ts";
import { type Bytes, concat, decode, ENCODINGS, type Encoding, encodeText } from "../../http/encoding.ts";
import { HASHES, type HashName, isHmac } from "./keys.ts";
import {
  anyOf,
  type Incoming,
  jsonIn,
  MAX_SIGNATURES,
  parsePublicUrl,
  parseTolerance,
  refuseTimestamp,
  rejected,
  type SchemeDefinition,
  textSecrets,
} from "./scheme.ts";

/** A header, or the parts of one that have this name. */
interface HeaderPlace {
  readonly header: string;
  readonly part?: string;
}

type Field = "body" | "id" | "timestamp" | "url";

export interface HmacScheme {
  readonly kind: "hmac";
  readonly secrets: readonly Bytes[];
  readonly signature: HeaderPlace;
  readonly encoding: Encoding;
  readonly prefix: string;
  readonly algorithm: HashName;
  /** Texts and fields in turn, a text first. */
  readonly signed: readonly string[];
  /** When the request was sent: in a header, or at a place in the body. Absent: that is not signed. */
  readonly sentAt?: HeaderPlace | readonly string[];
  readonly id?: HeaderPlace;
  readonly toleranceS: number;
  readonly url: string;
}

const PLACE = "a header, or a header and the name of a part such as x-signature/v1";

export const hmac: SchemeDefinition<HmacScheme> = {
  keys: ["header", "encoding", "prefix", "signed", "algorithm", "sentAt", "idHeader", "tolerance", "url"],
  signsTime: ({ sentAt }) => sentAt !== undefined,
  parse(given) {
    const { table, path } = given;
    const signed = parseTemplate(table.signed ?? "{body}", [...path, "signed"]);
    const uses = (field: Field): boolean => signed.some((piece, i) => i % 2 === 1 && piece === field);
    const scheme = {
      kind: "hmac",
      secrets: textSecrets(given),
      signature: parseHeaderPlace(table.header, [...path, "header"]),
      encoding: parseChoice(table.encoding, [...path, "encoding"], ENCODINGS),
      prefix: table.prefix === undefined ? "" : parseString(table.prefix, [...path, "prefix"]),
      algorithm: table.algorithm === undefined ? "sha256" : parseChoice(table.algorithm, [...path, "algorithm"], HASHES),
      signed,
      ...(table.sentAt !== undefined && { sentAt: parseSentAt(table.sentAt, [...path, "sentAt"]) }),
      ...(table.idHeader !== undefined && { id: parseHeaderPlace(table.idHeader, [...path, "idHeader"]) }),
      toleranceS: parseTolerance(table.tolerance, [...path, "tolerance"]),
      url: uses("url") ? parsePublicUrl(table.url, [...path, "url"]) : "",
    } as const;
    const needs = (key: string, isThere: boolean, field: Field): void => {
      if (isThere === uses(field)) return;
      const rule = isThere ? `have {${field}} where the template names what is signed, or no ${key}` : `have ${key}, for {${field}}`;
      throw new ConfigurationError(path, `must ${rule}`, isThere ? "neither" : "none");
    };
    needs("sentAt", "sentAt" in scheme && !Array.isArray(scheme.sentAt), "timestamp");
    needs("idHeader", "id" in scheme, "id");
    needs("url", table.url !== undefined, "url");
    return scheme;
  },
  begin(scheme, { headers }, nowSeconds) {
    const { signature: place, prefix, encoding, sentAt, toleranceS } = scheme;
    const texts = valuesAt(headers, place);
    // neither name nor prefix is shown: a secret may stand where they belong
    if (texts.length === 0) return rejected("the header that carries the signature is missing");
    const signatures = texts.slice(0, MAX_SIGNATURES).flatMap((text) => {
      return (text.startsWith(prefix) && decode(text.slice(prefix.length), encoding)) || [];
    });
    if (signatures.length === 0) return rejected(`the header that carries the signature is not the prefix and ${encoding}`);
    const fields = readFields(scheme, headers);
    if ("refusal" in fields) return rejected(fields.refusal);
    if (fields.timestamp !== undefined) {
      const stale = refuseTimestamp("the time of sending", fields.timestamp, nowSeconds, toleranceS);
      if (stale !== undefined) return rejected(stale);
    }
    return async (bytes) => {
      const content = concat(...scheme.signed.map((piece, i) => contentOf(piece, i % 2 === 1, fields, bytes)));
      const isGenuine = await anyOf(signatures, (signature) =>
        anyOf(scheme.secrets, (secret) => isHmac(secret, content, signature, scheme.algorithm)),
      );
      if (!isGenuine) return rejected("the signature does not fit secret and body");
      if (Array.isArray(sentAt)) {
        const stale = refuseTimestamp("the time of sending", followPointer(jsonIn(bytes), sentAt).value, nowSeconds, toleranceS);
        if (stale !== undefined) return rejected(stale);
      }
      return { ok: true, ...(fields.id !== undefined && { id: fields.id }) };
    };
  },
};

/** What the headers say beside the signature; or why it cannot be used. */
type Fields = { readonly timestamp?: string; readonly id?: string; readonly url: string };

function readFields({ sentAt, id: idPlace, signed, url }: HmacScheme, headers: Incoming["headers"]): Fields | { refusal: string } {
  const first = (place: HeaderPlace | readonly string[] | undefined): string | undefined =>
    place === undefined || !("header" in place) ? undefined : valuesAt(headers, place)[0];
  const [timestamp, id] = [first(sentAt), first(idPlace)];
  if (sentAt !== undefined && "header" in sentAt && timestamp === undefined)
    return { refusal: "the header with the time of sending is missing" };
  if (idPlace !== undefined) {
    // with what follows it in the template also in it, one signature would fit several splits into id and the rest
    const next = signed[signed.lastIndexOf("id") + 1] ?? "";
    if (id === undefined || !/^[!-~]{1,256}$/.test(id) || (next !== "" && id.includes(next[0])))
      return { refusal: `the id's header must hold 1 to 256 visible characters without ${JSON.stringify(next[0] ?? "")}` };
  }
  return { url, ...(timestamp !== undefined && { timestamp }), ...(id !== undefined && { id }) };
}

function contentOf(piece: string, isField: boolean, fields: Fields, bytes: Bytes): Bytes {
  return isField && piece === "body" ? bytes : encodeText(isField ? (fields[piece as Exclude<Field, "body">] ?? "") : piece);
}

/** The texts at `place`: a header, or each part of it that has the name. */
function valuesAt(headers: Headers, { header, part }: HeaderPlace): string[] {
  const text = headers.get(header);
  if (text === null || text === "") return [];
  if (part === undefined) return [text];
  return text.split(/[,;]/).flatMap((piece) => {
    const [name, ...value] = piece.trim().split("=");
    return name === part && value.length > 0 ? [value.join("=")] : [];
  });
}

/** `v0:{timestamp}:{body}` → texts and fields in turn. Throws ConfigurationError where one signature could fit several readings. */
function parseTemplate(value: unknown, path: Path): readonly string[] {
  const text = parseString(value, path, "what is signed, such as v0:{timestamp}:{body}");
  const pieces = text.split(/\{(body|id|timestamp|url)\}/);
  const reject = (rule: string): never => {
    throw new ConfigurationError(path, `must ${rule}`, describe(text));
  };
  if (pieces.filter((_, i) => i % 2 === 1).filter((field) => field === "body").length !== 1) reject("have {body} once");
  if (pieces.some((piece, i) => i % 2 === 0 && /[{}]/.test(piece))) reject("have no braces but {body}, {id}, {timestamp} and {url}");
  for (let i = 1; i < pieces.length; i += 2) {
    const [field, next, behind] = [pieces[i], pieces[i + 1], pieces[i + 2]];
    const isLast = next === "" && behind === undefined;
    if (field === "id" && next === "" && !isLast) reject("have a text behind {id}");
    if (field === "timestamp" && !isLast && (next === "" ? behind !== "body" : /^\d/.test(next)))
      reject("have a text that does not begin with a digit, or {body}, behind {timestamp}");
  }
  return pieces;
}

function parseHeaderPlace(value: unknown, path: Path): HeaderPlace {
  const text = parseString(value, path, PLACE);
  const [header, part, ...more] = text.split("/");
  if (!HEADER_NAME.test(header) || part === "" || more.length > 0) throw new ConfigurationError(path, `must be ${PLACE}`, describe(text));
  return part === undefined ? { header } : { header, part };
}

function parseSentAt(value: unknown, path: Path): HeaderPlace | readonly string[] {
  return typeof value === "string" && value.startsWith("/") ? parsePointerAt(value, path) : parseHeaderPlace(value, path);
}
