# Keras 2 inside TensorFlow 2.15 builds networks; they are saved as .h5 and .keras, by tf2onnx with its defaults, and by tensorflowjs' converter.
# What predict says of padded sequences goes beside. Argument: a folder.
import os
import sys
import types

# tensorflowjs imports what converts other kinds of model (decision forests, hub modules, JAX) before it converts Keras': not installed here.
for name in ("tensorflow_decision_forests", "tensorflow_hub", "jax", "jax.experimental"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["jax.experimental"].jax2tf = None
import numpy as np
import onnx
import tensorflow as tf
import tensorflowjs
import tf2onnx
from cases import F, T, Cases, sequences

random = np.random.default_rng(3)
cases = Cases(sys.argv[1])
unmasked, masked = sequences(), sequences(shortest=1)
L = tf.keras.layers


def widen(model):
    for layer in model.layers:
        if not isinstance(layer, (L.Normalization, L.BatchNormalization)):
            layer.set_weights([random.normal(size=w.shape) * (1.0 if w.ndim == 1 else w.shape[0] ** -0.5) * 1.2 for w in layer.get_weights()])
    return model


def sequential(*layers, steps=T):
    return widen(tf.keras.Sequential([L.InputLayer((steps, F)), *layers]))


def save(name, model, x, formats=("h5", "keras", "onnx", "tfjs")):
    p = model.predict(x.astype("float32"), verbose=0)
    p = p[:, -1]
    for form in formats:
        path = cases.path("." + form)
        if form == "onnx":
            graph, _ = tf2onnx.convert.from_keras(model, [tf.TensorSpec((None, T, F), tf.float32, name="x")])
            onnx.save(graph, path)
        elif form == "tfjs":
            tensorflowjs.converters.save_keras_model(model, path)
            path = os.path.join(path, "model.json")
        else:
            model.save(path)
        cases.add(f"{name}, {form}", path, x, p)


head = lambda: L.Dense(1, activation="sigmoid")


def normalization():
    layer = L.Normalization()
    layer.adapt(random.normal(size=(500, T, F)) * [1, 2, 0.1, 3, 1] + [1, 0, 5, 0, -1])
    return layer


def batch_norm():
    layer = L.BatchNormalization()
    layer.build((None, T, F))
    layer.set_weights([random.normal(size=F), random.normal(size=F), random.normal(size=F), random.uniform(0.5, 2, size=F)])
    return layer


save("LSTM", sequential(L.LSTM(16), head()), unmasked)
save("Masking, LSTM", sequential(L.Masking(0.0), L.LSTM(16), head()), masked)
save("Masking, BatchNormalization, LSTM, Dropout", sequential(L.Masking(0.0), batch_norm(), L.LSTM(8), L.Dropout(0.5), head()), masked)
save("Normalization, LSTM", sequential(normalization(), L.LSTM(8), head()), unmasked)
save("LSTM of hard sigmoids, backwards", sequential(L.LSTM(6, recurrent_activation="hard_sigmoid", go_backwards=True), head()), unmasked)
save("Masking, LSTM, any number of steps", sequential(L.Masking(0.0), L.LSTM(16), head(), steps=None), masked, ("h5", "keras"))
inputs = tf.keras.Input((T, F))
save("functional", widen(tf.keras.Model(inputs, head()(L.LSTM(12)(L.Masking(0.0)(inputs))))), masked)
save("two LSTMs with dropout", sequential(L.LSTM(12, return_sequences=True), L.Dropout(0.2), L.LSTM(8), head()), unmasked)
save("Bidirectional LSTM", sequential(L.Bidirectional(L.LSTM(8)), head()), unmasked)
save("GRU", sequential(L.GRU(10), head()), unmasked)
save("LSTM, hidden Dense", sequential(L.LSTM(10), L.Dense(6, activation="relu"), head()), unmasked)
save("LSTM, softmax of two", sequential(L.LSTM(10), L.Dense(2, activation="softmax")), unmasked)
save("Conv1D, LSTM", sequential(L.Conv1D(8, 3, padding="causal", activation="relu"), L.LSTM(8), head()), unmasked)

# TensorFlow 1, whose loops tf2onnx writes as Scan
v1 = tf.compat.v1
v1.disable_control_flow_v2()  # as TensorFlow 1 itself, whose graphs people still have


def save_dynamic(name, build):
    graph = tf.Graph()
    with graph.as_default(), v1.Session(graph=graph) as session:
        x = v1.placeholder(tf.float32, (None, T, F), "x")
        p = tf.identity(tf.sigmoid(v1.layers.dense(build(x), 1)), "p")
        session.run(v1.global_variables_initializer())
        for variable in v1.trainable_variables():
            session.run(variable.assign(random.normal(size=variable.shape) * (1.0 if len(variable.shape) == 1 else int(variable.shape[0]) ** -0.5) * 1.2))
        answers = session.run(p, {x: unmasked})
        frozen = v1.graph_util.convert_variables_to_constants(session, graph.as_graph_def(), ["p"])
    model, _ = tf2onnx.convert.from_graph_def(frozen, input_names=["x:0"], output_names=["p:0"], opset=15)
    path = cases.path(".onnx")
    onnx.save(model, path)
    cases.add(f"dynamic_rnn of {name}, onnx", path, unmasked, answers)


cells = v1.nn.rnn_cell
dynamic = lambda cell: lambda x: v1.nn.dynamic_rnn(cell, x, dtype=tf.float32)[1]
save_dynamic("LSTMCell", lambda x: dynamic(cells.LSTMCell(8))(x).h)
save_dynamic("GRUCell", dynamic(cells.GRUCell(8)))
save_dynamic("BasicRNNCell", dynamic(cells.BasicRNNCell(8)))
save_dynamic("two LSTMCells", lambda x: dynamic(cells.MultiRNNCell([cells.LSTMCell(8), cells.LSTMCell(6)]))(x)[-1].h)
v1.enable_control_flow_v2()


def attention(x):
    states = L.LSTM(6, return_sequences=True)(x)
    weights = L.Activation("softmax")(L.Flatten()(L.Dense(1)(states)))
    return head()(L.GlobalAveragePooling1D()(L.Multiply()([states, L.Permute([2, 1])(L.RepeatVector(6)(weights))])))


inputs = tf.keras.Input((T, F))
save("attention", widen(tf.keras.Model(inputs, attention(inputs))), unmasked)
save("LSTM with recurrent dropout", sequential(L.LSTM(9, recurrent_dropout=0.2), head()), unmasked)

# A mask that goes on through layers in front: what tf.keras 2.15 does with it is wrong to guess
save("Masking, Rescaling, LSTM", sequential(L.Masking(0.0), L.Rescaling(0.5, offset=-0.25), L.LSTM(8), head()), masked, ("h5", "keras"))
save("Masking, Normalization, LSTM", sequential(L.Masking(0.0), normalization(), L.LSTM(8), head()), masked, ("h5", "keras"))
cases.write()
