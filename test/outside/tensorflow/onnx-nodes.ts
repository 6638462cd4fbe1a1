// The ONNX project's own tests of LSTM, GRU and RNN (onnx/backend/test/data/node, inside the package): each node is imported with a head that reads one
// unit of its last state, and has the states that the project expects.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { floats, node, raw } from "../../../trainer/export/onnx/graph.ts";
import { decodeModel, decodeTensor } from "../../../trainer/export/onnx/protobuf.ts";
import { importBytes, rejection, scoreBytes } from "../../fixtures/import/importing.ts";
import { int64s, onnxModel } from "../../fixtures/import/onnx-graphs.ts";

/** As the project's own runner has it. */
const TOLERANCE = 1e-5;

function readTensor(path: string) {
  const tensor = decodeTensor(readFileSync(path));
  return { dims: tensor.dims ?? [], values: new Float32Array(Uint8Array.from(tensor.rawData!).buffer), tensor };
}

/** Declares a test for each recurrent node below `data`. */
export function testNodes(data: string): void {
  const names = readdirSync(data).filter((name) => /^test_(gru|lstm|rnn|simple_rnn)_/.test(name));
  test("there are tests of each cell", () => expect(names.length).toBeGreaterThan(8));

  test.each(names)("ONNX' own %s", async (name) => {
    const graph = decodeModel(readFileSync(join(data, name, "model.onnx"))).graph!;
    const at = (file: string): string => join(data, name, "test_data_set_0", file);
    const [recurrent] = graph.node!;
    const [x, ...constants] = graph.input!.map((_, i) => readTensor(at(`input_${i}.pb`)));
    const state = readTensor(at(`output_${graph.output!.length - 1}.pb`)); // Y_h comes last
    const U = state.dims.at(-1)!;
    const isBatchFirst = recurrent.attribute?.some(({ name, i }) => name === "layout" && i === 1);
    const [T, N, F] = isBatchFirst ? [x.dims[1], x.dims[0], x.dims[2]] : x.dims;
    const values = Float64Array.from({ length: N * T * F }, (_, k) => {
      const [n, t, f] = [Math.floor(k / (T * F)), Math.floor(k / F) % T, k % F];
      return x.values[isBatchFirst ? k : (t * N + n) * F + f];
    });
    for (let u = 0; u < U; u++) {
      const bytes = onnxModel({
        opset: 14,
        input: "X",
        nodes: [
          recurrent,
          node("Reshape", [recurrent.output!.at(-1)!, "flat"], "h"),
          node("MatMul", ["h", "unit"], "z"),
          node("Sigmoid", ["z"], "p"),
        ],
        constants: [
          ...constants.map(({ tensor }) => tensor),
          int64s("flat", -1, U),
          floats("unit", [U, 1], raw(Float32Array.from({ length: U }, (_, v) => Number(v === u)))),
        ],
        x: x.dims,
      });
      if (name.includes("peepholes")) {
        expect(await rejection(bytes)).toContain("has peepholes (P)");
        return;
      }
      const scores = scoreBytes((await importBytes(bytes)).bytes, values);
      expect(scores).toHaveLength(N);
      for (const [n, p] of scores.entries())
        expect(Math.abs(Math.log(p / (1 - p)) - state.values[n * U + u]), `unit ${u}`).toBeLessThanOrEqual(TOLERANCE);
    }
  });
}
