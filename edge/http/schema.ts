// What comes from outside, held against a schema: what is wrong first becomes one sentence, at its place in the body or by its name in
// the query. A schema's messages say what is expected, `must be …`; what came is added here.
import * as v from "valibot";
import { describe, type Path, SequenceError } from "../../shared/errors.ts";
import { RequestError } from "./problem.ts";

/** A schema whose values are read as `T`. */
export type Schema<T = unknown> = v.GenericSchema<unknown, T>;

type Issue = v.BaseIssue<unknown>;

/** A schema of a query: its parameters by name. */
export type Query<Entries extends v.ObjectEntries = v.ObjectEntries> = v.StrictObjectSchema<Entries, v.ErrorMessage<v.StrictObjectIssue>>;

/** What `make` returns, made when it is first asked for: to make schemas at start-up would double what starting costs (measured). */
export function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** An object with just these keys. Its messages name them. */
export function exactObject<Entries extends v.ObjectEntries>(entries: Entries) {
  const keys = Object.keys(entries).join(", ");
  return v.strictObject(entries, (issue) => {
    const [at] = issue.path ?? [];
    if (at === undefined || Array.isArray(at.input)) return `must be an object with ${keys}`;
    return isUnknownKey(issue) ? `must have no keys but ${keys}` : ruleOf(entries[at.key as string]);
  });
}

/** What a schema says must be, in its message. */
function ruleOf(schema: object): string {
  return String((schema as { readonly message?: unknown }).message);
}

function isUnknownKey({ type, expected }: Issue): boolean {
  return type === "strict_object" && expected === "never";
}

/** The array that came where an object must be, whose indices pass for keys. */
function arrayOf({ type, path }: Issue): unknown {
  const input = path?.at(-1)?.input;
  return type === "strict_object" && Array.isArray(input) ? input : undefined;
}

/** `value`, which stands at `path` of the body, as `schema` reads it. Throws SequenceError. */
export function parseAt<T>(schema: Schema<T>, value: unknown, path: Path): T {
  const { success, output, issues } = v.safeParse(schema, value);
  if (success) return output;
  const issue = firstOf(issues);
  throw new SequenceError([...path, ...placeOf(issue)], issue.message, gotOf(issue));
}

/** The query of `url` as `schema` reads it, its parameters each once. Throws RequestError `parameter`. */
export function parseQuery<Entries extends v.ObjectEntries>(url: string, schema: Query<Entries>): v.InferOutput<Query<Entries>> {
  const names = Object.keys(schema.entries);
  const given = new Map<string, string>();
  for (const [name, value] of new URL(url).searchParams) {
    if (!names.includes(name))
      throw new RequestError("parameter", `the query must have no parameters but ${names.join(", ")}, got ${describe(name)}`);
    if (given.has(name)) throw new RequestError("parameter", `${name} must be given once`);
    given.set(name, value);
  }
  const { success, output, issues } = v.safeParse(schema, Object.fromEntries(given));
  if (success) return output;
  const [issue] = issues;
  const { message } = issue;
  const name = String(placeOf(issue)[0]);
  throw new RequestError("parameter", `${name} ${message}, got ${describe(given.get(name))}`);
}

/** The first issue; but what concerns an object's keys or an array's length comes before what is in it. */
function firstOf([first, ...others]: readonly Issue[]): Issue {
  const place = placeOf(first);
  return others.find((issue) => isUnknownKey(issue) && placeOf(issue).every((part, i) => part === place[i])) ?? first;
}

/** Where an issue is, from the value on: a key that may not be concerns the object that has it. */
function placeOf(issue: Issue): Path {
  const keys = (issue.path ?? []).map(({ key }) => key as string | number);
  return isUnknownKey(issue) || arrayOf(issue) ? keys.slice(0, -1) : keys;
}

/** What came, as a message shows it. */
function gotOf(issue: Issue): string {
  if (issue.type === "length") return `${(issue.input as ArrayLike<unknown>).length}`;
  const input = arrayOf(issue) ?? issue.input;
  return describe(input);
}
