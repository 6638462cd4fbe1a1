// In which operator a model.onnx ends, read from the file's bytes: ONNX Runtime runs a graph and does not show its nodes.
// Wire format: protobuf.dev/programming-guides/encoding. Messages and field numbers: github.com/onnx/onnx/blob/main/onnx/onnx.proto.

/** How a graph's first output comes about. */
export interface Ending {
  /** The operator that makes the output, those aside that change its shape or type alone; with its domain where that is not ONNX' own. */
  readonly operator: string;
  /** Whether a part of that operator's numbers is picked (Gather, Slice) before they are the output. */
  readonly isPicked: boolean;
}

const MODEL = { graph: 7 } as const;
const GRAPH = { node: 1, output: 12 } as const;
const NODE = { input: 1, output: 2, operator: 4, domain: 7 } as const;
const VALUE = { name: 1 } as const;

/** They hand numbers on: as they are, or within the bounds of a probability. */
const PASSING = /^(Identity|Reshape|Squeeze|Unsqueeze|Flatten|Transpose|Cast|Clip|Dropout|QuantizeLinear|DequantizeLinear)$/;
const PICKING = /^(Gather|Slice)$/;

interface Node {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** Null where no node makes the output, or the bytes are no model. */
export function readEnding(onnx: Uint8Array): Ending | null {
  try {
    const graph = latest(onnx, MODEL.graph);
    const nodes = all(graph, GRAPH.node).map(readNode);
    const makers = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
    let name = text(latest(all(graph, GRAPH.output)[0], VALUE.name));
    let isPicked = false;
    for (let hops = 0; hops <= nodes.length; hops++) {
      const maker = makers.get(name);
      if (maker === undefined) return null;
      if (!PASSING.test(maker.operator) && !PICKING.test(maker.operator)) return { operator: maker.operator, isPicked };
      isPicked ||= PICKING.test(maker.operator);
      name = maker.inputs[0];
    }
    return null;
  } catch {
    return null;
  }
}

function readNode(bytes: Uint8Array): Node {
  const domain = text(all(bytes, NODE.domain).at(-1));
  const operator = text(latest(bytes, NODE.operator));
  return {
    operator: domain === "" || domain === "ai.onnx" ? operator : `${domain}.${operator}`,
    inputs: all(bytes, NODE.input).map(text),
    outputs: all(bytes, NODE.output).map(text),
  };
}

function text(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes);
}

/** The last of a message's fields of this number counts. Throws RangeError where there is none. */
function latest(bytes: Uint8Array, field: number): Uint8Array {
  const found = all(bytes, field).at(-1);
  if (found === undefined) throw new RangeError(`a message without its field ${field}`);
  return found;
}

/** The contents of a message's fields of this number that are messages or texts, in order. Throws RangeError where the bytes end early. */
function all(bytes: Uint8Array, field: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; at < bytes.length; scale *= 128) {
      const byte = bytes[at++];
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new RangeError("a number that does not end");
  };
  const skip = (count: number): void => {
    at += count;
    if (at > bytes.length) throw new RangeError("a field longer than its message");
  };
  while (at < bytes.length) {
    const tag = varint();
    switch (tag % 8) {
      case 0:
        varint();
        break;
      case 1:
        skip(8);
        break;
      case 2: {
        const length = varint();
        const from = at;
        skip(length);
        if (Math.floor(tag / 8) === field) found.push(bytes.subarray(from, at));
        break;
      }
      case 5:
        skip(4);
        break;
      default:
        throw new RangeError(`wire type ${tag % 8}`);
    }
  }
  return found;
}
