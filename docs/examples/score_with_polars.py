"""Scores a table of raw sequences with Polars and the graph that `export --onnx FILE --preprocessing` wrote, as the table streams by.

    pip install polars onnxruntime numpy
    python3 score_with_polars.py model.onnx "sequences/*.parquet" scored.parquet

The table has the columns `id` and `sequence`: T × F numbers, row after row; a shorter sequence has zero rows in front. scored.parquet has
`id` and `probability`, which is NaN where a sequence has no data row. Memory does not grow with the table.
"""

import sys
from collections.abc import Callable

import numpy as np
import onnxruntime
import polars as pl

# Sequences that are scored at once.
BATCH = 2_000


def scorer(model: str) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """What map_batches runs on every piece of the table, of whatever size."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    _, timesteps, features = session.get_inputs()[0].shape

    def score(table: pl.DataFrame) -> pl.DataFrame:
        probabilities = [np.empty(0, np.float32)]
        for batch in table.iter_slices(BATCH):
            rows = batch["sequence"].explode().to_numpy().astype(np.float64).reshape(-1, timesteps, features)
            probabilities.extend(session.run(["probability"], {"sequences": rows}))
        return table.select("id", pl.Series("probability", np.concatenate(probabilities)))

    return score


if __name__ == "__main__":
    model, sequences, scored = sys.argv[1:]
    table = pl.scan_parquet(sequences).select("id", "sequence")
    schema = {"id": table.collect_schema()["id"], "probability": pl.Float32}
    table.map_batches(scorer(model), schema=schema, streamable=True).sink_parquet(scored)
