import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeArtifact, encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { GOLDEN_COUNT } from "../../../shared/artifact/tensors.ts";
import { ArtifactError } from "../../../shared/errors.ts";
import type { Model } from "../../../shared/model.ts";
import type { Input } from "../../../shared/recipe/inputs.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { CHANNELS, makeModel, withNetwork } from "../../fixtures/model.ts";
import { frame, type Parts, putTogether, takeApart, tensor } from "./parts.ts";

const model = makeModel(kernel, { units: 3 });
const bytes = encodeArtifact(model);
/** Five features: one of rows, three levels, one once a sequence. */
const INPUTS: readonly Input[] = [
  { name: "a" },
  { name: "__proto__", levels: ["", 'b,"c"\u0007', "constructor"] },
  { name: "age", static: true },
];

function errorOf(artifact: Uint8Array): unknown {
  try {
    return decodeArtifact(artifact);
  } catch (error) {
    return error;
  }
}

function expectArtifactError(artifact: Uint8Array, sentence: string): void {
  const error = errorOf(artifact);
  expect(error).toBeInstanceOf(ArtifactError);
  expect((error as ArtifactError).message).toBe(sentence);
}

describe("round trip", () => {
  test.each<[string, Model]>([
    ["10 × 5, every view and base", model],
    ["one feature, one step, one unit", makeModel(kernel, { timesteps: 1, features: ["x"], units: 1, channels: [CHANNELS[0]] })],
    [
      "a name beyond ASCII, zero rows as data, nothing standardised",
      makeModel(kernel, { name: "σειρά 🌊", padding: "none", standardise: false }),
    ],
    ["100 units, padding everywhere", makeModel(kernel, { units: 100, padding: "any" })],
    [
      "gaps, in golden vectors too",
      makeModel(kernel, {
        gaps: [0, 3],
        channels: [
          ...CHANNELS,
          { base: "sinceObserved", a: 3, view: "level" },
          { base: "feature", a: 3, view: "level", whereObserved: true },
          { base: "difference", a: 0, b: 3, view: "level", medianFilled: true },
        ],
      }),
    ],
    [
      "a drift reference of one value a sequence",
      {
        ...model,
        reference: {
          ...model.reference,
          sequences: {
            edges: Float32Array.from({ length: (model.recipe.channels.length + 3) * 9 }, (_, i) => i),
            counts: new Uint32Array((model.recipe.channels.length + 3) * 10).fill(7),
          },
        },
      },
    ],
    ["a number besides 0 that marks padding", { ...model, recipe: { ...model.recipe, mask: -1e9 } }],
    ["a category of odd texts and what is given once a sequence", makeModel(kernel, { inputs: INPUTS })],
    ["whole numbers of 16 bits", withNetwork(model, { precision: "int16" })],
    [
      "hard gates, backwards, from a state",
      withNetwork(model, {
        hardGates: 1 / 6,
        backwards: true,
        initial: { hidden: Float32Array.of(1, 2, 3), cell: Float32Array.of(4, 5, 6) },
      }),
    ],
  ])("decodes what was encoded, bit for bit: %s", (_, original) => {
    expect(decodeArtifact(encodeArtifact(original))).toEqual(original);
  });

  test("encodes what was decoded into the same bytes", () => {
    expect(encodeArtifact(decodeArtifact(bytes))).toEqual(bytes);
  });

  test("decodes bytes at any offset of a larger buffer", () => {
    const larger = new Uint8Array(bytes.length + 9);
    larger.set(bytes, 5);
    expect(decodeArtifact(larger.subarray(5, 5 + bytes.length))).toEqual(model);
  });

  test("starts the data at a multiple of 16 bytes, as safetensors' own readers expect it", () => {
    const headerBytes = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect((8 + headerBytes) % 16).toBe(0);
    const parts = takeApart(bytes);
    const ends = Object.entries(parts.header).flatMap(([name, entry]) => (name === "__metadata__" ? [] : [entry.data_offsets[1]]));
    expect(Math.max(...ends)).toBe(parts.data.length);
  });

  test("carries the CRC-32 of its metadata and data, as zip computes it", () => {
    const { __metadata__ } = takeApart(bytes).header;
    const { checksum, ...rest } = __metadata__;
    const texts = new TextEncoder().encode(JSON.stringify(Object.entries(rest)));
    expect(checksum).toBe(
      crc32(Buffer.concat([texts, takeApart(bytes).data]))
        .toString(16)
        .padStart(8, "0"),
    );
  });

  test("an unchanged artifact passes through the tests' own taking apart", () => {
    expect(decodeArtifact(putTogether(takeApart(bytes)))).toEqual(model);
  });
});

describe("the frame", () => {
  test("rejects an empty file", () =>
    expectArtifactError(new Uint8Array(), "artifact: the file has 0 bytes, expected a safetensors header"));

  test("rejects a file of another kind", () =>
    expectArtifactError(
      new TextEncoder().encode("<!doctype html><title>404</title>"),
      "artifact: the file is no safetensors file, or damaged: the first 8 bytes claim a header of 8104636974849335000 bytes, expected at most 1048576",
    ));

  test("rejects a header that was cut short", () =>
    expectArtifactError(
      bytes.subarray(0, 100),
      `artifact: the header claims ${takeApartLength()} bytes, but the file has 100: the file is cut short or damaged`,
    ));

  test("rejects data that is not aligned", () => {
    const out = new Uint8Array(8 + 2);
    out.set([2], 0);
    out.set(new TextEncoder().encode("{}"), 8);
    expectArtifactError(out, "artifact the data starts at byte 10, expected a multiple of 16");
  });

  test.each([
    ["{", "artifact: the header is not JSON: the file is damaged, or no safetensors file"],
    ["[1,2]", "artifact: the header is not a JSON object: the file is damaged"],
    ["null", "artifact: the header is not a JSON object: the file is damaged"],
    ["{}", "artifact __metadata__ is missing, expected an object"],
  ])("rejects the header %s", (header, sentence) => expectArtifactError(frame(header, new Uint8Array()), sentence));

  test("rejects data that was cut short, and says which tensor", () =>
    expectArtifactError(
      bytes.subarray(0, bytes.length - 1),
      `artifact reference.scoreCounts ends at byte ${takeApart(bytes).data.length} of the data, but there are only ${takeApart(bytes).data.length - 1}: the file is cut short`,
    ));

  test("rejects data behind the last tensor", () => {
    const longer = new Uint8Array(bytes.length + 4);
    longer.set(bytes);
    const { length } = takeApart(bytes).data;
    expectArtifactError(longer, `artifact the data ends at byte ${length + 4}, expected ${length}`);
  });
});

function takeApartLength(): bigint {
  return new DataView(bytes.buffer).getBigUint64(0, true);
}

const long = Array.from({ length: 65 }, (_, i) => `f${i}`);

test.each<[what: string, change: (parts: Parts) => void, sentence: string]>([
  [
    "no format",
    ({ metadata }) => delete metadata.format,
    "format is missing, expected quickstep/2: this safetensors file was not written by quickstep train",
  ],
  [
    "a foreign format",
    ({ metadata }) => (metadata.format = "pt"),
    'format is "pt", expected quickstep/2: this safetensors file was not written by quickstep train',
  ],
  [
    "a newer format",
    ({ metadata }) => (metadata.format = "quickstep/3"),
    "format quickstep/3 is not the quickstep/2 this code reads: update and redeploy quickstep",
  ],
  [
    "an older format",
    ({ metadata }) => (metadata.format = "quickstep/0"),
    "format quickstep/0 is not the quickstep/2 this code reads: retrain the model",
  ],
  ["no name", ({ metadata }) => delete metadata.name, "name is missing, expected text"],
  ["an empty name", ({ metadata }) => (metadata.name = ""), 'name is "", expected text'],

  ["no recipe", ({ metadata }) => delete metadata.recipe, "recipe is missing, expected JSON text"],
  ["a recipe that is no object", ({ metadata }) => (metadata.recipe = [1]), "recipe is [1], expected an object"],
  ["timesteps 0", ({ metadata }) => (metadata.recipe.timesteps = 0), "recipe.timesteps is 0, expected 1 to 512"],
  ["timesteps 513", ({ metadata }) => (metadata.recipe.timesteps = 513), "recipe.timesteps is 513, expected 1 to 512"],
  ["timesteps 9.5", ({ metadata }) => (metadata.recipe.timesteps = 9.5), "recipe.timesteps is 9.5, expected 1 to 512"],
  ["timesteps as text", ({ metadata }) => (metadata.recipe.timesteps = "10"), 'recipe.timesteps is "10", expected 1 to 512'],
  ["no features", ({ metadata }) => (metadata.recipe.features = []), "recipe.features is [], expected 1 to 64 names"],
  [
    "65 features",
    ({ metadata }) => (metadata.recipe.features = long),
    `recipe.features is ${JSON.stringify(long).slice(0, 77)}…, expected 1 to 64 names`,
  ],
  [
    "a feature without a name",
    ({ metadata }) => (metadata.recipe.features = ["a", null]),
    'recipe.features is ["a",null], expected 1 to 64 names',
  ],
  [
    "an input that is no object",
    ({ metadata }) => (metadata.recipe.features = ["a", 7, "c", "d", "e"]),
    'recipe.features is ["a",7,"c","d","e"], expected 1 to 64 names',
  ],
  [
    "an input without a name",
    ({ metadata }) => (metadata.recipe.features = ["a", { static: true }]),
    "recipe.features[1].name is missing, expected text",
  ],
  [
    "a level twice",
    ({ metadata }) => (metadata.recipe.features = [{ name: "a", levels: ["x", "x"] }]),
    'recipe.features[0].levels is ["x","x"], expected 1 to 32 different texts without spaces around them',
  ],
  [
    "33 levels",
    ({ metadata }) => (metadata.recipe.features = [{ name: "a", levels: Array.from({ length: 33 }, (_, i) => `l${i}`) }]),
    `recipe.features[0].levels is ${JSON.stringify(Array.from({ length: 33 }, (_, i) => `l${i}`)).slice(0, 77)}…, expected 1 to 32 different texts without spaces around them`,
  ],
  [
    "static inputs before others",
    ({ metadata }) => (metadata.recipe.features = ["a", { name: "b", static: true }, "c"]),
    'recipe.features is ["a",{"name":"b","static":true},"c"], expected what is static behind what is given in rows',
  ],
  [
    "nothing but static inputs",
    ({ metadata }) => (metadata.recipe.features = [{ name: "b", static: true }]),
    'recipe.features is [{"name":"b","static":true}], expected what is static behind what is given in rows',
  ],
  [
    "inputs that make 65 features",
    ({ metadata }) => {
      const levels = Array.from({ length: 32 }, (_, i) => `l${i}`);
      metadata.recipe.features = ["a", { name: "b", levels }, { name: "c", levels }];
    },
    "recipe.features make 65 features, expected at most 64",
  ],
  ["an unknown padding", ({ metadata }) => (metadata.recipe.padding = "pre"), 'recipe.padding is "pre", expected leading, any, none'],
  [
    "a mask that is no number",
    ({ metadata }) => (metadata.recipe.padding = { zeros: "any", mask: "0" }),
    'recipe.padding is {"zeros":"any","mask":"0"}, expected leading, any, none as zeros, beside a number as mask',
  ],
  ["no channels", ({ metadata }) => (metadata.recipe.channels = []), "recipe.channels is [], expected 1 to 1024 channels"],
  ["a channel that is no object", ({ metadata }) => (metadata.recipe.channels[1] = 7), "recipe.channels[1] is 7, expected an object"],
  [
    "an unknown base",
    ({ metadata }) => (metadata.recipe.channels[1].base = "sum"),
    'recipe.channels[1].base is "sum", expected feature, difference, logRatio, observed, sinceObserved',
  ],
  [
    "an unknown view",
    ({ metadata }) => (metadata.recipe.channels[1].view = "square"),
    'recipe.channels[1].view is "square", expected level, delta, log, logDelta, centred, absDelta, logAbsDelta, rate',
  ],
  [
    "a log view of a log ratio without a floor",
    ({ metadata }) => (metadata.recipe.channels[5].view = "log"),
    "recipe.floor[17] is 0, expected a number above 0",
  ],
  [
    "a feature beyond the last",
    ({ metadata }) => (metadata.recipe.channels[1].a = 5),
    "recipe.channels[1] looks at features 5 and missing of 5",
  ],
  [
    "a negative feature",
    ({ metadata }) => (metadata.recipe.channels[1].a = -1),
    "recipe.channels[1] looks at features -1 and missing of 5",
  ],
  ["a pair of one feature", ({ metadata }) => (metadata.recipe.channels[4].b = 4), "recipe.channels[4] looks at features 4 and 4 of 5"],
  [
    "a pair without a second",
    ({ metadata }) => delete metadata.recipe.channels[4].b,
    "recipe.channels[4] looks at features 4 and missing of 5",
  ],
  ["clip 0", ({ metadata }) => (metadata.recipe.clip = 0), "recipe.clip is 0, expected a number above 0"],
  ["clip NaN", ({ metadata }) => (metadata.recipe.clip = Number.NaN), "recipe.clip is null, expected a number above 0"],
  [
    "one length",
    ({ metadata }) => (metadata.recipe.lengths = [1]),
    "recipe.lengths is [1], expected the shortest and longest length, 1 to 10",
  ],
  [
    "length 0",
    ({ metadata }) => (metadata.recipe.lengths = [0, 10]),
    "recipe.lengths is [0,10], expected the shortest and longest length, 1 to 10",
  ],
  [
    "length 11",
    ({ metadata }) => (metadata.recipe.lengths = [1, 11]),
    "recipe.lengths is [1,11], expected the shortest and longest length, 1 to 10",
  ],
  [
    "lengths in the wrong order",
    ({ metadata }) => (metadata.recipe.lengths = [9, 2]),
    "recipe.lengths is [9,2], expected the shortest and longest length, 1 to 10",
  ],

  [
    "a missing tensor",
    ({ header }) => delete header["member0.network0.head.kernel"],
    "member0.network0.head.kernel is missing, expected an object",
  ],
  [
    "a tensor of another type",
    ({ header }) => (header["member0.network0.lstm.kernel"].dtype = "F16"),
    'member0.network0.lstm.kernel is of type "F16", expected F32',
  ],
  [
    "a tensor of another shape",
    ({ header }) => (header["member0.network0.lstm.kernel"].shape = [5, 12]),
    "member0.network0.lstm.kernel has shape [5,12], expected [6,12]",
  ],
  [
    "fewer golden vectors",
    ({ header }) => (header["golden.inputs"].shape = [31, 10, 5]),
    `golden.inputs has shape [31,10,5], expected [${GOLDEN_COUNT},10,5]`,
  ],
  [
    "a tensor somewhere else",
    ({ header }) => (header["recipe.mean"].data_offsets = [8, 56]),
    "recipe.mean lies at [8,56], expected [0,48]",
  ],
  ["a tensor without a place", ({ header }) => delete header["recipe.mean"].data_offsets, "recipe.mean lies at missing, expected [0,48]"],

  [
    "a weight that is NaN",
    (parts) => (tensor(parts, "member0.network0.lstm.recurrent", Float32Array)[7] = Number.NaN),
    "member0.network0.lstm.recurrent[7] is NaN, expected a finite number: the weights are damaged",
  ],
  [
    "an infinite mean",
    (parts) => (tensor(parts, "recipe.mean", Float64Array)[2] = -1 / 0),
    "recipe.mean[2] is -Infinity, expected a finite number: the weights are damaged",
  ],
  ["scale 0", (parts) => (tensor(parts, "recipe.scale", Float64Array)[1] = 0), "recipe.scale[1] is 0, expected a number above 0"],
  [
    "a floor of 0 under a logarithm",
    (parts) => (tensor(parts, "recipe.floor", Float64Array)[8] = 0),
    "recipe.floor[8] is 0, expected a number above 0",
  ],
  [
    "a floor of 0 under a log ratio's second feature",
    (parts) => (tensor(parts, "recipe.floor", Float64Array)[16] = 0),
    "recipe.floor[16] is 0, expected a number above 0",
  ],
  [
    "a golden probability above 1",
    (parts) => (tensor(parts, "golden.probabilities", Float32Array)[3] = 1.5),
    "a golden probability is 1.5, expected 0 to 1",
  ],

  ["no calibration", ({ metadata }) => delete metadata.calibration, "calibration is missing, expected JSON text"],
  [
    "a calibration that turns around",
    ({ metadata }) => (metadata.calibration.slope = -1),
    'calibration is {"slope":-1,"intercept":-0.5}, expected a slope above 0 and an intercept',
  ],
  [
    "no intercept",
    ({ metadata }) => delete metadata.calibration.intercept,
    'calibration is {"slope":1.25}, expected a slope above 0 and an intercept',
  ],
  ["no positive rate", ({ metadata }) => delete metadata.positiveRate, "positiveRate is missing, expected JSON text"],
  ...[0, 1, -0.1, "0.25", null].map((rate): [string, (parts: Parts) => void, string] => [
    `a positive rate of ${JSON.stringify(rate)}`,
    ({ metadata }) => (metadata.positiveRate = rate),
    `positiveRate is ${JSON.stringify(rate)}, expected a number above 0 and below 1`,
  ]),
  ["no operating point", ({ metadata }) => (metadata.operatingPoints = []), "operatingPoints is [], expected at least one"],
  [
    "an operating point without a name",
    ({ metadata }) => (metadata.operatingPoints[1].name = ""),
    'operatingPoints[1].name is "", expected text',
  ],
  [
    "a threshold above 1",
    ({ metadata }) => (metadata.operatingPoints[0].threshold = 1.1),
    "operatingPoints[0].threshold is 1.1, expected 0 to 1",
  ],
  [
    "a threshold below 0",
    ({ metadata }) => (metadata.operatingPoints[0].threshold = -0.1),
    "operatingPoints[0].threshold is -0.1, expected 0 to 1",
  ],
  [
    "two operating points of one name",
    ({ metadata }) => (metadata.operatingPoints[1].name = "balanced"),
    'operatingPoints[1].name is "balanced", which operatingPoints[0] has already: a name must say one thing',
  ],
  [
    "figures that are no object",
    ({ metadata }) => (metadata.operatingPoints[0].figures = null),
    "operatingPoints[0].figures is null, expected an object",
  ],
  [
    "a figure nobody knows",
    ({ metadata }) => (metadata.operatingPoints[0].figures.luck = { value: 1, low: 1, high: 1 }),
    'operatingPoints[0].figures holds "luck", expected precision, recall, f1, balancedAccuracy, cost',
  ],
  [
    "a figure without an end",
    ({ metadata }) => (metadata.operatingPoints[0].figures.precision = { value: 0.75, low: 0.5 }),
    'operatingPoints[0].figures.precision is {"value":0.75,"low":0.5}, expected the numbers value, low and high',
  ],
  [
    "a figure that is not finite",
    ({ metadata }) => (metadata.operatingPoints[0].figures.precision.low = Number.NaN), // JSON has null for it
    'operatingPoints[0].figures.precision is {"value":0.75,"low":null,"high":0.9}, expected the numbers value, low and high',
  ],
  ["no members", ({ metadata }) => delete metadata.members, "members is missing, expected JSON text"],
  ["an empty list of members", ({ metadata }) => (metadata.members = []), "members is [], expected 1 to 16"],
  [
    "a member of a kind that this code does not know",
    ({ metadata }) => (metadata.members[0].kind = "oracle"),
    'members[0].kind is "oracle", which this code does not know: update and redeploy quickstep',
  ],
  [
    "a member without networks",
    ({ metadata }) => (metadata.members[0].networks = []),
    "members[0].networks is [], expected 1 to 64 networks",
  ],
  ...[0, 4097, 2.5, "3"].map((units): [string, (parts: Parts) => void, string] => [
    `${JSON.stringify(units)} units`,
    ({ metadata }) => (metadata.members[0].networks[0].units = units),
    `members[0].networks[0].units is ${JSON.stringify(units)}, expected 1 to 4096`,
  ]),
  [
    "a network this code does not know",
    ({ metadata }) => (metadata.members[0].networks[0].peepholes = true),
    "members[0].networks[0].peepholes is true, which this code does not know: update and redeploy quickstep",
  ],
  ...["constructor", "toString", "__proto__"].map((key): [string, (parts: Parts) => void, string] => [
    `a network that says ${key}, which every object has`,
    ({ metadata }) => Object.defineProperty(metadata.members[0].networks[0], key, { value: true, enumerable: true }),
    `members[0].networks[0].${key} is true, which this code does not know: update and redeploy quickstep`,
  ]),
  [
    "hard gates without a slope",
    ({ metadata }) => (metadata.members[0].networks[0].hardGates = 0),
    "members[0].networks[0].hardGates is 0, which this code does not know: update and redeploy quickstep",
  ],
  [
    "a precision this code does not know",
    ({ metadata }) => (metadata.members[0].networks[0].precision = "int8"),
    'members[0].networks[0].precision is "int8", which this code does not know: update and redeploy quickstep',
  ],
  [
    "whole numbers with hard gates",
    ({ metadata }) => Object.assign(metadata.members[0].networks[0], { precision: "int16", hardGates: 0.2 }),
    'members[0].networks[0].precision is "int16", but a network of hard gates or an initial state is computed in float32',
  ],
  ["no card", ({ metadata }) => delete metadata.card, "card is missing, expected JSON text"],
  ["a card that is no object", ({ metadata }) => (metadata.card = "none"), 'card is "none", expected an object'],
])("rejects %s", (_, change, sentence) => {
  const parts = takeApart(bytes);
  change(parts);
  expectArtifactError(putTogether(parts), `artifact ${sentence}`);
});

test("metadata that is not JSON is said to be damaged", () => {
  const { header, data } = takeApart(bytes);
  header.__metadata__.recipe = "{";
  expectArtifactError(frame(JSON.stringify(header), data), "artifact recipe is not JSON: not a quickstep artifact, or damaged");
});

test("any bit flipped in metadata or data is found", () => {
  const { header, data } = takeApart(bytes);
  const text = new TextDecoder().decode(bytes);
  const from = text.indexOf("__metadata__") + "__metadata__".length;
  const headerEnd = bytes.length - data.length;
  const to = from + JSON.stringify(header.__metadata__).length;
  const flips = [...Array(to - from).keys()].map((i) => from + i).concat([...Array(data.length).keys()].map((i) => headerEnd + i));
  for (const at of flips) {
    const damaged = bytes.slice();
    damaged[at] ^= 1 << (at % 8);
    expect(errorOf(damaged), `byte ${at}`).toBeInstanceOf(ArtifactError);
  }
}, 30_000); // decodes some thousand times: 2 s, but more beside other work

describe("whatever happens to the bytes, decoding gives a model or an ArtifactError, nothing else", () => {
  const decodesOrSaysWhy = (artifact: Uint8Array): void => {
    const outcome = errorOf(artifact);
    if (outcome instanceof Error && !(outcome instanceof ArtifactError)) throw outcome;
  };
  const headerEnd = bytes.length - takeApart(bytes).data.length;

  test("bytes changed", () => {
    const change = fc.tuple(fc.oneof(fc.nat(headerEnd - 1), fc.nat(bytes.length - 1)), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const damaged = bytes.slice();
        for (const [at, value] of changes) damaged[at] = value;
        decodesOrSaysWhy(damaged);
      }),
      { numRuns: 2000, seed: 1 },
    );
  });

  test("any prefix", () => {
    for (let length = 0; length < bytes.length; length += length < headerEnd ? 1 : 7)
      expect(errorOf(bytes.subarray(0, length)), `${length} bytes`).toBeInstanceOf(ArtifactError);
  });

  test("any bytes behind a plausible length", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 8, maxLength: 64 }), (random) => {
        const frame = Uint8Array.from(random);
        frame.fill(0, 1, 8);
        decodesOrSaysWhy(frame);
      }),
      { numRuns: 500, seed: 1 },
    );
  });

  test("any JSON as metadata", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("recipe", "members", "calibration", "positiveRate", "operatingPoints", "card"),
        fc.jsonValue(),
        (key, value) => {
          const parts = takeApart(bytes);
          parts.metadata[key] = value;
          decodesOrSaysWhy(putTogether(parts));
        },
      ),
      { numRuns: 500, seed: 1 },
    );
  });
});
