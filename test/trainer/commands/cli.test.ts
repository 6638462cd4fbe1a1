// The commands as a shell sees them: exit codes, what is on stdout and stderr, what is on disk afterwards.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { parquetReadObjects } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeArtifact, encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { encodeNpy, readNpy } from "../../../shared/npy.ts";
import { encodeNpz } from "../../../trainer/readers/npz.ts";
import { generateFx } from "../../../trainer/sample/fx.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel, networkOf } from "../../fixtures/model.ts";

const MAIN = fileURLToPath(new URL("../../../trainer/main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "quickstep-cli-"));
const at = (name: string): string => join(folder, name);

interface Outcome {
  status: number | null;
  stdout: string;
  stderr: string;
}

function quickstep(...argv: string[]): Outcome {
  return feed(undefined, ...argv);
}

/** With `input` on standard input. */
function feed(input: Uint8Array | undefined, ...argv: string[]): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...argv], { cwd: folder, encoding: "utf8", input });
  return { status, stdout, stderr };
}

/** One network, trained once: where a stack would take its time for what the test does not look at. */
const ALONE = ["--learner", "lstm", "--split-version", "1"];
const N = 400;
const T = 10;
const F = 5;

async function writeData(name: string, edit: (X: Float64Array, y: Uint8Array) => void = () => {}, count = N): Promise<string> {
  const { values, labels } = generateFx(count, 3);
  edit(values, labels);
  writeFileSync(at(name), await encodeNpz({ X: { data: values, shape: [count, T, F] }, y: { data: labels, shape: [count] } }));
  return at(name);
}

beforeAll(async () => {
  await writeData("good.npz");
  writeFileSync(at("model.safetensors"), encodeArtifact(makeModel(kernel)));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("diagnose", () => {
  it("says what is wrong with bad numbers and labels instead of refusing them, and writes a page", async () => {
    await writeData("gaps.npz", (X) => X.fill(Number.NaN, 60, 62));
    const { status, stdout, stderr } = quickstep("diagnose", at("gaps.npz"), "--report", at("gaps.html"), "--json");
    expect(status).toBe(0);
    expect(stderr).toMatch(/^\d+\. non-finite \(fact\): .* first f0 at step 3 of sequence 2: X\[1\]\[2\]\[0\] \(NaN\)/m);
    const document = JSON.parse(stdout);
    expect(document.causes[0].certainty).not.toBe("fact"); // gaps are filled, and something else was found to hold the loss
    expect(document.verdict.code).toBe(document.causes[0].code);
    expect(Object.keys(document.causes[0])).toEqual(expect.arrayContaining(["code", "evidence", "remedy", "certainty"]));
    expect(readFileSync(at("gaps.html"), "utf8")).toContain("X[1][2][0] (NaN)");

    writeFileSync(at("strange.csv"), `a_0,b_0,label\n${"1,nan,2\n3,4,0\n".repeat(60)}`);
    const strange = JSON.parse(quickstep("diagnose", at("strange.csv"), "--json").stdout);
    expect(strange.causes.map(({ code }: { code: string }) => code)).toEqual(["non-finite", "labels-invalid"]);
  }, 60_000);

  it.each([
    [["--tried", "sgd"], "sgd"],
    [["--tried", "lr=fast"], "lr"],
    [["--nonsense"], "--nonsense"],
  ])("refuses %s with exit code 2 and the word", (words, name) => {
    const { status, stdout, stderr } = quickstep("diagnose", at("good.npz"), "--report", at("never.html"), ...words);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(name);
    expect(readdirSync(folder)).not.toContain("never.html");
  });
});

describe("train", () => {
  it("writes an artifact, the same bytes twice and for any number of threads, and one JSON document", async () => {
    const run = (out: string, threads: string) =>
      quickstep("train", at("good.npz"), "--out", at(out), "--units", "6", "--epochs", "3", "--threads", threads, "--json", ...ALONE);
    const first = run("a.safetensors", "2");
    expect(first.stderr).toContain("base rate");
    expect(first.status).toBe(0);
    expect(run("b.safetensors", "1").status).toBe(0);
    expect(readFileSync(at("a.safetensors")).equals(readFileSync(at("b.safetensors")))).toBe(true);
    const document = JSON.parse(first.stdout);
    expect(Object.keys(document)).toEqual(
      expect.arrayContaining([
        "artifact",
        "model",
        "examples",
        "positiveRate",
        "test",
        "epochs",
        "examplesPerSecond",
        "seconds",
        "verdict",
      ]),
    );
    expect(Object.keys(document.test)).toEqual(
      expect.arrayContaining(["logLoss", "baseRateLogLoss", "accuracy", "majorityAccuracy", "auc", "prAuc", "brier", "ece"]),
    );
    const { train, validation, calibration, test } = document.examples;
    expect(train + validation + calibration + test).toBe(N);
  });

  it("takes another seed as another model", () => {
    for (const seed of ["1", "2"])
      quickstep(
        ...["train", at("good.npz"), "--out", at(`s${seed}.safetensors`), "--recipe", "raw"],
        ...["--units", "4", "--epochs", "1", "--seed", seed],
      );
    const [one, other] = ["s1", "s2"].map((name) => decodeArtifact(readFileSync(at(`${name}.safetensors`))));
    expect(networkOf(one).kernel).not.toEqual(networkOf(other).kernel);
    const scored = (name: string): string => quickstep("score", at(`${name}.safetensors`), at("good.npz")).stdout;
    expect(scored("s1")).not.toBe(scored("s2"));
  });
});

describe("train says", () => {
  const train = (data: string, ...more: string[]) =>
    quickstep("train", data, "--out", at("said.safetensors"), "--units", "4", "--epochs", "1", "--recipe", "raw", ...more);

  it("bad-data, with what to do, where one cell gives the label away, and still writes the model", async () => {
    const leaking = await writeData("leak.npz", (X, y) => {
      for (let n = 0; n < N; n++) X[n * T * F + 47] = 3 + y[n];
    });
    const { status, stdout, stderr } = train(leaking, "--json");
    const { verdict, artifact } = JSON.parse(stdout);
    expect([status, verdict.code]).toEqual([0, "bad-data"]);
    expect(stderr).toContain(`${verdict.text} ${verdict.next}`);
    expect(verdict.text).toMatch(/^F2 at step 9 \(counted from 0\) alone ranks the labels with AUC 1\.0000/i);
    expect(readFileSync(artifact).length).toBeGreaterThan(1000);
  });

  it("what each operating point is worth, with its intervals, and what it costs where costs are given", () => {
    const row = (text: string, name: string): string[] =>
      text
        .split("\n")
        .find((line) => line.startsWith(name))
        ?.split(/ {2,}/) ?? [];
    const { stderr, stdout } = train(at("good.npz"), "--costs", "1:5", "--json");
    expect(row(stderr, "operating point")).toEqual(["operating point", "threshold", "precision", "recall", "F1", "cost"]);
    const point = JSON.parse(stdout).operatingPoints.find(({ name }: { name: string }) => name === "lowest-cost");
    expect(point.threshold).toBe(1 / 6);
    const { recall, f1, cost } = point.figures;
    const shown = ({ value, low, high }: Record<string, number>): string => `${value.toFixed(3)} (${low.toFixed(3)}–${high.toFixed(3)})`;
    expect(row(stderr, "lowest-cost").slice(3)).toEqual([recall, f1, cost].map(shown));
    expect(row(train(at("good.npz")).stderr, "operating point")).not.toContain("cost");
  });
});

describe("evaluate, score, inspect, export", () => {
  it("evaluate says where the data are those that the model was trained on", () => {
    const options = ["--recipe", "raw", "--units", "4", "--epochs", "1", "--json"];
    expect(quickstep("train", at("good.npz"), "--out", at("own.safetensors"), ...options).status).toBe(0);
    const { stdout, stderr } = quickstep("evaluate", at("own.safetensors"), at("good.npz"), "--json");
    expect(stderr).toContain("good.npz is the file that the model was trained or calibrated on");
    expect(JSON.parse(stdout).isTrainingData).toBe(true);
  });

  it("evaluate prints the figures of the design", () => {
    const { status, stdout, stderr } = quickstep("evaluate", at("model.safetensors"), at("good.npz"), "--json");
    expect(status).toBe(0);
    expect(stderr).not.toContain("is the file that the model was trained");
    const figures = JSON.parse(stdout);
    expect(figures.isTrainingData).toBe(false);
    expect(figures.examples).toBe(N);
    expect(Object.keys(figures)).toEqual(
      expect.arrayContaining(["logLoss", "baseRateLogLoss", "accuracy", "majorityAccuracy", "auc", "prAuc", "brier", "ece"]),
    );
  });

  it("evaluate counts sequences outside what training saw, as score does", () => {
    const score = quickstep("score", at("model.safetensors"), at("good.npz"), "--out", at("q.npy"), "--json");
    const { outOfRange } = JSON.parse(score.stdout);
    expect(outOfRange).toBeGreaterThan(0);
    const note = `note: sequences outside what training saw, in length, numbers or categories: ${outOfRange}\n`;
    const { stdout, stderr } = quickstep("evaluate", at("model.safetensors"), at("good.npz"), "--json");
    expect([score.stderr, stderr]).toEqual([expect.stringContaining(note), expect.stringContaining(note)]);
    expect(JSON.parse(stdout).outOfRange).toBe(outOfRange);
  });

  it("a model that learnt from rows says of bare rows with which options they are read", () => {
    const rows = Array.from({ length: 300 }, (_, i) => `${i},${Math.sin(i)},${(7 * i) % 11},${+((i * i) % 13 < 6)}`);
    writeFileSync(at("series.csv"), ["at,a,b,label", ...rows].join("\n"));
    const options = ["--recipe", "raw", "--units", "2", "--epochs", "1", ...ALONE];
    const trained = quickstep("train", at("series.csv"), "--time", "at", "--window", "5", "--out", at("series.safetensors"), ...options);
    expect(trained.stderr).toContain("wrote");
    const score = ["score", at("series.safetensors"), at("series.csv"), "--out", at("q.npy")];
    const { status, stderr } = quickstep(...score);
    expect(status).toBe(2);
    const said = /the model learnt from rows, so say as in training (--time at --window 5)\n/.exec(stderr)?.[1];
    expect(quickstep(...score, ...said!.split(" "))).toMatchObject({ status: 0 });
  });

  it("score writes the same probabilities as float64 .npy, as .csv and to stdout", () => {
    for (const out of ["q.npy", "q.csv"])
      expect(quickstep("score", at("model.safetensors"), at("good.npz"), "--out", at(out)).status).toBe(0);
    const { data, shape } = readNpy(readFileSync(at("q.npy")), "q.npy");
    expect(shape).toEqual([N]);
    const [header, ...lines] = readFileSync(at("q.csv"), "utf8").trimEnd().split("\n");
    expect(header).toBe("probability,outOfRange");
    expect(lines.map((line) => Number(line.split(",")[0]))).toEqual(Array.from(data as Float64Array));
    expect(quickstep("score", at("model.safetensors"), at("good.npz")).stdout).toBe(readFileSync(at("q.csv"), "utf8"));
  });

  it("score reads every format, packed or not, from a file or standard input, and gives the same", async () => {
    const { values, labels } = generateFx(N, 3);
    const rows = Array.from({ length: N }, (_, n) =>
      Array.from({ length: T }, (_, t) => Array.from(values.subarray((n * T + t) * F, (n * T + t + 1) * F))),
    );
    const files: Record<string, Uint8Array> = {
      csv: Buffer.from(rows.map((sequence, n) => [...sequence.flat(), labels[n]].join()).join("\n")),
      jsonl: Buffer.from(rows.map((sequence, n) => JSON.stringify({ sequence, label: labels[n] })).join("\n")),
      npz: readFileSync(at("good.npz")),
      npy: encodeNpy(values, [N, T, F]),
      parquet: new Uint8Array(
        parquetWriteBuffer({
          columnData: Array.from({ length: T * F }, (_, i) => ({
            name: `f${i % F}_${Math.floor(i / F)}`,
            data: values.filter((_, j) => j % (T * F) === i),
          })),
        }),
      ),
    };
    const expected = quickstep("score", at("model.safetensors"), at("good.npz")).stdout;
    expect(expected.split("\n").length).toBe(N + 2);
    for (const [format, bytes] of Object.entries(files)) {
      writeFileSync(at(`same.${format}`), bytes);
      writeFileSync(at(`same.${format}.gz`), gzipSync(bytes));
      expect(quickstep("score", at("model.safetensors"), at(`same.${format}`)), format).toMatchObject({ status: 0, stdout: expected });
      expect(quickstep("score", at("model.safetensors"), at(`same.${format}.gz`)), `${format}.gz`).toMatchObject({
        status: 0,
        stdout: expected,
      });
      expect(feed(bytes, "score", at("model.safetensors"), "-", "--format", format), `${format} from standard input`).toMatchObject({
        status: 0,
        stdout: expected,
      });
    }
    expect(feed(gzipSync(files.csv), "score", at("model.safetensors"), "-", "--format", "csv").stdout).toBe(expected);
  }, 60_000);

  it("score writes the same bytes with any number of threads, and the same numbers in every format", async () => {
    const count = 30_000; // more than a thread takes at once
    const { values } = generateFx(count, 5);
    writeFileSync(at("many.npy"), encodeNpy(values, [count, T, F]));
    const written = (out: string, ...argv: string[]): Buffer => {
      expect(quickstep("score", at("model.safetensors"), at("many.npy"), "--out", at(out), ...argv)).toMatchObject({
        status: 0,
        stdout: "",
      });
      return readFileSync(at(out));
    };
    const probabilities = Array.from(readNpy(written("many-1.npy", "--threads", "1"), "").data as Float64Array);
    expect(probabilities.length).toBe(count);
    for (const format of ["npy", "csv", "jsonl", "parquet"])
      expect(written(`a.${format}`, "--threads", "1").equals(written(`b.${format}`, "--threads", "3")), format).toBe(true);
    expect(Array.from(readNpy(readFileSync(at("a.npy")), "").data as Float64Array)).toEqual(probabilities);
    const linesOf = (name: string): string[] => readFileSync(at(name), "utf8").trimEnd().split("\n");
    const cells = linesOf("a.csv").slice(1);
    const outside = cells.map((line) => line.endsWith(",1"));
    expect(cells).toEqual(probabilities.map((probability, n) => `${probability},${outside[n] ? 1 : 0}`));
    expect(linesOf("a.jsonl").map((line) => JSON.parse(line))).toEqual(
      probabilities.map((probability, n) => ({ probability, ...(outside[n] && { outOfRange: true }) })),
    );
    const parquet = readFileSync(at("a.parquet"));
    const table = await parquetReadObjects({
      file: parquet.buffer.slice(parquet.byteOffset, parquet.byteOffset + parquet.length) as ArrayBuffer,
    });
    expect(table).toEqual(probabilities.map((probability, n) => ({ probability, outOfRange: outside[n] })));
  }, 60_000);

  it("score names the series and the time of each window of long rows, in the order of their last rows", () => {
    const lines = Array.from(
      { length: 40 },
      (_, i) => `"s,${i % 2}",2024-01-${String(1 + (i >> 1)).padStart(2, "0")},${[1, 2, 3, 4, 5].map((x) => x + i / 100).join()}`,
    );
    writeFileSync(at("long.csv"), ["id,day,a,b,c,d,e", ...lines].join("\n"));
    const argv = ["score", at("model.safetensors"), at("long.csv"), "--key", "id", "--time", "day", "--features", "a,b,c,d,e"];
    const [header, ...scored] = quickstep(...argv)
      .stdout.trimEnd()
      .split("\n");
    expect(header).toBe("id,day,probability,outOfRange");
    expect(scored.length).toBe(2 * (20 - 9));
    expect(scored[1]).toMatch(/^"s,1",2024-01-10,0\.\d+,[01]$/);
    expect(quickstep(...argv, "--out", at("long.jsonl")).status).toBe(0);
    const [first] = readFileSync(at("long.jsonl"), "utf8").split("\n");
    const [probability, outside] = scored[0].split(",").slice(-2).map(Number);
    expect(JSON.parse(first)).toEqual({
      id: "s,0",
      day: "2024-01-10",
      probability,
      ...(outside === 1 && { outOfRange: true }),
    });
  });

  it("train takes long rows and several files, and splits them in time so that no window straddles", () => {
    const { values, labels } = generateFx(N, 3);
    const lines = Array.from(
      { length: N },
      (_, n) => `${n >> 1},s${n % 2},${Array.from(values.subarray((n * T + 9) * F, (n + 1) * T * F)).join()},${labels[n]}`,
    );
    writeFileSync(at("part1.csv"), ["t,id,a,b,c,d,e,up", ...lines.slice(0, 150)].join("\n"));
    writeFileSync(at("part2.csv"), ["t,id,a,b,c,d,e,up", ...lines.slice(150)].join("\n"));
    const argv = [
      "train",
      ...ALONE,
      at("part1.csv"),
      at("part2.csv"),
      "--key",
      "id",
      "--time",
      "t",
      "--label",
      "up",
      "--window",
      "4",
      "--horizon",
      "1",
    ];
    const { status, stderr, stdout } = quickstep(...argv, "--units", "3", "--epochs", "1", "--out", at("long.safetensors"), "--json");
    expect(stderr).toContain("split by time: 392 windows of 2 series, in the order of their last rows' times, with a gap of 4 steps");
    expect(status).toBe(0);
    const { train, validation, calibration, test } = JSON.parse(stdout).examples;
    expect(train + validation + calibration + test).toBeLessThan(392);
    expect(
      quickstep("evaluate", at("long.safetensors"), at("part2.csv"), "--key", "id", "--time", "t", "--label", "up", "--json").status,
    ).toBe(0);
  }, 60_000);

  it("inspect shows the recipe, for people and as JSON", () => {
    expect(quickstep("inspect", at("model.safetensors")).stdout).toContain("channels");
    expect(JSON.parse(quickstep("inspect", at("model.safetensors"), "--json").stdout).timesteps).toBe(10);
  });

  it("export writes an ONNX file", () => {
    expect(quickstep("export", at("model.safetensors"), "--onnx", at("m.onnx")).status).toBe(0);
    expect(readFileSync(at("m.onnx")).length).toBeGreaterThan(1000);
  });
});

describe("bad input: one sentence, exit 2, nothing written", () => {
  const cases: [title: string, argv: () => Promise<string[]> | string[], message: RegExp][] = [
    ["no such command", () => ["frain"], /unknown command frain/],
    ["no data", () => ["train"], /<data> is missing/],
    ["an unknown option", () => ["train", at("good.npz"), "--unit", "5"], /unknown option --unit/],
    [
      "a number that is none",
      () => ["train", at("good.npz"), "--units", "many"],
      /--units must be a whole number from 1 to 1024, got many/,
    ],
    ["a choice that is none", () => ["train", at("good.npz"), "--padding", "left"], /--padding must be one of leading, any, none/],
    ["costs that are none", () => ["train", at("good.npz"), "--costs", "1:0"], /--costs must be two numbers above 0 such as 1:5, got 1:0/],
    ["a missing file", () => ["train", at("nothing.npz")], /nothing\.npz: cannot be read: there is no such file/],
    ["a missing artifact", () => ["score", at("nothing.safetensors"), at("good.npz")], /nothing\.safetensors: cannot be read/],
    [
      "an artifact that is none",
      () => ["evaluate", at("good.npz"), at("good.npz")],
      /good\.npz: is an archive of NumPy, not an artifact: expected a model that train or import wrote/,
    ],
    [
      "data in an artifact's place",
      () => {
        writeFileSync(at("rows.csv"), "a,b,label\n1,2,0\n3,4,1\n");
        return ["score", at("rows.csv"), at("model.safetensors")];
      },
      /rows\.csv: is no artifact, which train or import writes: the artifact comes first, then the data/,
    ],
    ["a format nobody reads", () => ["train", at("model.safetensors")], /extension \.safetensors, expected/],
    [
      "a truncated npz",
      () => {
        writeFileSync(at("cut.npz"), readFileSync(at("good.npz")).subarray(0, 5000));
        return ["train", at("cut.npz")];
      },
      /cut\.npz: /,
    ],
    [
      "NaN, with its place",
      async () => ["train", await writeData("nan.npz", (X) => (X[3 * 50 + 2 * 5 + 4] = Number.NaN)), "--missing", "refuse"],
      /X\[3\]\[2\]\[4\] is NaN/,
    ],
    [
      "Infinity, with its place",
      async () => ["evaluate", at("model.safetensors"), await writeData("inf.npz", (X) => (X[7] = Infinity))],
      /X\[0\]\[1\]\[2\] is Infinity/,
    ],
    ["a label of 2", async () => ["train", await writeData("two.npz", (_, y) => (y[5] = 2))], /two classes only.*2 first at y\[5\]/],
    ["one class only", async () => ["train", await writeData("one.npz", (_, y) => y.fill(1))], /holds only the label 1/],
    [
      "too few sequences",
      async () => ["train", await writeData("few.npz", undefined, 39), "--learner", "auto"],
      /holds 39 sequences, expected at least 40/,
    ],
    [
      "a file of nothing but padding",
      async () => ["train", await writeData("zero.npz", (X) => X.fill(0))],
      /zero\.npz: all 400 sequences are nothing but padding/,
    ],
    ["constant features only", async () => ["train", await writeData("flat.npz", (X) => X.fill(1))], /constant/],
    [
      "a sequence without a valid row, to score",
      async () => ["score", at("model.safetensors"), await writeData("gap.npz", (X) => X.fill(0, 50, 100))],
      /\[1\]/,
    ],
    [
      "standard input without a format",
      () => ["score", at("model.safetensors"), "-"],
      /standard input has no ending: say --format csv\|jsonl/,
    ],
    [
      "a feature named twice",
      () => ["train", at("good.npz"), "--features", "a,b,a"],
      /--features must be up to 64 different names separated by commas/,
    ],
    [
      "a bad line far on, to score to standard output",
      () => {
        const good = Array.from({ length: 20_000 }, () => JSON.stringify([[1, 2, 3, 4, 5]]));
        writeFileSync(at("far.jsonl"), [...good, "[[1,2,3,4,null]]"].join("\n"));
        return ["score", at("model.safetensors"), at("far.jsonl")];
      },
      /far\.jsonl: line 20001: sequence\[0\]\[4\] must be a finite number, got null/,
    ],
    [
      "a bad line far on, to score to a file",
      () => ["score", at("model.safetensors"), at("far.jsonl"), "--threads", "2", "--out", at("far.parquet")],
      /far\.jsonl: line 20001/,
    ],
    [
      "padding only, far on and on several threads",
      () => {
        const good = Array.from({ length: 20_000 }, () => JSON.stringify([[1, 2, 3, 4, 5]]));
        writeFileSync(at("pad.jsonl"), [...good, "[[0,0,0,0,0]]"].join("\n"));
        return ["score", at("model.safetensors"), at("pad.jsonl"), "--threads", "2"];
      },
      /sequences\[20000\] must have at least one row that is not all zeros/,
    ],
    ["labels that do not fit", () => ["evaluate", at("model.safetensors"), at("good.npz"), "--labels", at("q.npy")], /q\.npy/],
    [
      "an output nobody writes",
      () => ["score", at("model.safetensors"), at("good.npz"), "--out", at("q.xlsx")],
      /--out must end in \.csv, \.jsonl, \.parquet or \.npy, got/,
    ],
    [
      "a folder in the way of --out",
      () => ["train", at("good.npz"), "--units", "2", "--epochs", "1", "--out", folder],
      /cannot be written/,
    ],
    ["a file where a folder should be", () => ["sample", "sp500", "--out", at("good.npz")], /cannot be written/],
    ["a group nobody knows", () => ["train", at("good.npz"), "--group", "customer"], /customer/],
  ];
  it.each(cases)("%s", async (_, argv, message) => {
    const words = await argv();
    const before = readdirSync(folder).sort();
    const { status, stdout, stderr } = quickstep(...words);
    const complaint = stderr.split("\n").filter((line) => line.startsWith("quickstep: "));
    expect(complaint.join("\n")).toMatch(message);
    expect(complaint.length).toBe(1);
    expect(stderr).not.toMatch(/\n {4}at /); // no stack
    expect([status, stdout]).toEqual([2, ""]);
    expect(readdirSync(folder).sort()).toEqual(before);
  });

  it("a disk that is full in the middle of a write leaves neither the file nor a temporary one", () => {
    // A limit on the size of files stands in for the disk: the write fails after some bytes, as it does there.
    const command = 'ulimit -f 1; exec "$0" "$@"';
    const argv = [process.execPath, MAIN, "score", at("model.safetensors"), at("good.npz"), "--out", at("full.npy")];
    const before = readdirSync(folder).sort();
    const { status, stderr } = spawnSync("sh", ["-c", command, ...argv], { cwd: folder, encoding: "utf8" });
    expect(stderr).toContain("full.npy: cannot be written");
    expect(status).toBe(2);
    expect(readdirSync(folder).sort()).toEqual(before);
  });
});
