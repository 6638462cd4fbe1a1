// The documentation's pages: links that resolve, a README that is short, tables of figures that name their command, and what
// docs/architecture.md says of storage and artifact, held against the code.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { encodeArtifact } from "../../shared/artifact/artifact.ts";
import { decodeFrame } from "../../shared/artifact/safetensors.ts";
import { kernel } from "../fixtures/kernel.ts";
import { makeLayeredModel } from "../fixtures/layered-model.ts";
import { makeModel } from "../fixtures/model.ts";
import { headings, linksOf, PAGES, root, tablesOf } from "./markdown.ts";

const read = (path: string): string => readFileSync(join(root, path), "utf8");

describe.each(PAGES)("%s", (page) => {
  const text = read(page);

  test("links to files and headings that exist", () => {
    const broken = linksOf(text).filter((link) => {
      if (/^[a-z]+:/.test(link)) return false;
      const [path, anchor] = link.split("#");
      const target = path === "" ? page : join(dirname(page), path);
      if (!existsSync(join(root, target))) return true;
      return anchor !== undefined && !headings(read(target)).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  test("names files of the repository that exist", () => {
    const named = [...text.matchAll(/`((?:docs|edge|shared|test|trainer)\/[\w./-]+)`/g)].map(([, path]) => path);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  test("fences its code", () => {
    expect(text.split("\n").filter((line) => /^ {4}\S/.test(line) && !/^ {4}[-|]/.test(line))).toEqual([]);
    expect(text.match(/^ *```/gm)?.length ?? 0).toSatisfy((count: number) => count % 2 === 0);
  });
});

test("README has at most 150 lines, two pictures of at most 200 kB, and says outright that there are two classes", () => {
  const readme = read("README.md");
  expect(readme.trimEnd().split("\n").length).toBeLessThanOrEqual(150);
  const pictures = linksOf(readme).filter((link) => link.endsWith(".png"));
  expect(pictures).toHaveLength(2);
  for (const picture of pictures) expect(readFileSync(join(root, picture)).length).toBeLessThanOrEqual(200_000);
  expect(readme).toContain("more than two classes");
});

test("every page of docs/ is linked from README", () => {
  const links = linksOf(read("README.md"));
  for (const name of readdirSync(join(root, "docs"))) if (name.endsWith(".md")) expect(links).toContain(`docs/${name}`);
});

test("every table of figures has a command, in the section before it or in each of its rows", () => {
  const withoutCommand = ["README.md", "docs/benchmarks.md"].flatMap((page) =>
    tablesOf(read(page))
      .filter(({ rows }) => rows.some((row) => /\d\s?(%|×|µs|ms|s|MiB|MB|KiB)\b|\d of \d/.test(row)))
      .filter(({ section, rows }) => {
        const names = (text: string): boolean => /npm (run|start)/.test(text);
        return !names(section) && !rows.every(names);
      })
      .map(({ head }) => `${page}: ${head}`),
  );
  expect(withoutCommand).toEqual([]);
});

describe("docs/architecture.md", () => {
  const text = read("docs/architecture.md");

  test("says what every package is for", () => {
    const { devDependencies } = JSON.parse(read("package.json")) as { devDependencies: Record<string, string> };
    expect(Object.keys(devDependencies).filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });

  test("has the SQL of the Durable Objects as the code has it", () => {
    const statements = (source: string): string[] =>
      [...source.matchAll(/CREATE (?:TABLE|INDEX)[^;`]+;/g)].map(([statement]) => statement.replace(/\s+/g, " "));
    const code = readdirSync(join(root, "edge"), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts"))
      .flatMap((path) => statements(read(join("edge", path))));
    expect(code.length).toBeGreaterThan(5);
    expect(statements(text).sort()).toEqual(code.sort());
  });

  test("has the artifact's tensors and metadata as the encoder writes them", () => {
    const model = makeModel(kernel, { gaps: [] });
    const S = model.recipe.channels.length + 3;
    const sequences = { edges: new Float32Array(S * 9), counts: new Uint32Array(S * 10) };
    const bytes = encodeArtifact({ ...model, reference: { ...model.reference, sequences } });
    const headerBytes = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    const { __metadata__: metadata, ...tensors } = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerBytes)));
    // of members that this model has none of: an LSTM's initial states, and networks of layers, whose rows name patterns
    const isOptional = (name: string): boolean =>
      name.includes("lstm.initial") || name.includes(".layer0.") || ["view", "stack"].includes(name);
    const rows = tablesOf(text).flatMap(({ rows }) => rows.map((row) => row.split("|").map((cell) => cell.trim())));
    const found = rows.filter((cells) => /^(F64|F32|U32)$/.test(cells[2])).map((cells) => [cells[1].replaceAll("`", ""), cells[2]]);
    const written = Object.entries(tensors as Record<string, { dtype: string }>).map(([name, { dtype }]) => [name, dtype]);
    expect(found.filter(([name]) => !isOptional(name))).toEqual(written);
    const start = rows.findIndex((cells) => cells[1] === "`format`" && cells[2].includes("quickstep/2"));
    const entries = rows.slice(start, start + Object.keys(metadata).length + 2).map((cells) => cells[1].replaceAll("`", ""));
    expect(entries.filter((name) => !isOptional(name))).toEqual(Object.keys(metadata));
  });

  test("names each tensor of a network of layers", () => {
    const bytes = encodeArtifact(makeLayeredModel(kernel));
    const { entries } = decodeFrame(bytes, bytes.length, (message) => expect.fail(message));
    const last = (name: string): string => name.slice(name.lastIndexOf("."));
    const said = text
      .split("\n")
      .filter((line) => line.includes(".layer0."))
      .flatMap((line) => [...line.matchAll(/`[^`]*?(\.[A-Za-z]+)`/g)].map(([, name]) => name));
    const written = Object.keys(entries).filter((name) => /\.layer\d+\./.test(name));
    expect(written.length).toBeGreaterThan(5);
    expect(written.filter((name) => !said.includes(last(name)))).toEqual([]);
  });
});
