// The closed family of errors. Every message says where, what was expected, what came, and what to do.
// Whoever maps errors (the CLI's exit codes, the edge's problem+json) switches on `kind` and nothing else.

/** A place inside a JSON document or an array: keys and indices from the outside in. */
export type Path = readonly (string | number)[];

/** `["sequences", 3, 2, 4]` → `sequences[3][2][4]` */
export function formatPath(path: Path): string {
  let text = "";
  for (const part of path) text += typeof part === "number" ? `[${part}]` : text === "" ? part : `.${part}`;
  return text;
}

/** `["sequences", 3]` → `/sequences/3`, an RFC 6901 JSON Pointer. */
export function formatPointer(path: Path): string {
  return path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/** A value as an error message shows it: short, never more than a glance. */
export function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return value.length === 0 ? "an empty array" : `an array of ${value.length}`;
  if (typeof value === "string") return value.length > 40 ? `a string of ${value.length} characters` : JSON.stringify(value);
  if (typeof value === "object" && value !== null) return "an object";
  if (typeof value === "function" || typeof value === "symbol") return `a ${typeof value}`;
  return String(value);
}

abstract class BaseError extends Error {
  abstract readonly kind: "sequence" | "limit" | "data" | "usage" | "artifact" | "fit";
}

/** A raw sequence, or the JSON around it, is not what the model takes. */
export class SequenceError extends BaseError {
  readonly kind = "sequence";
  readonly path: Path;
  readonly expected: string;
  readonly got: string;
  /** The message reads `path expected, got got`: `sequences[3][2][4] must be a finite number, got null`. */
  constructor(path: Path, expected: string, got: string) {
    super(`${formatPath(path) || "the body"} ${expected}, got ${got}`);
    this.name = "SequenceError";
    this.path = path;
    this.expected = expected;
    this.got = got;
  }
}

/** More than is allowed at once: well-formed, but too large. */
export class LimitError extends BaseError {
  readonly kind = "limit";
  readonly path: Path;
  readonly limit: number;
  constructor(path: Path, message: string, limit: number) {
    super(message);
    this.name = "LimitError";
    this.path = path;
    this.limit = limit;
  }
}

/** A file, or what is in it, cannot be used: missing, unwritable, corrupt, wrong shape, one class only, … */
export class DataError extends BaseError {
  readonly kind = "data";
  readonly source: string;
  /** The message reads `source: message`; `source` is the file, with the array or line where that is known. */
  constructor(source: string, message: string) {
    super(`${source}: ${message}`);
    this.name = "DataError";
    this.source = source;
  }
}

/** The command line cannot be understood. */
export class UsageError extends BaseError {
  readonly kind = "usage";
  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}

/** Bytes that are not an artifact this code can load, or a model that does not reproduce its golden vectors. */
export class ArtifactError extends BaseError {
  readonly kind = "artifact";
  constructor(message: string) {
    super(message);
    this.name = "ArtifactError";
  }
}

/** Training went wrong for a reason that lies in the data or the settings, such as a loss that is not finite. */
export class FitError extends BaseError {
  readonly kind = "fit";
  constructor(message: string) {
    super(message);
    this.name = "FitError";
  }
}

export type QuickstepError = SequenceError | LimitError | DataError | UsageError | ArtifactError | FitError;

/** Whether `error` is one of the closed family, whose message is meant for people. */
export function isQuickstepError(error: unknown): error is QuickstepError {
  return error instanceof BaseError;
}
