# Keras builds networks and saves them in each of its formats; what predict says of padded sequences. Argument: a folder.
import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
import keras
import numpy as np
from cases import F, T, Cases, sequences
from keras import layers as L

random = np.random.default_rng(2)
cases = Cases(sys.argv[1])
unmasked, masked = sequences(), sequences(shortest=1)


def widen(model):
    """Weights that make probabilities differ: float32 around the sizes that training gives."""
    for layer in model._flatten_layers(include_self=False):
        if isinstance(layer, (L.Normalization, L.BatchNormalization)) or layer._layers:
            continue
        layer.set_weights([random.normal(size=w.shape) * (1.0 if w.ndim == 1 else w.shape[0] ** -0.5) * 1.2 for w in layer.get_weights()])
    return model


def sequential(*layers, steps=T):
    return widen(keras.Sequential([L.Input((steps, F)), *layers]))


def save(name, model, x, formats=("keras", "h5", "onnx"), link=lambda p: p, **said):
    p = model.predict(x.astype("float32"), verbose=0)
    p = link(p[:, -1] if p.ndim == 2 else p)
    for form in formats:
        path = cases.path("." + form)
        model.export(path, format="onnx", verbose=False) if form == "onnx" else model.save(path)
        cases.add(f"{name}, {form}", path, x, p, **said)


head = lambda: L.Dense(1, activation="sigmoid")
batch_norm = lambda: L.BatchNormalization()


def with_statistics(model):
    """Moving statistics as training leaves them."""
    for layer in model.layers:
        if isinstance(layer, L.BatchNormalization):
            shape = layer.get_weights()[0].shape
            layer.set_weights([random.normal(size=shape), random.normal(size=shape), random.normal(size=shape), random.uniform(0.5, 2, size=shape)])
    return model


def normalization():
    layer = L.Normalization()
    layer.adapt(random.normal(size=(500, T, F)) * [1, 2, 0.1, 3, 1] + [1, 0, 5, 0, -1])
    return layer


# What is read
save("LSTM", sequential(L.LSTM(16), head()), unmasked)
save("Masking, LSTM", sequential(L.Masking(0.0), L.LSTM(16), head()), masked)
save("Dropout, LSTM with dropout", sequential(L.LSTM(9, dropout=0.2), L.Dropout(0.5), head()), unmasked)
save("Normalization, LSTM", sequential(normalization(), L.LSTM(8), head()), unmasked)
save("Rescaling, LSTM", sequential(L.Rescaling(0.5, offset=-0.25), L.LSTM(8), head()), unmasked)
save("BatchNormalization, LSTM", with_statistics(sequential(batch_norm(), L.LSTM(8), head())), unmasked)
save("Masking, BatchNormalization, LSTM", with_statistics(sequential(L.Masking(0.0), batch_norm(), L.LSTM(8), head())), masked)
save("Masking, Rescaling, LSTM", sequential(L.Masking(0.0), L.Rescaling(0.5, offset=-0.25), L.LSTM(8), head()), masked, ("keras", "h5"))
save("Masking, Normalization, LSTM", sequential(L.Masking(0.0), normalization(), L.LSTM(8), head()), masked, ("keras", "h5"))
save("LSTM of hard sigmoids", sequential(L.LSTM(7, recurrent_activation="hard_sigmoid"), head()), unmasked)
save("Masking, LSTM of hard sigmoids, backwards", sequential(L.Masking(0.0), L.LSTM(6, recurrent_activation="hard_sigmoid", go_backwards=True), head()), masked)
save("LSTM backwards without bias", sequential(L.LSTM(6, go_backwards=True, use_bias=False), head()), unmasked)
save("Masking, LSTM, any number of steps", sequential(L.Masking(0.0), L.LSTM(16), head(), steps=None), masked, ("keras", "h5"))
save("LSTM, Dense, Activation", sequential(L.LSTM(5), L.Dense(1), L.Activation("sigmoid")), unmasked)
marked = np.where((masked == 0).all(-1, keepdims=True), -99.0, masked)
save("Masking(-99), LSTM", sequential(L.Masking(-99.0), L.LSTM(8), head()), marked, ("keras", "h5"), padding="none")
inputs = keras.Input((T, F))
save("functional", widen(keras.Model(inputs, head()(L.LSTM(12)(L.Masking(0.0)(inputs))))), masked)

# Layers of every kind
save("LSTM with recurrent dropout", sequential(L.LSTM(9, recurrent_dropout=0.2), head()), unmasked)
save("two LSTMs with dropout", sequential(L.LSTM(12, return_sequences=True), L.Dropout(0.2), L.LSTM(8), head()), unmasked)
save("Masking, two LSTMs", sequential(L.Masking(0.0), L.LSTM(12, return_sequences=True), L.LSTM(8), head()), masked, ("keras", "h5"))
save("Bidirectional LSTM", sequential(L.Bidirectional(L.LSTM(8)), head()), unmasked)
save("Masking, Bidirectional LSTM", sequential(L.Masking(0.0), L.Bidirectional(L.LSTM(8)), head()), masked, ("keras", "h5"))
save("GRU", sequential(L.GRU(10), head()), unmasked)
save("GRU without reset_after", sequential(L.GRU(10, reset_after=False), head()), unmasked)
save("SimpleRNN", sequential(L.SimpleRNN(10), head()), unmasked)
save("LSTM, hidden Dense", sequential(L.LSTM(10), L.Dense(6, activation="relu"), head()), unmasked)
save("LSTM, softmax of two", sequential(L.LSTM(10), L.Dense(2, activation="softmax")), unmasked)
save("LSTM, BatchNormalization, Dense", with_statistics(sequential(L.LSTM(10), batch_norm(), head())), unmasked)
logits = sequential(L.LSTM(10), L.Dense(1))
save("LSTM, logits", logits, unmasked, isLogit=True, link=lambda z: 1 / (1 + np.exp(-z)))
save("LSTM of relu", sequential(L.LSTM(10, activation="relu"), head()), unmasked)
save("LSTM, mean over steps", sequential(L.LSTM(10, return_sequences=True), L.GlobalAveragePooling1D(), head()), unmasked)
save("LSTM, Flatten", sequential(L.LSTM(6, return_sequences=True), L.Flatten(), head()), unmasked)
save("Conv1D, LSTM", sequential(L.Conv1D(8, 3, padding="causal", activation="relu"), L.LSTM(8), head()), unmasked)
save("LayerNormalization, LSTM", sequential(L.LayerNormalization(), L.LSTM(8), head()), unmasked)
save("TimeDistributed Dense, LSTM", sequential(L.TimeDistributed(L.Dense(6)), L.LSTM(8), head()), unmasked, ("keras", "h5"))

mask = lambda: L.Masking(0.0)
save("three GRUs", sequential(L.GRU(7, return_sequences=True), L.GRU(6, return_sequences=True), L.GRU(5), head()), unmasked, ("keras", "h5"))
save("Masking, GRU", sequential(mask(), L.GRU(10), head()), masked, ("keras", "h5"))
save("Masking, SimpleRNN of relu", sequential(mask(), L.SimpleRNN(6, activation="relu"), head()), masked, ("keras", "h5"))
save("Masking, mean over steps", sequential(mask(), L.LSTM(7, return_sequences=True), L.GlobalAveragePooling1D(), head()), masked, ("keras", "h5"))
save("maximum over steps", sequential(L.LSTM(7, return_sequences=True), L.GlobalMaxPooling1D(), head()), unmasked)
for merge in ("sum", "mul", "ave"):
    save(f"Bidirectional GRU, {merge}", sequential(L.Bidirectional(L.GRU(6), merge_mode=merge), head()), unmasked)
save("two Bidirectional LSTMs", sequential(mask(), L.Bidirectional(L.LSTM(6, return_sequences=True)), L.Bidirectional(L.LSTM(4)), head()), masked, ("keras", "h5"))
save("LSTM backwards, LSTM", sequential(L.LSTM(6, return_sequences=True, go_backwards=True), L.LSTM(5), head()), unmasked, ("keras", "h5"))
save("Conv1D, pooling, LSTM", sequential(L.Conv1D(6, 3, padding="same", activation="elu"), L.MaxPooling1D(2), L.LSTM(5), head()), unmasked)
save("Conv1D with strides, mean", sequential(L.Conv1D(6, 3, strides=2), L.AveragePooling1D(2, padding="same"), L.LeakyReLU(), L.GlobalAveragePooling1D(), head()), unmasked, ("keras", "h5"))
for activation in ("gelu", "silu", "selu", "softplus", "softsign", "tanh", "leaky_relu", "hard_sigmoid"):
    save(f"LSTM, Dense of {activation}", sequential(L.LSTM(6), L.Dense(5, activation=activation), head()), unmasked, ("keras", "h5"))
save("LSTM, LayerNormalization, Dense", sequential(L.LSTM(6, return_sequences=True), L.LayerNormalization(), L.LSTM(5), L.LayerNormalization(), L.Dense(4, activation="relu"), head()), unmasked, ("keras", "h5"))
save("LSTM, BatchNormalization between", with_statistics(sequential(L.LSTM(6, return_sequences=True), batch_norm(), L.LSTM(5), head())), unmasked, ("keras", "h5"))
save("LSTM of softsign with sigmoid", sequential(L.LSTM(6, activation="softsign"), head()), unmasked, ("keras", "h5"))

# Branches
def functional(name, build, x=unmasked, formats=("keras", "h5", "onnx")):
    inputs = keras.Input((T, F))
    save(name, with_statistics(widen(keras.Model(inputs, build(inputs)))), x, formats)


def convolve(x, filters, size, activation="relu"):
    return L.Activation(activation)(batch_norm()(L.Conv1D(filters, size, padding="same")(x)))


def residual(x):
    return L.ReLU()(L.Add()([L.Conv1D(6, 1)(x), L.Conv1D(6, 3, padding="same")(convolve(x, 6, 5))]))


def pools(x):
    return L.Concatenate()([L.GlobalAveragePooling1D()(x), L.GlobalMaxPooling1D()(x)])


def gated(x):
    state = L.LSTM(6)(x)
    return L.LayerNormalization()(L.Add()([state, L.Multiply()([L.Dense(6)(state), L.Dense(6, activation="sigmoid")(state)])]))


functional("mean beside maximum", lambda x: head()(pools(L.Bidirectional(L.LSTM(6, return_sequences=True))(x))))
functional("LSTM-FCN", lambda x: head()(L.Concatenate()([L.LSTM(6)(x), L.GlobalAveragePooling1D()(convolve(convolve(x, 6, 8), 4, 5))])))
functional("residual convolutions", lambda x: head()(L.GlobalAveragePooling1D()(residual(residual(x)))))
functional("convolutions of several sizes", lambda x: head()(L.Concatenate()([L.GlobalMaxPooling1D()(L.Conv1D(4, k, activation="relu")(x)) for k in (2, 3, 4)])))
functional("gated residual", lambda x: head()(gated(x)))


def attention(x):
    """As tutorials write it: scores, a softmax over steps, the sum that it weights."""
    states = L.Bidirectional(L.LSTM(4, return_sequences=True))(x)
    weights = L.Softmax(axis=1)(L.Dense(1, activation="tanh")(states))
    return head()(L.Flatten()(L.Dot(axes=1)([weights, states])))


def repeated_attention(x):
    states = L.LSTM(6, return_sequences=True)(x)
    weights = L.Activation("softmax")(L.Flatten()(L.Dense(1)(states)))
    return head()(L.GlobalAveragePooling1D()(L.Multiply()([states, L.Permute([2, 1])(L.RepeatVector(6)(weights))])))


functional("attention by Dot", attention)
functional("attention by Multiply", repeated_attention)
functional("last step of causal convolutions", lambda x: head()(L.Conv1D(6, 3, padding="causal", activation="relu")(x)[:, -1, :]), formats=("keras",))


def masked_states(x):
    states = L.LSTM(6, return_sequences=True)(L.Masking(0.0)(x))
    return head()(L.Concatenate()([L.GRU(4)(states), L.GlobalAveragePooling1D()(states)]))


functional("Masking, last state beside mean", masked_states, masked)

weights = sequential(L.LSTM(8), head())
weights.save_weights(cases.path(".weights.h5"))
with open(os.path.join(cases.folder, "layers.json"), "w") as file:
    file.write(weights.to_json())
cases.add("LSTM, weights alone", cases.path(".weights.h5"), unmasked, weights.predict(unmasked.astype("float32"), verbose=0), layers="layers.json")
cases.write()
