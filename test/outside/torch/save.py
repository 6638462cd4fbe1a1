# PyTorch writes networks: both ONNX exporters (the newer one with its defaults), and state dicts in safetensors. Argument: a folder.
import logging
import sys
import warnings

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
import torch
from cases import F, T, Cases, sequences
from safetensors.torch import save_file
from torch import nn
from torch._higher_order_ops.scan import scan

torch.manual_seed(4)
torch.set_num_threads(1)
cases = Cases(sys.argv[1])
x = sequences()
batch = torch.export.Dim("batch")


class Recurrent(nn.Module):
    """What tutorials write: a recurrent layer, its last output, a head."""

    def __init__(self, rnn, head, read="last", first=True, front=None):
        super().__init__()
        self.rnn, self.fc, self.read, self.first, self.front = rnn, head, read, first, front

    def forward(self, x):
        x = x if self.front is None else self.front(x)
        y, h = self.rnn(x)
        h = h[0] if isinstance(h, tuple) else h
        steps = 1 if self.first else 0
        last = {
            "last": lambda: y[:, -1] if self.first else y[-1],
            "state": lambda: h[-1],
            "mean": lambda: y.mean(steps),
            "max": lambda: y.amax(steps),
            "both": lambda: torch.cat([h[-2], h[-1]], 1),
        }[self.read]()
        return torch.sigmoid(self.fc(last))


class Convolved(nn.Module):
    """A convolution over steps and its pooling, then a recurrent layer."""

    def __init__(self, conv, pool, rnn, head):
        super().__init__()
        self.conv, self.pool, self.rnn, self.fc, self.first = conv, pool, rnn, head, True

    def forward(self, x):
        x = self.pool(torch.relu(self.conv(x.transpose(1, 2)))).transpose(1, 2)
        return torch.sigmoid(self.fc(self.rnn(x)[0][:, -1]))


class Scale(nn.Module):
    def forward(self, x):
        return (x - 0.25) / 2


def probabilities(model):
    inputs = torch.tensor(x if model.first else x.transpose(1, 0, 2).copy(), dtype=torch.float32)
    with torch.no_grad():
        return model(inputs).numpy()


def save(name, model, forms=("newer exporter", "older exporter")):
    model.eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2.5)
    p = probabilities(model)[:, -1]
    example = torch.randn(2, T, F) if model.first else torch.randn(T, 2, F)
    axis = 0 if model.first else 1
    for form in forms:
        path = cases.path(".onnx")
        if form == "older exporter":
            torch.onnx.export(model, (example,), path, dynamo=False, input_names=["x"], dynamic_axes={"x": {axis: "n"}})
        elif form == "newer exporter":
            torch.onnx.export(model, (example,), path, dynamic_shapes=({axis: batch},), verbose=False)
        else:
            torch.onnx.export(model, (example,), path, dynamic_shapes=({axis: batch},), external_data=False, verbose=False)
        cases.add(f"{name}, {form}", path, x, p)  # a fixed number of steps: every row is data


def save_state(name, model, words):
    model.eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2.5)
    path = cases.path(".safetensors")
    save_file(model.state_dict(), path)
    cases.add(f"{name}, state dict", path, x, probabilities(model)[:, -1], torch=words, padding="none")


lstm = lambda units, **options: nn.LSTM(F, units, batch_first=options.pop("batch_first", True), **options)
relu_head = lambda units: nn.Sequential(nn.Linear(units, 6), nn.ReLU(), nn.Linear(6, 1))

save("LSTM, last output", Recurrent(lstm(8), nn.Linear(8, 1)))
save("LSTM, last state", Recurrent(lstm(8), nn.Linear(8, 1), read="state"), ("newer exporter", "newer exporter in one file", "older exporter"))
save("LSTM, steps first", Recurrent(lstm(8, batch_first=False), nn.Linear(8, 1), first=False))
save("scaled, LSTM of 100", Recurrent(lstm(100), nn.Linear(100, 1), front=Scale()))
save("two LSTMs with dropout", Recurrent(lstm(8, num_layers=2, dropout=0.2), nn.Linear(8, 1)))
save("bidirectional LSTM", Recurrent(lstm(8, bidirectional=True), nn.Linear(16, 1), read="both"))
save("GRU", Recurrent(nn.GRU(F, 8, batch_first=True), nn.Linear(8, 1)))
save("RNN", Recurrent(nn.RNN(F, 8, batch_first=True), nn.Linear(8, 1)))
save("LSTM, hidden Linear", Recurrent(lstm(8), relu_head(8)))
save("LSTM, mean over steps", Recurrent(lstm(8), nn.Linear(8, 1), read="mean"))
save_state("LSTM", Recurrent(lstm(8), nn.Linear(8, 1)), "lstm last linear")
save_state("two LSTMs", Recurrent(lstm(8, num_layers=2), nn.Linear(8, 1)), "lstm(2) last linear")
save_state("bidirectional LSTM", Recurrent(lstm(8, bidirectional=True), nn.Linear(16, 1), read="both"), "lstm(bidirectional) state linear")
save_state("GRU", Recurrent(nn.GRU(F, 8, batch_first=True), nn.Linear(8, 1)), "gru last linear")
save_state("LSTM, mean over steps", Recurrent(lstm(8), nn.Linear(8, 1), read="mean"), "lstm mean linear")
save_state("LSTM, hidden Linear", Recurrent(lstm(8), relu_head(8)), "lstm last linear relu linear")

save_state("Conv1d, MaxPool1d, LSTM", Convolved(nn.Conv1d(F, 6, 3, padding=1), nn.MaxPool1d(2), nn.LSTM(6, 8, batch_first=True), nn.Linear(8, 1)), "conv1d(padding=1) relu maxpool1d(2) lstm last linear")
save_state("Conv1d with strides, AvgPool1d, GRU", Convolved(nn.Conv1d(F, 6, 3, stride=2, dilation=2), nn.AvgPool1d(2, stride=1, padding=1), nn.GRU(6, 8, batch_first=True), nn.Linear(8, 1)), "conv1d(stride=2, dilation=2) relu avgpool1d(2, stride=1, padding=1) gru last linear")


class Pooled(nn.Module):
    """Both last states, the mean and the maximum of a cell's outputs side by side."""

    def __init__(self):
        super().__init__()
        self.rnn, self.fc, self.first = nn.LSTM(F, 6, num_layers=2, batch_first=True, bidirectional=True), relu_head(36), True

    def forward(self, x):
        y, (h, _) = self.rnn(x)
        return torch.sigmoid(self.fc(torch.cat([h[-2], h[-1], y.mean(1), y.amax(1)], 1)))


class Flattened(nn.Module):
    """Convolutions alone, flattened channel by channel."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2, self.fc, self.first = nn.Conv1d(F, 8, 3), nn.Conv1d(8, 6, 3), relu_head(6 * (T - 4)), True

    def forward(self, x):
        return torch.sigmoid(self.fc(torch.relu(self.conv2(torch.relu(self.conv1(x.transpose(1, 2))))).flatten(1)))


save_state("last states beside mean and maximum", Pooled(), "lstm(2, bidirectional) state+mean+max linear relu linear")
save_state("two Conv1d, flattened", Flattened(), "conv1d relu conv1d relu flatten linear relu linear")


class Joined(nn.Module):
    """What a recurrent layer gives, joined by `read` of all outputs and last states."""

    def __init__(self, rnn, width, read):
        super().__init__()
        self.rnn, self.fc, self.read, self.first = rnn, relu_head(width), read, True

    def forward(self, x):
        y, h = self.rnn(x)
        return torch.sigmoid(self.fc(self.read(y, h[0] if isinstance(h, tuple) else h)))


class Branches(nn.Module):
    """Convolutions beside a recurrent layer: a residual block, a gate, the last row."""

    def __init__(self):
        super().__init__()
        self.rnn, self.skip, self.conv, self.norm = lstm(6), nn.Conv1d(F, 6, 1), nn.Conv1d(F, 6, 3, padding=1), nn.BatchNorm1d(6)
        self.gate, self.layer_norm, self.fc, self.first = nn.Linear(6, 12), nn.LayerNorm(6), relu_head(12 + F), True

    def forward(self, x):
        turned, state = x.transpose(1, 2), self.rnn(x)[1][0][-1]
        block = torch.relu(self.skip(turned) + torch.relu(self.norm(self.conv(turned)))).mean(2)
        gated = self.layer_norm(state + nn.functional.glu(self.gate(state)))
        return torch.sigmoid(self.fc(torch.cat([block, gated, x[:, -1]], 1)))


class Excited(nn.Module):
    """Squeeze and excitation, whose one row for each sequence multiplies all of its steps."""

    def __init__(self):
        super().__init__()
        self.conv, self.gate, self.fc, self.first = nn.Conv1d(F, 6, 3), nn.Linear(6, 6), nn.Linear(6, 1), True

    def forward(self, x):
        y = torch.relu(self.conv(x.transpose(1, 2)))
        return torch.sigmoid(self.fc((y * torch.sigmoid(self.gate(y.mean(2))).unsqueeze(2)).amax(2)))


save("mean beside maximum", Joined(lstm(6, bidirectional=True), 24, lambda y, h: torch.cat([y.mean(1), y.amax(1)], 1)))
save("adaptive pools side by side", Joined(lstm(6), 12, lambda y, h: torch.cat([pool(y.transpose(1, 2), 1).flatten(1) for pool in (nn.functional.adaptive_avg_pool1d, nn.functional.adaptive_max_pool1d)], 1)))
save("last rows of both directions", Joined(lstm(6, bidirectional=True), 12, lambda y, h: torch.cat([y[:, -1, :6], y[:, 0, 6:]], 1)))
save("last state beside mean", Joined(lstm(6), 12, lambda y, h: torch.cat([h[-1], y.mean(1)], 1)))
save("last row beside mean", Joined(lstm(6), 12, lambda y, h: torch.cat([y[:, -1], y.mean(1)], 1)))
save("two layers' last states beside mean and maximum", Joined(lstm(6, num_layers=2, bidirectional=True), 36, lambda y, h: torch.cat([h[-2], h[-1], y.mean(1), y.amax(1)], 1)))
save("sum of both directions", Joined(lstm(6, bidirectional=True), 6, lambda y, h: (y[:, :, :6] + y[:, :, 6:]).amax(1)))
save("sum of both last states", Joined(nn.GRU(F, 6, batch_first=True, bidirectional=True), 6, lambda y, h: h[-2] + h[-1]))
save("maximum less mean", Joined(lstm(6), 6, lambda y, h: y.amax(1) - y.mean(1)))
save("first row beside last", Joined(lstm(6), 12, lambda y, h: torch.cat([y[:, 0], y[:, -1]], 1)))
save("branches", Branches())
save("squeeze and excitation", Excited())

class Attention(nn.Module):
    """Attention pooling, as tutorials write it: scores, a softmax over steps, the sum that it weights."""

    def __init__(self, read, count=1):
        super().__init__()
        self.rnn, self.score, self.fc, self.read, self.first = lstm(6), nn.Linear(6, count), nn.Linear(6 * count, 1), read, True

    def forward(self, x):
        y, _ = self.rnn(x)
        return torch.sigmoid(self.fc(self.read(torch.softmax(self.score(torch.tanh(y)), 1), y)))


class Unrolled(nn.Module):
    """A cell in a loop of Python."""

    def __init__(self, cell):
        super().__init__()
        self.cell, self.fc, self.first = cell, nn.Linear(6, 1), True

    def forward(self, x):
        h = torch.zeros(x.shape[0], 6)
        for t in range(T):
            h = self.cell(x[:, t], h)
        return torch.sigmoid(self.fc(h))


class Scanned(nn.Module):
    """A cell in PyTorch's own scan."""

    def __init__(self):
        super().__init__()
        self.cell, self.fc, self.first = nn.LSTMCell(F, 6), nn.Linear(6, 1), True

    def forward(self, x):
        def step(states, row):
            h, c = self.cell(row, states)
            return (h, c), h.clone()

        start = (torch.zeros(x.shape[0], 6), torch.zeros(x.shape[0], 6))  # not one tensor twice, which scan refuses
        (h, _), _ = scan(step, start, x.transpose(0, 1))
        return torch.sigmoid(self.fc(h))


save("attention, sum", Attention(lambda w, y: (w * y).sum(1)))
save("attention, product", Attention(lambda w, y: torch.bmm(w.transpose(1, 2), y).squeeze(1)))
save("attention, three heads", Attention(lambda w, y: torch.bmm(w.transpose(1, 2), y).flatten(1), 3))
save("GRUCell in a loop", Unrolled(nn.GRUCell(F, 6)))
save("LSTMCell in a scan", Scanned(), ("newer exporter",))

path = cases.path(".pt")
model = Recurrent(lstm(8), nn.Linear(8, 1))
torch.save(model.state_dict(), path)
cases.add("LSTM, torch.save", path, x, probabilities(model))
cases.write()
