// Hono's routes, compared with a path segment by segment. Paths are words and `:name`, for any one segment, or `/*` for all paths. Hono's
// RegExpRouter makes expressions of the routes of every method before it answers: an eighth of a fresh process's own work (measured).
import { METHOD_NAME_ALL, type Params, type Result, type Router, UnsupportedPathError } from "hono/router";

interface Route<T> {
  readonly method: string;
  /** Empty: all paths. */
  readonly segments: readonly string[];
  readonly handler: T;
}

const NO_PARAMS: Params = {};

/** Answers with all routes of a method and path, in the order in which they were added. */
export class SegmentRouter<T> implements Router<T> {
  readonly name = "SegmentRouter";
  /** Routes of all paths. */
  readonly #everywhere: Route<T>[] = [];
  /** By the number of segments, all routes that such a path may have. */
  readonly #bySegments: Route<T>[][] = [];

  /** Throws UnsupportedPathError where a segment is a pattern or may be left out. */
  add(method: string, path: string, handler: T): void {
    if (path === "/*") {
      const route = { method, segments: [], handler };
      for (const routes of [this.#everywhere, ...this.#bySegments]) routes?.push(route);
      return;
    }
    if (/[*?{]/.test(path)) throw new UnsupportedPathError(path);
    const segments = path.split("/");
    (this.#bySegments[segments.length] ??= [...this.#everywhere]).push({ method, segments, handler });
  }

  match(method: string, path: string): Result<T> {
    const given = path.split("/");
    const matched: [T, Params][] = [];
    for (const route of this.#bySegments[given.length] ?? this.#everywhere)
      if ((route.method === method || route.method === METHOD_NAME_ALL) && isPath(route.segments, given))
        matched.push([route.handler, paramsOf(route.segments, given)]);
    return [matched];
  }
}

function isPath(segments: readonly string[], given: readonly string[]): boolean {
  for (let i = 0; i < segments.length; i++) if (segments[i].startsWith(":") ? given[i] === "" : segments[i] !== given[i]) return false;
  return true;
}

/** What `given` has in place of each `:name`. */
function paramsOf(segments: readonly string[], given: readonly string[]): Params {
  let params = NO_PARAMS;
  for (let i = 0; i < segments.length; i++) if (segments[i].startsWith(":")) params = { ...params, [segments[i].slice(1)]: given[i] };
  return params;
}
