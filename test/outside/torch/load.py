# PyTorch and safetensors load what quickstep exports. Arguments: the state dict in safetensors, channels (N,T,C) as .npy. Prints the logits, JSON.
import json
import sys

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn

state = load_file(sys.argv[1])
channels = torch.tensor(np.load(sys.argv[2]), dtype=torch.float32)
units = state["fc.weight"].shape[1]
model = nn.ModuleDict({"lstm": nn.LSTM(channels.shape[2], units, batch_first=True), "fc": nn.Linear(units, 1)})
model.load_state_dict(state)
with torch.no_grad():
    y, _ = model["lstm"](channels)
    print(json.dumps(model["fc"](y[:, -1])[:, 0].tolist()))
