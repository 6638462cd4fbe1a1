"""Scores a table of raw sequences with DuckDB and the graph that `export --onnx FILE --preprocessing` wrote, a batch at a time.

    pip install duckdb onnxruntime numpy pyarrow
    python3 score_with_duckdb.py model.onnx "select id, sequence from 'sequences/*.parquet'" scored.parquet

The query gives `id` and `sequence`: T × F numbers, row after row; a shorter sequence has zero rows in front. scored.parquet has `id` and
`probability`, which is NaN where a sequence has no data row. Memory does not grow with the table.
"""

import sys

import duckdb
import numpy as np
import onnxruntime
import pyarrow as pa
import pyarrow.parquet as pq

# Sequences that are held at a time.
BATCH = 2_000


def score(model: str, query: str, scored: str) -> None:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    _, timesteps, features = session.get_inputs()[0].shape
    batches = duckdb.sql(query).to_arrow_reader(BATCH)
    schema = pa.schema([batches.schema.field("id"), ("probability", pa.float32())])
    with pq.ParquetWriter(scored, schema) as writer:
        for batch in batches:
            numbers = batch["sequence"].flatten().to_numpy(zero_copy_only=False)
            rows = numbers.astype(np.float64).reshape(-1, timesteps, features)
            (probabilities,) = session.run(["probability"], {"sequences": rows})
            writer.write_batch(pa.record_batch([batch["id"], pa.array(probabilities)], schema=schema))


if __name__ == "__main__":
    score(*sys.argv[1:])
