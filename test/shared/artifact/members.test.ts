// Members, stack and view in an artifact: what is written comes back, and whatever is off is refused with a sentence.
import { describe, expect, test } from "vitest";
import { decodeArtifact, encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { ArtifactError } from "../../../shared/errors.ts";
import { checkGolden } from "../../../shared/model.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeStack } from "../../fixtures/stack.ts";
import { type Parts, putTogether, takeApart, tensor } from "./parts.ts";

const { log } = instantiateKernel(kernel);
const model = makeStack(kernel, { units: 3 });
const bytes = encodeArtifact(model);

test.each([
  ["all kinds", model],
  ["trees alone", makeStack(kernel, { kinds: ["trees"] })],
  ["linear alone, 50 steps averaged to 17 parts", makeStack(kernel, { kinds: ["linear"], timesteps: 50 })],
  ["two of a kind", makeStack(kernel, { kinds: ["trees", "lstm", "trees"], units: 1 })],
  ["one feature, one step", makeStack(kernel, { features: ["x"], timesteps: 1, channels: [{ base: "feature", a: 0, view: "level" }] })],
])("%s come back, and score bit for bit", (_, original) => {
  const decoded = decodeArtifact(encodeArtifact(original));
  expect(decoded).toEqual(original);
  expect(() => checkGolden(decoded, createWasmEngine(kernel, decoded), log)).not.toThrow();
  expect(encodeArtifact(decoded)).toEqual(encodeArtifact(original));
});

test("a whole view is kept without a list", () => {
  const { keep: _, ...view } = model.view!;
  const whole = makeStack(kernel, { kinds: ["lstm"], units: 3 });
  const decoded = decodeArtifact(encodeArtifact({ ...whole, view }));
  expect(decoded.view).toEqual(view);
});

test("a node takes 3 bytes, a leaf 4", () => {
  const { ensemble } = model.members[2] as { ensemble: { column: Uint16Array; leaves: Float32Array } };
  const { header } = takeApart(bytes);
  const sizeOf = (name: string): number => header[`member2.${name}`].data_offsets[1] - header[`member2.${name}`].data_offsets[0];
  expect(sizeOf("column") + sizeOf("edge")).toBe(3 * ensemble.column.length);
  expect(sizeOf("leaves")).toBe(4 * ensemble.leaves.length);
});

/** Nodes of the trees as they are stored. */
const columnsOf = (parts: Parts): Uint16Array => tensor(parts, "member2.column", Uint16Array);
const edgesOf = (parts: Parts): Uint8Array => tensor(parts, "member2.edge", Uint8Array);
const firstSplit = columnsOf(takeApart(bytes)).findIndex((v) => v !== 0xffff);
const firstLeaf = columnsOf(takeApart(bytes)).indexOf(0xffff);
const lastNode = columnsOf(takeApart(bytes)).length - 1;
const V = model.view!.keep!.length;

describe("rejects", () => {
  test.each<[what: string, change: (parts: Parts) => unknown, sentence: string | RegExp]>([
    ["no stack of several members", ({ metadata }) => delete metadata.stack, "stack is missing, expected one for 3 members"],
    [
      "a weight for a member that is not there",
      ({ metadata }) => metadata.stack.weights.push(1),
      /^stack\.weights is \[.*\], expected 3 numbers$/,
    ],
    [
      "a weight that is no number",
      ({ metadata }) => (metadata.stack.weights[1] = Number.NaN),
      /^stack\.weights is \[.*null.*\], expected 3 numbers$/,
    ],
    ["no intercept of the stack", ({ metadata }) => delete metadata.stack.intercept, "stack.intercept is missing, expected a number"],
    [
      "an unknown kind",
      ({ metadata }) => (metadata.members[1].kind = "kernelMachine"),
      'members[1].kind is "kernelMachine", which this code does not know: update and redeploy quickstep',
    ],
    [
      "columns without a view",
      ({ metadata }) => delete metadata.view,
      "members[1] is linear and looks at columns, but the artifact has no view",
    ],
    [
      "ten million nodes, before memory is taken",
      ({ metadata }) => (metadata.members[2].nodes = 10_000_000),
      "members[2].nodes is 10000000, expected 0 to 1048576",
    ],
    [
      "as many nodes as the limit allows in a file that does not hold them",
      ({ metadata, header }) => {
        metadata.members[2].nodes = 1048576;
        header["member2.column"].shape = [1048576];
      },
      /^member2\.column lies at \[\d+,\d+\], expected \[\d+,\d+\]$/,
    ],
    [
      "more leaves than nodes",
      ({ metadata }) => (metadata.members[2].leaves = metadata.members[2].nodes + 1),
      `members[2].leaves is ${lastNode + 2}, expected 0 to ${lastNode + 1}`,
    ],
    ["a base that is no number", ({ metadata }) => (metadata.members[2].base = null), "members[2].base is null, expected a number"],
    [
      "a column beyond the view",
      (parts) => (columnsOf(parts)[firstSplit] = V),
      `member2.column[${firstSplit}] is ${V}, expected a column below ${V}`,
    ],
    [
      "an edge that its column does not have",
      (parts) => (edgesOf(parts)[firstSplit] = 255),
      new RegExp(`^member2\\.edge\\[${firstSplit}\\] is 255, but column \\d+ has \\d+ edges$`),
    ],
    [
      "a leaf with an edge",
      (parts) => (edgesOf(parts)[firstLeaf] = 7),
      `member2.edge[${firstLeaf}] is 7, expected 0, since the node is a leaf`,
    ],
    [
      "nodes that end inside of a tree",
      (parts) => {
        columnsOf(parts)[lastNode] = columnsOf(parts)[firstSplit];
        edgesOf(parts)[lastNode] = edgesOf(parts)[firstSplit];
      },
      /^member2\.column ends inside of a tree: \d+ splits lack a child$/,
    ],
    [
      "another number of leaves than the nodes have",
      (parts) => (columnsOf(parts)[firstSplit] = 0xffff) && (edgesOf(parts)[firstSplit] = 0),
      /^member2\.leaves has \d+ numbers, expected \d+, as the nodes say$/,
    ],
    [
      "an edge that is NaN",
      (parts) => (tensor(parts, "member2.edges", Float64Array)[1] = Number.NaN),
      "member2.edges[1] is NaN, expected a finite number: the weights are damaged",
    ],
    [
      "edges that descend",
      (parts) => tensor(parts, "member2.edges", Float64Array).reverse(),
      /^member2\.edges\[1\] is \S+ after \S+, expected ascending edges in a column$/,
    ],
    [
      "two edges of one value",
      (parts) => (tensor(parts, "member2.edges", Float64Array)[1] = tensor(parts, "member2.edges", Float64Array)[0]),
      /^member2\.edges\[1\] is (\S+) after \1, expected ascending edges in a column$/,
    ],
    [
      "edge counts that do not add up",
      (parts) => tensor(parts, "member2.edgeCounts", Uint8Array)[0]++,
      /^member2\.edgeCounts adds up to \d+ edges, expected \d+$/,
    ],
    [
      "a leaf that is infinite",
      (parts) => (tensor(parts, "member2.leaves", Float32Array)[3] = Infinity),
      "member2.leaves[3] is Infinity, expected a finite number: the weights are damaged",
    ],
    ["scale 0", (parts) => (tensor(parts, "member1.scale", Float64Array)[2] = 0), "member1.scale[2] is 0, expected a number above 0"],
    [
      "a linear column beyond the view",
      (parts) => (tensor(parts, "member1.columns", Uint16Array)[0] = V),
      `member1.columns[0] is ${V}, expected ascending columns below ${V}`,
    ],
    [
      "kept columns that do not ascend",
      (parts) => (tensor(parts, "view.keep", Uint16Array)[1] = 0),
      /^view\.keep\[1\] is 0, expected ascending columns below \d+$/,
    ],
    ["more kept columns than there are", ({ metadata }) => (metadata.view.keep = 1001), /^view\.keep is 1001, expected 1 to \d+ columns$/],
    ["a width of 0", ({ metadata }) => (metadata.view.width = 0), "view.width is 0, expected 1 to 10 rows"],
    [
      "parts that do not fit",
      ({ metadata }) => (metadata.view.parts = 9),
      "view.parts is 9, expected 10 steps over 1 rows, and at most 24",
    ],
    [
      "a block of a kind that this code does not know",
      ({ metadata }) => (metadata.view.blocks[1].kind = "wavelets"),
      'view.blocks[1].kind is "wavelets", which this code does not know: update and redeploy quickstep',
    ],
    [
      "a block of a series twice",
      ({ metadata }) => (metadata.view.blocks[1].series = [0, 0]),
      /^view\.blocks\[1\]\.series is \[0,0\], expected different series of 0 to \d+$/,
    ],
    [
      "a series of a feature that is not there",
      ({ metadata }) => (metadata.view.series[0].a = 5),
      "view.series[0] looks at features 5 and missing of 5",
    ],
    [
      "more than 1,000 columns",
      ({ metadata }) => (metadata.view.blocks = Array.from({ length: 5 }, () => metadata.view.blocks[1])),
      /^view has \d{4} columns, expected 1 to 1000$/,
    ],
  ])("%s", (_, change, sentence) => {
    const parts = takeApart(bytes);
    change(parts);
    let message = "decoded";
    try {
      decodeArtifact(putTogether(parts));
    } catch (error) {
      expect(error).toBeInstanceOf(ArtifactError);
      ({ message } = error as Error);
    }
    const said = message.replace(/^artifact /, "");
    if (typeof sentence === "string") expect(said).toBe(sentence);
    else expect(said).toMatch(sentence);
  });
});

test("rejects a tree that is deeper than 64 splits, leaning left or right", () => {
  for (const leans of ["left", "right"]) {
    const stack = makeStack(kernel, { kinds: ["trees"] });
    const { ensemble } = stack.members[0] as Extract<(typeof stack.members)[number], { kind: "trees" }>;
    const split = ensemble.column[ensemble.column.findIndex((v) => v !== 0xffff)];
    const deep = 65;
    const column =
      leans === "left"
        ? [...Array(deep).fill(split), ...Array(deep + 1).fill(0xffff)]
        : [...Array(deep).fill([split, 0xffff]).flat(), 0xffff];
    const lying = {
      ...ensemble,
      roots: Uint32Array.of(0),
      column: Uint16Array.from(column),
      edge: new Uint16Array(column.length),
      next: new Uint32Array(column.length),
      leaves: new Float32Array(deep + 1),
    };
    const artifact = encodeArtifact({ ...stack, members: [{ kind: "trees", ensemble: lying }] });
    for (const decoding of [undefined, instantiateKernel(kernel)])
      expect(() => decodeArtifact(artifact, decoding)).toThrow("member0.column has a tree of more than 64 splits on a way to a leaf");
  }
});
