# Writes sequences (N,T,F), a .npy, as a folder of Parquet files of `id` and `sequence`. Arguments: the array, the folder, files.
import os
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

sequences, folder, files = sys.argv[1:]
X = np.load(sequences)
os.makedirs(folder)
for part, ids in enumerate(np.array_split(np.arange(len(X)), int(files))):
    rows = pa.FixedSizeListArray.from_arrays(X[ids].reshape(-1), X.shape[1] * X.shape[2]).cast(pa.list_(pa.float64()))
    pq.write_table(pa.table({"id": ids, "sequence": rows}), os.path.join(folder, f"{part}.parquet"))
