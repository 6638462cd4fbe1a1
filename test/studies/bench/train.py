# PyTorch's side of train.ts: reads "threads way" a line, does one Adam step at batch 1000, answers with a line.
import sys
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

B, T, C, U = 1000, 10, 5, 100
torch.manual_seed(1)
lstm, head = nn.LSTM(C, U, batch_first=True), nn.Linear(U, 1)
parameters = [*lstm.parameters(), *head.parameters()]
adam = torch.optim.Adam(parameters, lr=1e-3)
x, y = torch.randn(B, T, C), (torch.rand(B) < 0.25).float()
lengths = torch.tensor([[10, 3, 8, 10, 4, 7, 3, 10, 5][n % 9] for n in range(B)])
padded = x * (torch.arange(T)[None, :, None] < lengths[:, None, None])


def last_states(way):
    if way == "packed":
        return lstm(pack_padded_sequence(padded, lengths, batch_first=True, enforce_sorted=False))[1][0][0]
    if way == "padded":
        return lstm(padded)[0][torch.arange(B), lengths - 1]
    return lstm(x)[1][0][0]


print(torch.__version__, flush=True)
for line in sys.stdin:
    threads, way = line.split()
    torch.set_num_threads(int(threads))
    adam.zero_grad()
    loss = nn.functional.binary_cross_entropy_with_logits(head(last_states(way))[:, 0], y)
    loss.backward()
    adam.step()
    print(loss.item(), flush=True)
