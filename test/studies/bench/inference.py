# Native ONNX Runtime's side of inference.ts: reads "one N" or "all N" a line: that many times one sequence or all of them, on one
# thread; answers each with the milliseconds of CPU. Arguments: files of the model, the channels and the lengths.
import sys
import time

import numpy as np
import onnxruntime as ort

model, channels, lengths = sys.argv[1:]
options = ort.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
lengths = np.fromfile(lengths, np.int32)
channels = np.fromfile(channels, np.float32).reshape(len(lengths), 10, 5)
print(ort.__version__, flush=True)
for line in sys.stdin:
    what, count = line.split()
    start = time.process_time()
    for i in range(int(count)):
        n = i % len(lengths)
        feeds = {"channels": channels, "lengths": lengths} if what == "all" else {"channels": channels[n : n + 1], "lengths": lengths[n : n + 1]}
        session.run(None, feeds)
    print(1000 * (time.process_time() - start), flush=True)
