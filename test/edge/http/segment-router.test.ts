import fc from "fast-check";
import { UnsupportedPathError } from "hono/router";
import { RegExpRouter } from "hono/router/reg-exp-router";
import { expect, test } from "vitest";
import { SegmentRouter } from "../../../edge/http/segment-router.ts";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { openApp } from "../../fixtures/app.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel } from "../../fixtures/model.ts";

/** The app's own, the numbers of their routes in place of handlers. */
const { routes } = openApp(kernel, encodeArtifact(makeModel(kernel)));
const router = new SegmentRouter<number>();
const oracle = new RegExpRouter<number>();
for (const [i, { method, path }] of routes.entries()) {
  router.add(method, path, i);
  oracle.add(method, path, i);
}

/** What Hono makes of a router's answer: routes with their parameters. */
function readMatch(method: string, path: string, of: SegmentRouter<number> | RegExpRouter<number>) {
  const [matched, stash] = of.match(method, path);
  return matched.map(([route, params]) => ({
    route,
    params: Object.fromEntries(Object.entries(params).map(([name, value]) => [name, stash ? stash[value as number] : value])),
  }));
}

const METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];
const segment = fc.oneof(
  fc.constantFrom("", ":name", ":key", "replay", "score", "versions", "infer", "a:predict", "__proto__", "%2f", "*", "é", "a.b", "a b"),
  fc.string({ maxLength: 4 }).map((text) => text.replaceAll("/", "")),
);
/** A path of the app with something for each name, and something more behind it perhaps. */
const asked = fc
  .tuple(
    fc.constantFrom(...routes.map(({ path }) => path)),
    fc.array(segment, { minLength: 4, maxLength: 4 }),
    fc.array(segment, { maxLength: 1 }),
  )
  .map(([path, words, more]) => [...path.split("/").map((word, i) => (/^[:*]/.test(word) ? words[i % 4] : word)), ...more].join("/"));
const any = fc.array(segment, { maxLength: 7 }).map((words) => `/${words.join("/")}`);

test("finds the routes and parameters of Hono's RegExpRouter, in the same order, for whatever path", () => {
  fc.assert(
    fc.property(fc.constantFrom(...METHODS), fc.oneof({ weight: 4, arbitrary: asked }, any), (method, path) => {
      expect(readMatch(method, path, router)).toEqual(readMatch(method, path, oracle));
    }),
    { numRuns: 3000 },
  );
});

test("finds what stands behind a path, its parameters by name", () => {
  const found = readMatch("GET", "/v1/models/sp500/drift", router).map(({ route, params }) => [routes[route].path, params]);
  expect(found).toEqual([
    ["/*", {}],
    ["/*", {}],
    ["/v1/models/:name/drift", { name: "sp500" }],
    ["/v1/models/:name/drift", { name: "sp500" }],
  ]);
});

test.each(["/a/*", "/a/:b?", "/a/:b{[0-9]+}"])("refuses %s, which it would not match", (path) => {
  expect(() => new SegmentRouter<number>().add("GET", path, 0)).toThrow(UnsupportedPathError);
});
