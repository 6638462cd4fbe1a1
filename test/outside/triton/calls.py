"""Unmodified tritonclient.http against the Worker: what each call gives, as JSON. stdin: {url, key, name, sequences}."""

import asyncio
import json
import sys

import ml_dtypes
import numpy as np
import tritonclient.http as sync
import tritonclient.http.aio as aio
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

given = json.load(sys.stdin)
host, name = given["url"].removeprefix("http://"), given["name"]
headers = {"authorization": f"Bearer {given['key']}"}  # infer writes into what it is given: each call has its own
sequences = np.array(given["sequences"])
DTYPES = ["float64", "float32", "float16", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]


def request(module, dtype="float64", binary=True, called="sequences"):
    array = sequences.astype(dtype)
    datatype = np_to_triton_dtype(array.dtype)
    tensor = module.InferInput(called, list(array.shape), datatype)
    tensor.set_data_from_numpy(array, binary_data=binary)
    return [tensor]


def bfloat16(module):
    tensor = module.InferInput("sequences", list(sequences.shape), "BF16")
    tensor.set_data_from_numpy(sequences.astype(ml_dtypes.bfloat16))
    return [tensor]


def refusal(call):
    try:
        call()
    except InferenceServerException as error:
        return error.message()
    return "not refused"


def scores(result):
    return result.as_numpy("probability").tolist()


def of_sync():
    client = sync.InferenceServerClient(host)
    infer = lambda inputs, **more: client.infer(name, inputs, headers=dict(headers), **more)
    asked = [sync.InferRequestedOutput("label"), sync.InferRequestedOutput("probability", binary_data=False)]
    calls = {f"{dtype} {binary}": lambda dtype=dtype, binary=binary: infer(request(sync, dtype, binary)) for dtype in DTYPES for binary in (True, False)}
    calls |= {
        "bfloat16": lambda: infer(bfloat16(sync)),
        "another name": lambda: infer(request(sync, called="input-1")),
        "version 1": lambda: infer(request(sync), model_version="1"),
        "outputs": lambda: infer(request(sync), outputs=asked),
        "id, priority, timeout, sequence": lambda: infer(request(sync), request_id="a", priority=1, timeout=1000, sequence_id=7, sequence_start=True),
        "parameters": lambda: infer(request(sync), parameters={"trace": "x"}),
        **{f"{coding} {binary}": lambda coding=coding, binary=binary: infer(request(sync, binary=binary), request_compression_algorithm=coding, response_compression_algorithm=coding) for coding in ("gzip", "deflate") for binary in (True, False)},
        "async_infer": lambda: client.async_infer(name, request(sync), headers=dict(headers)).get_result(),
    }
    about = {
        "live": client.is_server_live(headers=headers),
        "ready": client.is_server_ready(headers=headers),
        "model ready": client.is_model_ready(name, headers=headers),
        "version ready": client.is_model_ready(name, "1", headers=headers),
        "another ready": client.is_model_ready("another", headers=headers),
        "server": client.get_server_metadata(headers=headers)["name"],
        "metadata": client.get_model_metadata(name, headers=headers)["inputs"],
        "config": client.get_model_config(name, headers=headers)["max_batch_size"],
        "index": client.get_model_repository_index(headers=headers)[0]["state"],
    }
    answers = {called: scores(call()) for called, call in calls.items()}
    statistics = [client.get_inference_statistics(name, headers=headers), client.get_inference_statistics(headers=headers)]
    counts = [found["model_stats"][0]["execution_count"] for found in statistics]
    classes = [sync.InferRequestedOutput("probability", class_count=2)]
    wrong = sync.InferInput("sequences", [1, 1], "FP64")
    wrong.set_data_from_numpy(np.ones((1, 1)))
    refused = {"class_count": refusal(lambda: infer(request(sync), outputs=classes)), "shape": refusal(lambda: infer([wrong]))}
    client.close()
    return {"about": about, "answers": answers, "counts": counts, "refused": refused}


async def of_aio():
    async with aio.InferenceServerClient(host) as client:
        calls = [client.infer(name, request(aio, binary=binary), headers=dict(headers), request_compression_algorithm=coding) for binary in (True, False) for coding in (None, "gzip", "deflate")]
        answers = [scores(result) for result in await asyncio.gather(*calls)]
        return {"answers": answers, "ready": await client.is_model_ready(name, headers=headers)}


print(json.dumps({"sync": of_sync(), "aio": asyncio.run(of_aio())}))
