// Networks of layers in the artifact: they come back as they are, and whatever is off is refused before memory is taken.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeArtifact, encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { parseLayers, textOfLayer } from "../../../shared/artifact/layer-texts.ts";
import { parseMembers } from "../../../shared/artifact/member-texts.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import type { Member } from "../../../shared/members.ts";
import { checkGolden } from "../../../shared/model.ts";
import { createDraw, drawNetwork } from "../../fixtures/draw-layers.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeLayeredModel } from "../../fixtures/layered-model.ts";
import { randomLayers } from "../../fixtures/random-layers.ts";
import { makeStack } from "../../fixtures/stack.ts";

const T = 7;

test("a model of one network of layers comes back with its bits, and scores its golden vectors", () => {
  const model = makeLayeredModel(kernel, { timesteps: T });
  const bytes = encodeArtifact(model);
  const back = decodeArtifact(bytes);
  expect(back.members).toEqual(model.members);
  expect(encodeArtifact(back)).toEqual(bytes);
  checkGolden(back, createWasmEngine(kernel, back), instantiateKernel(kernel).log);
});

test("a member of two networks of the same layers comes back with its bits", () => {
  const model = makeStack(kernel, { kinds: ["layers", "linear"] });
  const bytes = encodeArtifact(model);
  const back = decodeArtifact(bytes);
  expect(back.members).toEqual(model.members);
  expect(encodeArtifact(back)).toEqual(bytes);
  checkGolden(back, createWasmEngine(kernel, back), instantiateKernel(kernel).log);
});

test("a member of no networks, or of more than 64, is refused", () => {
  const members = (networks: number) => [
    {
      kind: "layers",
      layers: [
        { kind: "globalPooling", by: ["last"] },
        { kind: "dense", units: 1 },
      ],
      networks,
    },
  ];
  const parse = (networks: number) => () => parseMembers(members(networks), undefined, { channels: 3, timesteps: T, padding: "any" });
  expect(parse(64)).not.toThrow();
  expect(parse(65)).toThrow("members[0].networks is 65, expected 1 to 64 networks");
  expect(parse(0)).toThrow("members[0].networks is 0, expected 1 to 64 networks");
});

test.each([{ padding: "leading" as const }, { padding: "none" as const }])("random networks come back, padding $padding", ({ padding }) => {
  fc.assert(
    fc.property(randomLayers(T, padding === "none", 6), (layers) => {
      const model = makeLayeredModel(kernel, { timesteps: T, padding, network: drawNetwork(layers, 6, createDraw(3)) });
      expect(decodeArtifact(encodeArtifact(model)).members).toEqual(model.members);
    }),
    { numRuns: 40, seed: 1 },
  );
});

describe("refuses", () => {
  const shape = { channels: 3, timesteps: T, padding: "none" } as const;
  const lstm = { cell: "lstm", units: 4 };
  const gru = { cell: "gru", units: 4 };
  const head = { kind: "dense", units: 1 };
  const refusal = (layers: unknown, padding: "none" | "any" = "none"): string => {
    try {
      parseLayers(layers, "layers", { ...shape, padding });
    } catch (error) {
      return (error as Error).message;
    }
    return "nothing";
  };

  test.each<{ layers: unknown; sentence: string }>([
    { layers: undefined, sentence: "artifact layers is missing, expected 1 to 64 layers" },
    { layers: Array(65).fill(head), sentence: "expected 1 to 64 layers" },
    { layers: [null, head], sentence: "artifact layers[0] is null, expected an object" },
    {
      layers: [{ kind: "attention" }, head],
      sentence: 'artifact layers[0].kind is "attention", which this code does not know: update and redeploy quickstep',
    },
    {
      layers: [{ kind: "toString" }, head],
      sentence: 'artifact layers[0].kind is "toString", which this code does not know: update and redeploy quickstep',
    },
    {
      layers: [{ kind: "dense", units: 1, heads: 2 }],
      sentence: "artifact layers[0].heads is 2, which this code does not know: update and redeploy quickstep",
    },
    { layers: [{ kind: "dense", units: 0 }], sentence: "artifact layers[0].units is 0, expected 1 to 4096" },
    { layers: [{ kind: "dense", units: 1e9 }, head], sentence: "artifact layers[0].units is 1000000000, expected 1 to 4096" },
    { layers: [{ kind: "dense" }], sentence: "artifact layers[0].units is missing, expected 1 to 4096" },
    {
      layers: [{ kind: "recurrent", cell: { ...lstm, peepholes: true }, returns: "state" }, head],
      sentence: "artifact layers[0].cell.peepholes is true, which this code does not know: update and redeploy quickstep",
    },
    {
      layers: [{ kind: "recurrent", cell: { ...lstm, activation: { kind: "mish" } }, returns: "state" }, head],
      sentence: 'artifact layers[0].cell.activation.kind is "mish", which this code does not know: update and redeploy quickstep',
    },
    {
      layers: [{ kind: "recurrent", cell: { ...lstm, recurrentActivation: { kind: "hardSigmoid", slope: -1 } }, returns: "state" }, head],
      sentence: "artifact layers[0].cell.recurrentActivation.slope is -1, expected a number above 0",
    },
    {
      layers: [{ kind: "recurrent", cell: { ...gru, initialCell: true }, returns: "state" }, head],
      sentence: "artifact layers[0].cell.initialCell is true, which this code does not know: update and redeploy quickstep",
    },
    {
      layers: [{ kind: "recurrent", cell: lstm, returns: "all" }, head],
      sentence: 'artifact layers[0].returns is "all", expected one of sequence, state, cell, or update and redeploy quickstep',
    },
    {
      layers: [{ kind: "recurrent", cell: gru, returns: "cell" }, head],
      sentence: 'artifact layers[0].returns is "cell", expected it of an LSTM alone',
    },
    {
      layers: [{ kind: "bidirectional", forward: lstm, backward: { ...lstm, units: 5 }, merge: "sum", returns: "state" }, head],
      sentence: "artifact layers[0].backward.units is 5, expected 4, as forward has, to merge by sum",
    },
    {
      layers: [{ kind: "pooling", by: "max", poolSize: 2, strides: 1, pads: [2, 0] }],
      sentence: "artifact layers[0].pads is [2,0], expected fewer rows than the 2 of a window",
    },
    {
      layers: [{ kind: "pooling", by: "max", poolSize: 2, strides: 0, pads: [0, 0] }],
      sentence: "artifact layers[0].strides is 0, expected 1 to 512",
    },
    {
      layers: [{ kind: "globalPooling", by: [] }, head],
      sentence: "artifact layers[0].by is [], expected 1 to 4 of first, last, mean, max, ends",
    },
    {
      layers: [{ kind: "globalPooling", by: ["ends"] }, head],
      sentence: "artifact layers[0] takes the ends of rows of 3 numbers, expected two halves",
    },
    {
      layers: [{ kind: "dense", units: 1 }, { kind: "attentionPooling" }, head],
      sentence: "artifact layers[1] is given rows of one number, expected a score behind others",
    },
    {
      layers: [{ kind: "branches", merge: "sum", branches: [[]] }, head],
      sentence: "artifact layers[0].branches is [[]], expected 2 to 8 lists",
    },
    {
      layers: [{ kind: "branches", merge: "ave", branches: [[], []] }, head],
      sentence: 'artifact layers[0].merge is "ave", expected one of concat, sum, mul, or update and redeploy quickstep',
    },
    {
      layers: [{ kind: "branches", merge: "sum", branches: [[], [{ kind: "dense", units: 0 }]] }, head],
      sentence: "artifact layers[0].branches[1][0].units is 0, expected 1 to 4096",
    },
    {
      layers: [{ kind: "branches", merge: "sum", branches: [[], [{ kind: "dense", units: 4 }]] }, head],
      sentence: "artifact layers[0].branches leave rows of 3, 4 numbers, expected as many each for a sum",
    },
    {
      layers: [{ kind: "branches", merge: "concat", branches: [[], [{ kind: "globalPooling", by: ["last"] }]] }, head],
      sentence:
        "artifact layers[0] is (as it is beside last row), which a sequence of 7 of up to 7 rows reaches with 7 rows: padding must be none, and the rows enough",
    },
    {
      layers: [1, 2, 3, 4, 5].reduce<unknown[]>((inner) => [{ kind: "branches", merge: "sum", branches: [[], inner] }], []),
      sentence: ".branches lies deeper than 4 branches",
    },
    { layers: [{ kind: "layerNormalization", epsilon: 0 }], sentence: "artifact layers[0].epsilon is 0, expected a number above 0" },
    {
      layers: [{ kind: "flatten", steps: 6 }, head],
      sentence:
        "artifact layers[0] is flatten 6 rows, which a sequence of 7 of up to 7 rows reaches with 7 rows: padding must be none, and the rows enough",
    },
    { layers: [head], sentence: "artifact layers leaves 7 × 1 numbers of a sequence of 7 rows, expected one, the logit" },
    {
      layers: [{ kind: "globalPooling", by: ["last"] }],
      sentence: "artifact layers leaves 1 × 3 numbers of a sequence of 7 rows, expected one, the logit",
    },
    {
      layers: [...Array(4).fill({ kind: "conv", filters: 4096, kernelSize: 1, strides: 1, dilationRate: 1, pads: [64, 0] }), head],
      sentence: "artifact layers[0] leaves 71 rows of 4096 numbers, expected at most 262144 numbers",
    },
  ])("$sentence", ({ layers, sentence }) => {
    expect(refusal(layers)).toContain(sentence);
  });

  test("layers that need all rows, where sequences may be shorter", () => {
    const flat = [{ kind: "flatten", steps: T }, head];
    expect(refusal(flat)).toBe("nothing");
    expect(refusal(flat, "any")).toContain("layers[0] is flatten 7 rows, which a sequence of 1 of up to 7 rows reaches with 1 rows");
  });

  test("a weight that is not finite", () => {
    const { networks } = makeLayeredModel(kernel).members[0] as Extract<Member, { kind: "layers" }>;
    const broken = structuredClone(networks[0]);
    (broken.layers[1] as { forward: { kernel: Float32Array } }).forward.kernel[2] = Number.NaN;
    const model = { ...makeLayeredModel(kernel), members: [{ kind: "layers" as const, networks: [broken] }] };
    expect(() => decodeArtifact(encodeArtifact(model))).toThrow("member0.layer1.forward.kernel[2] is NaN");
  });
});

test("texts leave weights out and say which optional ones there are", () => {
  const { layers } = drawNetwork(
    [
      {
        kind: "recurrent",
        cell: { cell: "gru", units: 2, recurrentBias: true, activation: { kind: "elu", alpha: 0.5 } },
        returns: "state",
      },
    ],
    3,
    createDraw(1),
  );
  expect(layers.map(textOfLayer)).toEqual([
    { kind: "recurrent", cell: { cell: "gru", units: 2, recurrentBias: true, activation: { kind: "elu", alpha: 0.5 } }, returns: "state" },
  ]);
});
