# One set of sequences as numpy, pandas, polars and pyarrow write it with their defaults. Argument: a folder.
import json
import os
import sys

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.json
import pyarrow.parquet as pq

folder = sys.argv[1]
FEATURES = ["open", "high", "low", "close", "volume"]
N, T = 8, 10
random = np.random.default_rng(12)
close = 1400 * np.exp(np.cumsum(random.normal(0, 0.012, (N, T)), axis=1))
opened = close * np.exp(random.normal(0, 0.006, (N, T)))
X = np.stack([opened, np.maximum(opened, close) * 1.004, np.minimum(opened, close) * 0.996, close, random.lognormal(21, 0.4, (N, T))], axis=2)
y = np.arange(N) % 2
flat, names = X.reshape(N, -1), [f"{f}_{t}" for t in range(T) for f in FEATURES]
files = []


def file(name, says=None, **options):
    """A file that is read; `says`: of the sentence with which it is refused instead; other options are the reader's."""
    files.append({"name": name, **options, **({} if says is None else {"says": says})})
    return os.path.join(folder, name)


# numpy
np.savez(file("numpy.npz"), X=X, y=y)
np.savez_compressed(file("numpy-compressed.npz"), X=X, y=y, features=np.array(FEATURES))
np.save(file("numpy.npy"), X)
np.save(file("numpy-fortran.npy"), np.asfortranarray(X))
np.save(file("numpy-big-endian.npy"), X.astype(">f8"))
np.savetxt(file("numpy-savetxt.csv"), flat, delimiter=",")
np.savetxt(file("numpy-savetxt-spaces.txt"), flat)
np.save(file("numpy-objects.npy", says="object"), np.array([list(map(list, x)) for x in X] + [[]], dtype=object), allow_pickle=True)
X.tofile(file("numpy-tofile.bin", says="has the extension .bin, expected .csv"))

# pandas
wide = pd.DataFrame(flat, columns=names)
labelled = wide.assign(y=y)
labelled.to_csv(file("pandas.csv"))
labelled.to_csv(file("pandas.csv.gz"))
labelled.to_csv(file("pandas.tsv"), sep="\t", index=False)
labelled.to_parquet(file("pandas.parquet"))
labelled.to_feather(file("pandas.feather"))
labelled.to_json(file("pandas-records.json"), orient="records", double_precision=15)
labelled.to_json(file("pandas-lines.jsonl"), orient="records", lines=True, double_precision=15)
labelled.to_json(file("pandas-columns.json", says='orient="records"'), double_precision=15)
labelled.to_pickle(file("pandas.pkl", says="has the extension .pkl, expected .csv"))
pd.DataFrame({"sequence": list(map(lambda x: x.tolist(), X)), "label": y}).to_parquet(file("pandas-nested.parquet"))
rows = pd.DataFrame(X.reshape(-1, 5), columns=FEATURES).assign(key=np.repeat([f"k{n}" for n in range(N)], T), time=np.tile(pd.date_range("2026-01-28", periods=T), N))
rows.to_csv(file("pandas-rows.csv", key="key", time="time"), index=False)
rows.to_parquet(file("pandas-rows.parquet", key="key", time="time"))

rows.assign(step=np.tile(np.arange(T), N)).pivot(index="key", columns="step", values=FEATURES).to_csv(file("pandas-pivot.csv"))
levels = wide.set_axis(pd.MultiIndex.from_product([range(T), FEATURES], names=["step", "feature"]), axis=1)
levels.to_csv(file("pandas-levels.csv"))
levels.swaplevel(axis=1).sort_index(axis=1).to_csv(file("pandas-levels-sorted.csv"))
labelled.to_csv(file("pandas-german.csv"), sep=";", decimal=",")

# polars
frame = pl.DataFrame({name: flat[:, i] for i, name in enumerate(names)} | {"y": y})
frame.write_csv(file("polars.csv"))
frame.write_csv(file("polars-german.csv"), separator=";", decimal_comma=True)
frame.write_parquet(file("polars.parquet"))
frame.write_ipc(file("polars.arrow"))
frame.write_ipc_stream(file("polars-stream.arrow"))
frame.write_ndjson(file("polars.ndjson"))
frame.write_json(file("polars.json"))
pl.DataFrame({"sequence": X.tolist(), "label": y}).write_parquet(file("polars-nested.parquet"))
frame.write_avro(file("polars.avro", says="has the extension .avro, expected .csv"))

# pyarrow
table = pa.table({name: flat[:, i] for i, name in enumerate(names)} | {"y": y})
pq.write_table(table, file("pyarrow.parquet"))
pq.write_table(table, file("pyarrow-zstd-v2.parquet"), compression="zstd", data_page_version="2.0")
pa.feather.write_feather(table, file("pyarrow.feather"))
pa.csv.write_csv(table, file("pyarrow.csv"))
with pa.OSFile(file("pyarrow-file.arrow"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
    writer.write_table(table)
with pa.OSFile(file("pyarrow-stream.arrow"), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
    writer.write_table(table)
pq.write_table(pa.table({"sequence": pa.array(X.tolist()), "label": y}), file("pyarrow-nested.parquet"))
pq.write_table(pa.table({"sequence": pa.FixedShapeTensorArray.from_numpy_ndarray(np.ascontiguousarray(X)), "label": y}), file("pyarrow-tensors.parquet"))
pa.feather.write_feather(table, file("pyarrow-v1.feather", says="Feather"), version=1)

json.dump({"X": X.reshape(N, -1).tolist(), "files": files}, sys.stdout)
