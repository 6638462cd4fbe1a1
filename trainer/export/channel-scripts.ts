// Ten lines each that train a network on exported channels, in Keras, PyTorch and tfjs, and save what `import --recipe` reads. Rows behind a
// sequence's end reach no network: they are masked by a number that no channel has, or not packed.

/** What the files of exported channels are called. */
export const CHANNEL_FILES = {
  arrays: "channels.npz",
  raw: "channels.f32",
  keras: "train_keras.py",
  torch: "train_torch.py",
  tfjs: "train_tfjs.mjs",
} as const;

/** Channels lie within ±10 standard deviations, raw ones are no −99 in all columns at once. */
const MASK = -99;

/** Keras 3 or tf.keras. `artifact` is the file whose recipe made the channels. */
export function kerasScript(artifact: string): string {
  return `# pip install keras tensorflow-cpu; python ${CHANNEL_FILES.keras}
import keras, numpy as np
d = np.load("${CHANNEL_FILES.arrays}"); X, y, lengths, parts = d["X"], d["y"], d["lengths"], d["parts"]  # parts: 0 train, 1 validation, 2 calibration, 3 test
X = np.where(np.arange(X.shape[1])[None, :, None] < lengths[:, None, None], X, ${MASK}).astype("float32")
L = keras.layers  # any network that \`import\` reads, behind the mask
model = keras.Sequential([keras.Input(X.shape[1:]), L.Masking(${MASK}.0), L.LSTM(32), L.Dense(1, activation="sigmoid")])
model.compile(optimizer="adam", loss="binary_crossentropy")
stop = keras.callbacks.EarlyStopping(patience=10, restore_best_weights=True)
model.fit(X[parts == 0], y[parts == 0], validation_data=(X[parts == 1], y[parts == 1]), epochs=200, batch_size=64, callbacks=[stop], verbose=2)
model.save("network.keras")
print("quickstep import network.keras --recipe ${artifact} --out network.safetensors")
`;
}

/** PyTorch, on packed sequences. */
export function torchScript(artifact: string): string {
  return `# pip install torch safetensors; python ${CHANNEL_FILES.torch}
import numpy as np, torch
from safetensors.torch import save_file
d = np.load("${CHANNEL_FILES.arrays}"); X, y, lengths = (torch.tensor(d[k]).float() for k in ("X", "y", "lengths")); parts = d["parts"]  # 0 train, 1 validation
net = torch.nn.ModuleDict({"lstm": torch.nn.LSTM(X.shape[2], 32, batch_first=True), "fc": torch.nn.Linear(32, 1)})  # lstm state linear
pack = lambda i: torch.nn.utils.rnn.pack_padded_sequence(X[i], lengths[i].long(), batch_first=True, enforce_sorted=False)
logits = lambda i: net["fc"](net["lstm"](pack(i))[1][0][-1])[:, 0]
optimizer = torch.optim.Adam(net.parameters(), 1e-3); loss = torch.nn.BCEWithLogitsLoss(); train, best = np.flatnonzero(parts == 0), np.inf
for epoch in range(30):
    for i in np.array_split(np.random.permutation(train), max(1, len(train) // 64)): optimizer.zero_grad(); loss(logits(i), y[i]).backward(); optimizer.step()
    with torch.no_grad(): v = np.flatnonzero(parts == 1); now = loss(logits(v), y[v]).item()
    if now < best: best = now; save_file(net.state_dict(), "network-torch.safetensors"); print(epoch, now)
print('quickstep import network-torch.safetensors --torch "lstm state linear" --recipe ${artifact} --out network.safetensors')
`;
}

/** tfjs, in Node without tfjs-node. N, T, C of the channels. */
export function tfjsScript(artifact: string, { N, T, C }: { readonly N: number; readonly T: number; readonly C: number }): string {
  return `// npm install @tensorflow/tfjs; node ${CHANNEL_FILES.tfjs}
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"; import * as tf from "@tensorflow/tfjs";
const [N, T, C] = [${N}, ${T}, ${C}], all = new Float32Array(new Uint8Array(readFileSync("${CHANNEL_FILES.raw}")).buffer); // X, y, lengths, parts in turn
const X = all.subarray(0, N * T * C), [y, lengths, parts] = [0, 1, 2].map((k) => all.subarray(N * T * C + k * N, N * T * C + (k + 1) * N));
const masked = X.map((x, at) => (Math.floor(at / C) % T < lengths[Math.floor(at / (T * C))] ? x : ${MASK})); // rows behind a sequence's end
const of = (part) => { const i = [...parts.keys()].filter((n) => parts[n] === part); return [tf.gather(tf.tensor3d(masked, [N, T, C]), i), tf.gather(tf.tensor2d(y, [N, 1]), i)]; };
const model = tf.sequential({ layers: [tf.layers.masking({ maskValue: ${MASK}, inputShape: [T, C] }), tf.layers.lstm({ units: 16, recurrentActivation: "sigmoid" }), tf.layers.dense({ units: 1, activation: "sigmoid" })] });
model.compile({ optimizer: "adam", loss: "binaryCrossentropy" });
await model.fit(...of(0), { validationData: of(1), epochs: Number(process.argv[2] ?? 30), batchSize: 64 });
await model.save(tf.io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData }) => { mkdirSync("network-tfjs", { recursive: true }); writeFileSync("network-tfjs/weights.bin", new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData))); writeFileSync("network-tfjs/model.json", JSON.stringify({ format: "layers-model", modelTopology, weightsManifest: [{ paths: ["weights.bin"], weights: weightSpecs }] })); return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: "JSON" } }; }));
console.log("quickstep import network-tfjs --recipe ${artifact} --out network.safetensors");
`;
}
