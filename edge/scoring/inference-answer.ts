// The answer to one infer request of the Open Inference Protocol v2: JSON, or JSON with binary tensors behind it. Source:
// kserve.github.io, "Open Inference Protocol" and "Binary Tensor Data Extension". Knows no HTTP.
// Legend: N sequences.

/** Answered in this order, each (N). The kernel's probability is a float32, which FP64 holds exactly. */
export const OUTPUTS = [
  { name: "probability", datatype: "FP64" },
  { name: "label", datatype: "INT32" },
  { name: "outOfRange", datatype: "BOOL" },
] as const;
export type OutputName = (typeof OUTPUTS)[number]["name"];

/** An output as a request asks for it: as bytes behind the JSON, or in it. */
export interface RequestedOutput {
  readonly name: OutputName;
  readonly binary: boolean;
}

/** (N) as its datatype lies in memory, little-endian. */
export type OutputData = Float64Array | Int32Array | Uint8Array;

export interface InferAnswer {
  readonly body: Uint8Array<ArrayBuffer>;
  /** Bytes of JSON, where tensors follow. */
  readonly jsonBytes?: number;
}

/** The answer: `head`, then `outputs` in their order, each as JSON or, where it was asked for as binary, as bytes behind the JSON. */
export function encodeInferAnswer(
  head: Record<string, unknown>,
  outputs: readonly RequestedOutput[],
  dataOf: (name: OutputName) => OutputData,
): InferAnswer {
  const tensors: Uint8Array[] = [];
  const described = outputs.map(({ name, binary }) => {
    const data = dataOf(name);
    const { datatype } = OUTPUTS.find((output) => output.name === name)!;
    const about = { name, datatype, shape: [data.length] };
    if (!binary) return { ...about, data: datatype === "BOOL" ? Array.from(data, (flag) => flag === 1) : Array.from(data) };
    tensors.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return { ...about, parameters: { binary_data_size: data.byteLength } };
  });
  const json = new TextEncoder().encode(JSON.stringify({ ...head, outputs: described })) as Uint8Array<ArrayBuffer>;
  if (tensors.length === 0) return { body: json };
  const body = new Uint8Array(tensors.reduce((sum, tensor) => sum + tensor.length, json.length));
  body.set(json);
  let at = json.length;
  for (const tensor of tensors) {
    body.set(tensor, at);
    at += tensor.length;
  }
  return { body, jsonBytes: json.length };
}
