// The layout of a state dict that quickstep writes and reads: what torch.nn.LSTM and torch.nn.Linear call their parameters, their
// shapes, and where recipe and calibration travel. Knows no file and no network.
// Source: docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html ("Variables"), …/torch.nn.Linear.html, …/torch.nn.GRU.html.
// Legend: F inputs, U units, G gates stacked along the rows; LSTM: i,f,g,o, in our words i,f,c,o, so that only axes are turned.

/** torch.nn's recurrent modules by the number of gates that their parameters stack. */
export const RECURRENT_MODULES: Readonly<Record<number, string>> = { 1: "torch.nn.RNN", 3: "torch.nn.GRU", 4: "torch.nn.LSTM" };
export const LSTM_GATES = 4;

/** Parameters of a recurrent module's first layer, with their shapes. */
export function recurrentShapes(gates: number, F: number, U: number) {
  return { weight_ih_l0: [gates * U, F], weight_hh_l0: [gates * U, U], bias_ih_l0: [gates * U], bias_hh_l0: [gates * U] };
}
export type RecurrentParameter = keyof ReturnType<typeof recurrentShapes>;

/** Every parameter of a recurrent module, of any layer and direction. */
export const RECURRENT_PARAMETER = /^(weight|bias)_[a-z]+_l\d+(_reverse)?$/;

/** What the export calls its modules, as in `self.lstm = torch.nn.LSTM(…)`, `self.fc = torch.nn.Linear(U, 1)`. */
export const LSTM_MODULE = "lstm";
export const HEAD_MODULE = "fc";

/** The key of the file's metadata that holds `{name, calibration, recipe}` as JSON, arrays as lists. */
export const METADATA_KEY = "quickstep";

/** (rows, columns) → (columns, rows), as float32: PyTorch stores (outputs, inputs), Keras and quickstep (inputs, outputs). */
export function transpose(matrix: ArrayLike<number>, rows: number, columns: number): Float32Array {
  const out = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) out[column * rows + row] = matrix[row * columns + column];
  return out;
}
