// What comes from outside, held against a schema: what is wrong first becomes one sentence, at its place in the body or by its name in
// the query. A schema's messages say what is expected, `must be …`; what came is added here.
import * as z from "zod/mini";
import { describe, type Path, SequenceError } from "../../shared/errors.ts";
import { RequestError } from "./problem.ts";

z.config({ jitless: true }); // workerd compiles no code from text; asking it to would only be refused

/** A schema whose values are read as `T`. */
export type Schema<T> = z.ZodMiniType<T>;

type Issue = z.core.$ZodIssue;

/** What `make` returns, made when it is first asked for: to make schemas at start-up would double what starting costs (measured). */
export function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** An object with just these keys. Its messages name them. */
export function exactObject<Shape extends z.core.$ZodShape>(shape: Shape) {
  const keys = Object.keys(shape).join(", ");
  return z.strictObject(shape, {
    error: ({ code }) => (code === "unrecognized_keys" ? `must have no keys but ${keys}` : `must be an object with ${keys}`),
  });
}

/** `value`, which stands at `path` of the body, as `schema` reads it. Throws SequenceError. */
export function parseAt<T>(schema: Schema<T>, value: unknown, path: Path): T {
  const { success, data, error } = z.safeParse(schema, value, { reportInput: true });
  if (success) return data;
  const issue = firstOf(error.issues);
  throw new SequenceError([...path, ...(issue.path as Path)], issue.message, gotOf(issue));
}

/** The query of `url` as `schema` reads it, its parameters each once. Throws RequestError `parameter`. */
export function parseQuery<Shape extends z.core.$ZodShape>(
  url: string,
  schema: z.ZodMiniObject<Shape, z.core.$strict>,
): z.output<z.ZodMiniObject<Shape, z.core.$strict>> {
  const names = Object.keys(schema.shape);
  const given = new Map<string, string>();
  for (const [name, value] of new URL(url).searchParams) {
    if (!names.includes(name))
      throw new RequestError("parameter", `the query must have no parameters but ${names.join(", ")}, got ${describe(name)}`);
    if (given.has(name)) throw new RequestError("parameter", `${name} must be given once`);
    given.set(name, value);
  }
  const { success, data, error } = z.safeParse(schema, Object.fromEntries(given));
  if (success) return data;
  const [{ path, message }] = error.issues;
  const name = String(path[0]);
  throw new RequestError("parameter", `${name} ${message}, got ${describe(given.get(name))}`);
}

/** The first issue; but what concerns an object's keys or an array's length comes before what is in it. */
function firstOf([first, ...others]: readonly Issue[]): Issue {
  const isAround = ({ code, path }: Issue): boolean =>
    (code === "unrecognized_keys" || code === "too_small" || code === "too_big") && path.every((part, i) => part === first.path[i]);
  return others.find(isAround) ?? first;
}

/** What came, as a message shows it. */
function gotOf(issue: Issue): string {
  if (issue.code === "unrecognized_keys") return describe(issue.keys[0]);
  if ((issue.code === "too_small" || issue.code === "too_big") && issue.exact) return `${(issue.input as ArrayLike<unknown>).length}`;
  return issue.input === undefined ? "nothing" : describe(issue.input);
}
