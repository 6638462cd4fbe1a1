"""Scores a table of raw sequences on Apache Spark with the graph that `export --onnx FILE --preprocessing` wrote.

    pip install pyspark onnxruntime pandas pyarrow
    spark-submit score_with_spark.py model.onnx sequences.parquet scored.parquet

sequences.parquet, a file or a folder, has the columns `id` and `sequence`: T × F numbers, row after row; a shorter sequence has zero rows in
front. scored.parquet, a folder, has `id` and `probability`, which is NaN where a sequence has no data row.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
from pyspark import Broadcast
from pyspark.sql import SparkSession

# Sequences that a worker holds at a time.
BATCH = 2_000


def scorer(model: Broadcast) -> Callable[[Iterator[pd.DataFrame]], Iterator[pd.DataFrame]]:
    """What mapInPandas runs once a partition: one session on one thread, since Spark runs a worker on every core."""

    def score(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(model.value, options, providers=["CPUExecutionProvider"])
        _, timesteps, features = session.get_inputs()[0].shape
        for batch in batches:
            rows = np.stack(batch["sequence"]).astype(np.float64).reshape(-1, timesteps, features)
            (probabilities,) = session.run(["probability"], {"sequences": rows})
            yield pd.DataFrame({"id": batch["id"], "probability": probabilities})

    return score


if __name__ == "__main__":
    model, sequences, scored = sys.argv[1:]
    spark = SparkSession.builder.appName("quickstep").config("spark.sql.execution.arrow.maxRecordsPerBatch", BATCH).getOrCreate()
    score = scorer(spark.sparkContext.broadcast(Path(model).read_bytes()))
    table = spark.read.parquet(sequences).select("id", "sequence")
    table.mapInPandas(score, "id long, probability float").write.mode("overwrite").parquet(scored)
    spark.stop()
