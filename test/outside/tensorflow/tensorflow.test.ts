// TensorFlow 2.15 with Keras 2, tf2onnx and tensorflowjs' converter: what they write is imported and scores as predict does, or is refused as expected.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { describeOutside, execute } from "../environment.ts";
import { testImports } from "../imports.ts";
import { testNodes } from "./onnx-nodes.ts";

/** Where the package onnx keeps its tests of single nodes. */
const NODES = "import onnx, os; print(os.path.join(os.path.dirname(onnx.__file__), 'backend', 'test', 'data', 'node'))";

describeOutside("tensorflow", async (python) => {
  const folder = mkdtempSync(join(tmpdir(), "quickstep-tensorflow-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  await python.run("save.py", [folder]);
  testImports("tensorflow", folder);
  testNodes((await execute(python.python, ["-c", NODES])).trim());
});
