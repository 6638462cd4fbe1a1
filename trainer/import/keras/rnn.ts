// Keras' RNN around one cell, or around several as StackedRNNCells: the LSTM, GRU and SimpleRNN layers that compute the same, one behind the other.
// Definitions: RNN.call and StackedRNNCells.call in keras/src/layers/rnn. A masked step carries all cells' states on, as it does those of layers.
import { rejectFile, SECOND_ENGINE } from "../contract/reject-file.ts";
import { classOf, describeLayer, type Layer, toSnake } from "./layer.ts";

type Settings = Readonly<Record<string, unknown>>;

/** The layer that has one cell of a class. */
const LAYER_OF: ReadonlyMap<string, string> = new Map([
  ["LSTMCell", "LSTM"],
  ["GRUCell", "GRU"],
  ["SimpleRNNCell", "SimpleRNN"],
]);

/** What RNN says of all its cells together; the rest is each cell's own. */
const OF_RNN = ["return_state", "go_backwards", "stateful", "time_major", "zero_output_for_mask", "batch_input_shape"];

/** The layers that an RNN comes to; any other layer alone. Throws DataError naming a cell that quickstep does not run. */
export function unwrapCells(layer: Layer, source: string): readonly Layer[] {
  if (layer.type !== "RNN") return [layer];
  const { config, name } = layer;
  const cells = cellsOf(config.cell);
  const types = cells.map(({ type }) => LAYER_OF.get(type) ?? rejectCell(layer, type, source));
  const folders = foldersOf(cells, config.cell);
  const shared = Object.fromEntries(OF_RNN.filter((key) => key in config).map((key) => [key, config[key]]));
  let from = 0;
  return cells.map((cell, k) => {
    const isLast = k === cells.length - 1;
    const to = from + (cell.config.use_bias === false ? 2 : 3);
    const unwrapped: Layer = {
      type: types[k],
      name: cells.length === 1 ? name : `${name}/${cell.config.name ?? k}`,
      ordinal: layer.ordinal,
      config: {
        ...shared,
        ...cell.config,
        // the first cell reads the steps from the last, and the next ones read what it leaves, in that order
        go_backwards: k === 0 && config.go_backwards === true,
        zero_output_for_mask: isLast && config.zero_output_for_mask === true,
        return_sequences: !isLast || config.return_sequences === true,
      },
      saved: { name, type: "RNN", folders, from, to, cells: cells.map(({ config }) => String(config.name)) },
    };
    from = to;
    return unwrapped;
  });
}

/** The layer of an RNN around one cell, as Bidirectional wraps it; any other layer, an RNN around several cells, too, as it is. */
export function unwrapOne(layer: Layer): Layer {
  if (layer.type !== "RNN") return layer;
  const [cell, ...others] = cellsOf(layer.config.cell);
  if (others.length > 0 || !LAYER_OF.has(cell.type)) return layer;
  const { saved, ...unwrapped } = unwrapCells(layer, layer.name)[0];
  return unwrapped;
}

interface Cell {
  readonly type: string;
  readonly config: Settings;
}

function cellsOf(entry: unknown): readonly Cell[] {
  const { class_name, config } = (entry ?? {}) as { class_name?: unknown; config?: unknown };
  const settings = (config ?? {}) as Settings;
  if (class_name === "StackedRNNCells" && Array.isArray(settings.cells)) return settings.cells.map(readCell);
  return [readCell(entry)];
}

function readCell(entry: unknown): Cell {
  const one = (entry ?? {}) as Settings;
  return { type: one.class_name === undefined ? "nothing" : classOf(one), config: (one.config ?? {}) as Settings };
}

/** Where .keras files keep each cell's arrays: several cells by their class, numbered where it comes again. */
function foldersOf(cells: readonly Cell[], entry: unknown): readonly string[] {
  if ((entry as { class_name?: unknown }).class_name !== "StackedRNNCells") return ["cell/vars"];
  return cells.map(({ type }, k) => {
    const before = cells.slice(0, k).filter((cell) => cell.type === type).length;
    return `cell/cells/${toSnake(type)}${before > 0 ? `_${before}` : ""}/vars`;
  });
}

function rejectCell(layer: Layer, type: string, source: string): never {
  rejectFile(
    source,
    `${describeLayer(layer)} runs ${type}`,
    `quickstep runs LSTMCell, GRUCell, SimpleRNNCell and StackedRNNCells of these; ${SECOND_ENGINE}`,
  );
}
