// Nothing that is said is passed over in silence: an option does something to the files at hand, or is refused with the way forward.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { encodeNpy } from "../../../shared/npy.ts";
import { type ReadOptions, readDataset } from "../../../trainer/readers/dataset.ts";
import { describeRead } from "../../../trainer/readers/describe.ts";
import { parseMaxGap } from "../../../trainer/readers/max-gap.ts";
import { encodeNpz } from "../../../trainer/readers/npz.ts";
import { checkHorizon } from "../../../trainer/readers/option-checks.ts";
import { parseTimeFormat } from "../../../trainer/readers/time-format.ts";

const folder = mkdtempSync(join(tmpdir(), "quickstep-options-"));
afterAll(() => rmSync(folder, { recursive: true }));
const write = (name: string, bytes: string | Uint8Array): string => {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
};
const N = 4;
const X = { shape: [N, 2, 2], data: Float64Array.from({ length: N * 4 }, (_, i) => i / 3) };
const y = { shape: [N], data: Float64Array.of(0, 1, 0, 1) };
const wide = write("wide.csv", `a_0,b_0,a_1,b_1,label\n${[..."0101"].map((label, n) => `${n},1,2,3,${label}\n`).join("")}`);
const rows = write("rows.csv", `bid,ask,label\n${[..."0101"].map((label, n) => `${n},${10 + n},${label}\n`).join("")}`);
const plain = write("plain.npz", await encodeNpz({ X, y }));
const named = write("named.npz", await encodeNpz({ X, y, features: { shape: [2], data: ["a", "b"] } }));
const array = write("array.npy", encodeNpy(X.data, X.shape));
const labels = write("labels.npy", encodeNpy(y.data, y.shape));
const lists = write("lists.jsonl", '{"sequence": [[1, 2]], "label": 0}\n{"sequence": [[3, 4]], "label": 1}\n');
const series = write("series.ts", "@classLabel true 0 1\n@data\n1,2:3,4:0\n2,3:4,5:1\n");
const ragged = write(
  "ragged.npz",
  await encodeNpz({
    values: { shape: [3, 2], data: Float64Array.of(1, 2, 3, 4, 5, 6) },
    lengths: { shape: [2], data: Float64Array.of(1, 2) },
  }),
);

const rename = new Map([["Open", "open"]]);
test.each<[path: string, options: ReadOptions, message: RegExp]>([
  [wide, { timeFormat: parseTimeFormat("%d/%m/%Y") }, /--time-format says how times are written: name their column with --time/],
  [rows, { window: 2, timeFormat: parseTimeFormat("s") }, /name their column with --time/],
  [wide, { maxGap: parseMaxGap("1d") }, /--max-gap cuts rows of series: say --key/],
  [rows, { window: 2, maxGap: parseMaxGap("1d") }, /--max-gap needs the rows' times: name their column with --time/],
  [rows, { window: 2, columns: "{feature}_{step}" }, /rows of series have neither, so leave --columns out/],
  [plain, { columns: "{feature}_{step}" }, /--columns says how the columns of a table are named; \.npz has none: leave --columns out/],
  [
    lists,
    { columns: "{feature}_{step}" },
    /line 1: holds no columns of a wide table, whose names --columns would say: leave --columns out/,
  ],
  [plain, { sep: ";" }, /--sep says how tables of text are written, as \.csv; \.npz is none: leave --sep out/],
  [plain, { decimal: "," }, /leave --decimal out/],
  [wide, { axes: "nft" }, /--axes says how an array of NumPy stands, in \.npz or \.npy; \.csv holds none: leave --axes out/],
  [ragged, { axes: "nft" }, /holds values and lengths, rows of features, and no array of sequences: leave --axes out/],
  [array, { label: "rise" }, /\.npy holds none: give the labels with --labels/],
  [series, { label: "rise" }, /\.ts says itself which its labels are: leave --label out/],
  [plain, { labels, label: "rise" }, /--labels gives the labels, and --label names others: leave one of them out/],
  [plain, { label: "rise" }, /plain\.npz: holds X, y, expected also rise, which --label names/],
  [plain, { testLabels: labels }, /--test-labels holds the labels of --test: name that file, too/],
  [wide, { softLabels: true, positive: "1" }, /--soft-labels are probabilities of a 1, and --positive chooses a class/],
  [array, { positive: "1" }, /array\.npy: holds no labels, of which --positive 1 would be one/],
  [plain, { ignoreLabels: true, labels }, /labels are not read here: leave --labels out/],
  [plain, { ignoreLabels: true, positive: "0" }, /the model knows which label is 1: leave --positive out/],
  [plain, { static: ["age"] }, /holds X, y, expected also age/],
  [array, { static: ["age"] }, /holds one array and no age/],
  [named, { features: ["a", "c"] }, /names its features a, b, but --features says a, c: leave --features out, or say --rename OLD=NEW/],
  [wide, { rename }, /wide\.csv: has no feature and no column "Open", which --rename names/],
  [rows, { window: 2, rename }, /rows\.csv: has no feature and no column "Open"/],
  [named, { rename }, /named\.npz: has no feature and no column "Open"/],
])("%s with %j is refused", async (path, options, message) => {
  await expect(readDataset([path], options)).rejects.toThrow(message);
});

test("a horizon of whole sequences is refused where no part is split by time", () => {
  expect(() => checkHorizon({ horizon: 2 })).toThrow("--horizon counts rows of series: say --key, --features or --window");
  checkHorizon({ horizon: 2, key: "symbol" });
  checkHorizon({});
});

test("what one of several files needs is no mistake", async () => {
  const other = write("other.csv", "A_0,b_0,A_1,b_1,label\n5,1,2,3,0\n6,1,2,3,1\n");
  const renamed = { rename: new Map([["A", "a"]]) };
  expect((await readDataset([wide, other], renamed)).labels).toEqual(Uint8Array.of(0, 1, 0, 1, 0, 1));
  expect((await readDataset([wide], { ...renamed, test: other })).test?.labels).toEqual(Uint8Array.of(0, 1));
  expect((await readDataset([named], { features: ["a", "b"] })).features).toEqual(["a", "b"]);
});

test("names of rows that are exchanged by --rename are exchanged once", async () => {
  const rename = new Map([
    ["bid", "ask"],
    ["ask", "bid"],
  ]);
  const { features, values } = await readDataset([rows], { window: 1, rename });
  expect(features).toEqual(["ask", "bid"]);
  expect(values.slice(0, 2)).toEqual(Float64Array.of(0, 10));
});

test("arrays that are not read are named", async () => {
  const more = write("more.npz", await encodeNpz({ X, y, dates: y, weights: y, X_val: X, y_val: y }));
  expect(describeRead((await readDataset([more], {})).facts)).toMatch(/X_val left out, arrays dates, weights left out$/);
  expect(describeRead((await readDataset([more], { ignoreLabels: true })).facts)).toMatch(
    /arrays y, dates, weights, X_val, y_val left out$/,
  );
  expect(describeRead((await readDataset([more], { group: "dates", validation: true })).facts)).toMatch(
    /array weights left out, groups by "dates"$/,
  );
});

test("one-hot labels of two columns say which is 1, and those of more take --positive", async () => {
  const oneHot = (name: string, K: number) => {
    const data = Float64Array.from({ length: N * K }, (_, i) => Number(i % K === Math.floor(i / K) % K));
    return encodeNpz({ X, y: { shape: [N, K], data } }).then((bytes) => write(name, bytes));
  };
  const two = await readDataset([await oneHot("two.npz", 2)], {});
  expect(two.labels).toEqual(Uint8Array.of(0, 1, 0, 1));
  expect(describeRead(two.facts)).toContain(
    "label y, 50.0 % positive, y one-hot, so a label is the number of its column: 0 or 1, the second",
  );
  const three = await oneHot("three.npz", 3);
  await expect(readDataset([three], {})).rejects.toThrow(
    "holds the labels 0, 1, 2: two classes only; --positive CLASS takes one against the rest (2 first at y[2])",
  );
  const against = await readDataset([three], { positive: "2" });
  expect(against.labels).toEqual(Uint8Array.of(0, 0, 1, 0));
  expect(describeRead(against.facts)).toContain("y one-hot, so a label is the number of its column: 0 to 2");
  const file = write("hot.npy", encodeNpy(Float64Array.of(1, 0, 0, 1, 1, 0, 0, 1), [N, 2]));
  expect(describeRead((await readDataset([array], { labels: file })).facts)).toContain("labels one-hot, so a label is");
});
