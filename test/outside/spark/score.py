# Spark scores a table with an exported ONNX file: mapInPandas, a session a batch, two local workers. Arguments: the graph, sequences (N,T,F) as
# .npy, a folder. Writes probabilities.npy there, in the order of the sequences.
import os
import sys
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import SparkSession

os.environ["PYSPARK_PYTHON"] = sys.executable
graph, sequences, folder = sys.argv[1:]
X = np.load(sequences)
T, F = X.shape[1:]
table = os.path.join(folder, "sequences.parquet")
pq.write_table(pa.table({"id": np.arange(len(X)), "sequence": pa.array(list(X.reshape(len(X), -1)))}), table)


def score(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    for batch in batches:
        rows = np.stack(batch["sequence"]).reshape(-1, T, F)
        (probabilities,) = session.run(["probability"], {"sequences": rows})
        yield pd.DataFrame({"id": batch["id"], "probability": probabilities})


spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.ui.enabled", "false")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.host", "127.0.0.1")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")
scored = spark.read.parquet(table).repartition(8).mapInPandas(score, "id long, probability float").toPandas()
spark.stop()
assert sorted(scored["id"]) == list(range(len(X)))
np.save(os.path.join(folder, "probabilities.npy"), scored.sort_values("id")["probability"].to_numpy())
