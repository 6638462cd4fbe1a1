# Prints the probabilities of a table with `id` and `probability`, a file or a folder, in the order of 0 … N − 1, as JSON.
import json
import sys

import numpy as np
import pyarrow.parquet as pq

table = pq.read_table(sys.argv[1]).sort_by("id")
assert (table["id"].to_numpy() == np.arange(len(table))).all()
print(json.dumps(table["probability"].to_numpy().tolist()))
