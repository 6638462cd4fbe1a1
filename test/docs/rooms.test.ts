// docs/architecture.md lists every room in the order of the imports, lowest first.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { root, tablesOf } from "./markdown.ts";

const SIDES = ["shared", "trainer", "edge"];
/** A file directly in shared/, trainer/ or edge/ is a room of its own, as test/architecture.test.ts has it. */
const roomOf = (path: string): string => (dirname(path).includes("/") ? dirname(path) : path);

/** Rooms as the tables of architecture.md list them, one side after the other. */
function listedRooms(text: string): string[] {
  const tables = tablesOf(text);
  return SIDES.flatMap((side) => {
    const table = tables.find(({ head }) => head.startsWith(`| \`${side}/\``));
    return (table?.rows ?? []).map((row) => `${side}/${/^\| `(.*?)`/.exec(row)?.[1]}`);
  });
}

/** Which rooms each room imports; kernels, which import only themselves, aside. */
function importsOfRooms(): Map<string, Set<string>> {
  const imports = new Map<string, Set<string>>();
  for (const side of SIDES)
    for (const name of readdirSync(join(root, side), { recursive: true, encoding: "utf8" })) {
      const path = `${side}/${name}`;
      if (!/\.ts$/.test(path) || /\.d\.ts$|\/kernel\/|^trainer\/worker\//.test(path)) continue;
      const targets = imports.get(roomOf(path)) ?? new Set();
      imports.set(roomOf(path), targets);
      for (const [, specifier] of readFileSync(join(root, path), "utf8").matchAll(/(?:from|import\()\s*"(\.[^"]+\.ts)"/g))
        targets.add(roomOf(join(dirname(path), specifier)));
    }
  return imports;
}

/** What is wrong with the list, as one sentence each. */
function faultsOf(listed: readonly string[], imports: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const missing = [...imports.keys()].filter((room) => !listed.includes(room)).map((room) => `${room} is not listed`);
  const gone = listed.filter((room) => !imports.has(room)).map((room) => `${room} is listed and does not exist`);
  const upwards = [...imports].flatMap(([room, targets]) =>
    [...targets]
      .filter((target) => target !== room && listed.indexOf(target) > listed.indexOf(room))
      .map((target) => `${room} imports ${target}, which is listed below it`),
  );
  return [...missing, ...gone, ...upwards];
}

const listed = listedRooms(readFileSync(join(root, "docs/architecture.md"), "utf8"));

test("docs/architecture.md lists every room, and each imports only rooms that are listed above it", () => {
  expect(faultsOf(listed, importsOfRooms())).toEqual([]);
});

test("a room that is missing, one that is gone, and an import upwards are found", () => {
  const imports = importsOfRooms();
  expect(faultsOf(listed.slice(1), imports).join()).toContain(`${listed[0]} is not listed`);
  expect(faultsOf([...listed, "edge/attic"], imports).join()).toContain("edge/attic is listed and does not exist");
  const planted = new Map(imports).set(listed[0], new Set(["edge/app.ts"]));
  expect(faultsOf(listed, planted).join()).toContain(`${listed[0]} imports edge/app.ts, which is listed below it`);
});
