// A model of ONNX Runtime's WebAssembly build, driven through its own exports (its JavaScript's calls, in one go), since that JavaScript
// answers by promises and an Engine does not. The module is handed to it compiled: workerd compiles no bytes. Knows no sequences.
// What the exports take: onnxruntime-web 1.30, lib/wasm/wasm-core-impl.ts.
import { ArtifactError } from "../errors.ts";

// TensorProto.DataType (github.com/onnx/onnx/blob/main/onnx/onnx.proto)
export const FLOAT = 1;
export const INT32 = 6;
export const INT64 = 7;

/** An input or output of the graph. */
export interface Port {
  readonly name: string;
  readonly type: number;
  /** Text where a dimension is symbolic. */
  readonly shape: readonly (number | string)[];
}

export interface Tensor {
  readonly type: number;
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | BigInt64Array;
}

export interface Session {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** Tensors for all inputs, in their order → the first output's numbers, which must be float32. Throws ArtifactError. */
  run(tensors: readonly Tensor[]): Float32Array;
}

/** What is used of Emscripten's module and ONNX Runtime's exports; 32-bit addresses, and 0 for success. */
export interface Runtime {
  readonly HEAPU8: Uint8Array;
  readonly HEAP32: Int32Array;
  _malloc(bytes: number): number;
  _free(address: number): void;
  stackSave(): number;
  stackRestore(stack: number): void;
  stackAlloc(bytes: number): number;
  UTF8ToString(address: number): string;
  _OrtInit(threads: number, logLevel: number): number;
  _OrtGetLastError(code: number, message: number): number;
  _OrtCreateSessionOptions(...options: (number | boolean)[]): number;
  _OrtCreateSession(model: number, bytes: number, options: number): number;
  _OrtGetInputOutputCount(session: number, inputs: number, outputs: number): number;
  _OrtGetInputOutputMetadata(session: number, index: number, name: number, metadata: number): number;
  _OrtCreateTensor(type: number, data: number, bytes: number, shape: number, dimensions: number, location: number): number;
  _OrtGetTensorData(tensor: number, type: number, data: number, shape: number, dimensions: number): number;
  _OrtReleaseTensor(tensor: number): number;
  _OrtFree(address: number): number;
  _OrtRun(
    session: number,
    names: number,
    values: number,
    n: number,
    outputs: number,
    outputCount: number,
    out: number,
    options: number,
  ): number;
}

/** The default export of onnxruntime-web/ort-wasm-simd-threaded.mjs. */
export type RuntimeFactory = (options: {
  readonly numThreads: number;
  readonly instantiateWasm: (
    imports: WebAssembly.Imports,
    receive: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
  ) => object;
}) => Promise<Runtime>;

const ERRORS = 3; // and above, of ONNX Runtime's log levels
const ALL_OPTIMIZATIONS = 99;
const SEQUENTIAL = 0;
const IN_MEMORY = 1;

/** One runtime serves any number of sessions. */
export function openRuntime(create: RuntimeFactory, module: WebAssembly.Module): Promise<Runtime> {
  return create({
    numThreads: 1,
    instantiateWasm(imports, receive) {
      receive(new WebAssembly.Instance(module, imports), module);
      return {};
    },
  }).then((runtime) => {
    if (runtime._OrtInit(1, ERRORS) !== 0) throw new ArtifactError(`ONNX Runtime does not start: ${lastError(runtime)}`);
    return runtime;
  });
}

/** Throws ArtifactError where the bytes are no model that this runtime can run. */
export function openSession(runtime: Runtime, onnx: Uint8Array): Session {
  const model = runtime._malloc(onnx.length);
  runtime.HEAPU8.set(onnx, model);
  const options = runtime._OrtCreateSessionOptions(ALL_OPTIMIZATIONS, true, true, SEQUENTIAL, false, 0, 0, ERRORS, 0, 0);
  const session = runtime._OrtCreateSession(model, onnx.length, options);
  runtime._free(model);
  if (session === 0) throw new ArtifactError(`the ONNX model cannot be opened: ${lastError(runtime)}`);

  const [inputCount, outputCount] = readWords(runtime, 2, (at) => runtime._OrtGetInputOutputCount(session, at, at + 4));
  const ports = Array.from({ length: inputCount + outputCount }, (_, index) => readPort(runtime, session, index));
  const inputNames = runtime._malloc(4 * inputCount); // addresses of names, which stay
  for (let i = 0; i < inputCount; i++) runtime.HEAP32[inputNames / 4 + i] = ports[i].address;
  const outputName = runtime._malloc(4);
  runtime.HEAP32[outputName / 4] = ports[inputCount].address;

  function run(tensors: readonly Tensor[]): Float32Array {
    const stack = runtime.stackSave();
    const created: number[] = [];
    const buffers: number[] = [];
    try {
      const values = runtime.stackAlloc(4 * inputCount);
      for (const [i, { type, shape, data }] of tensors.entries()) {
        const buffer = runtime._malloc(data.byteLength);
        buffers.push(buffer);
        runtime.HEAPU8.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), buffer);
        const dimensions = runtime.stackAlloc(4 * shape.length);
        runtime.HEAP32.set(shape, dimensions / 4);
        const tensor = runtime._OrtCreateTensor(type, buffer, data.byteLength, dimensions, shape.length, IN_MEMORY);
        created.push(tensor);
        runtime.HEAP32[values / 4 + i] = tensor;
      }
      const out = runtime.stackAlloc(4);
      runtime.HEAP32[out / 4] = 0;
      if (runtime._OrtRun(session, inputNames, values, inputCount, outputName, 1, out, 0) !== 0)
        throw new ArtifactError(`the ONNX model does not run: ${lastError(runtime)}`);
      const tensor = runtime.HEAP32[out / 4];
      created.push(tensor);
      return readTensor(runtime, tensor);
    } finally {
      for (const tensor of created) runtime._OrtReleaseTensor(tensor);
      for (const buffer of buffers) runtime._free(buffer);
      runtime.stackRestore(stack);
    }
  }
  return { inputs: ports.slice(0, inputCount), outputs: ports.slice(inputCount), run };
}

/** A copy of a float32 tensor's numbers. */
function readTensor(runtime: Runtime, tensor: number): Float32Array {
  const [type, data, shape, dimensions] = readWords(runtime, 4, (at) => runtime._OrtGetTensorData(tensor, at, at + 4, at + 8, at + 12));
  const size = runtime.HEAP32.subarray(shape / 4, shape / 4 + dimensions).reduce((product, n) => product * n, 1);
  runtime._OrtFree(shape);
  if (type !== FLOAT) throw new ArtifactError(`the ONNX model's first output must be float32, got type ${type}`);
  return new Float32Array(runtime.HEAPU8.slice(data, data + 4 * size).buffer);
}

function readPort(runtime: Runtime, session: number, index: number): Port & { readonly address: number } {
  const [address, metadata] = readWords(runtime, 2, (at) => runtime._OrtGetInputOutputMetadata(session, index, at, at + 4));
  const [type, dimensions] = runtime.HEAP32.subarray(metadata / 4); // then addresses of symbolic names, then sizes
  const word = (i: number): number => runtime.HEAP32[metadata / 4 + 2 + i];
  const shape =
    type === 0 // not a tensor
      ? []
      : Array.from({ length: dimensions }, (_, i) => (word(i) !== 0 ? runtime.UTF8ToString(word(i)) : word(dimensions + i)));
  runtime._OrtFree(metadata);
  return { name: runtime.UTF8ToString(address), type, shape, address };
}

/** Words that a call writes to an address. */
function readWords(runtime: Runtime, count: number, call: (at: number) => number): number[] {
  const stack = runtime.stackSave();
  const at = runtime.stackAlloc(4 * count);
  const code = call(at);
  const words = [...runtime.HEAP32.subarray(at / 4, at / 4 + count)];
  runtime.stackRestore(stack);
  if (code !== 0) throw new ArtifactError(`ONNX Runtime fails: ${lastError(runtime)}`);
  return words;
}

function lastError(runtime: Runtime): string {
  const stack = runtime.stackSave();
  const at = runtime.stackAlloc(8);
  runtime._OrtGetLastError(at, at + 4);
  const message = runtime.HEAP32[at / 4 + 1];
  runtime.stackRestore(stack);
  return message === 0 ? "it does not say why" : runtime.UTF8ToString(message);
}
