"""Unmodified InferenceRESTClient of KServe against the Worker, in both protocols: what each call gives, as JSON. stdin: {url, key, name, sequences}."""

import asyncio
import json
import sys

import httpx
import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.protocol.infer_type import RequestedOutput

given = json.load(sys.stdin)
url, name = given["url"], given["name"]
headers = lambda: {"authorization": f"Bearer {given['key']}"}  # infer writes into what it is given
sequences = np.array(given["sequences"])
DTYPES = {"FP64": "float64", "FP32": "float32", "FP16": "float16", "INT8": "int8", "INT16": "int16", "INT32": "int32", "INT64": "int64", "UINT8": "uint8", "UINT64": "uint64"}


def request(datatype="FP64", binary=True, called="sequences", **more):
    tensor = InferInput(called, list(sequences.shape), datatype)
    tensor.set_data_from_numpy(sequences.astype(DTYPES[datatype]), binary_data=binary)
    return InferRequest(name, [tensor], **more)


async def of_v2():
    async with InferenceRESTClient(RESTConfig(protocol="v2", timeout=60)) as client:
        infer = lambda asked: client.infer(url, asked, model_name=name, headers=headers())
        asked = [RequestedOutput("label"), RequestedOutput("probability", {"binary_data": True})]
        calls = {f"{datatype} {binary}": request(datatype, binary) for datatype in DTYPES for binary in (True, False) if binary or datatype != "FP16"}  # which it never writes as JSON
        calls |= {
            "another name": request(called="input-1"),
            "id": request(request_id="a"),
            "parameters": request(parameters={"trace": "x"}),
            "outputs": request(request_outputs=asked),
        }
        answers = {called: (await infer(asked)).get_output_by_name("probability").as_numpy().tolist() for called, asked in calls.items()}
        about = {
            "live": await client.is_server_live(url, headers=headers()),
            "ready": await client.is_server_ready(url, headers=headers()),
            "model ready": await client.is_model_ready(url, name, headers=headers()),
            "another ready": await client.is_model_ready(url, "another", headers=headers()),
            "id": (await infer(request(request_id="a"))).id,
        }
        wrong = InferInput("sequences", [1, 1], "FP64", [1.0])
        return {"answers": answers, "about": about, "refused": await status_of(infer(InferRequest(name, [wrong])))}


async def of_v1():
    async with InferenceRESTClient(RESTConfig(protocol="v1", timeout=60)) as client:
        infer = lambda asked: client.infer(url, asked, model_name=name, headers=headers())
        rows = sequences.tolist()
        answers = {
            "instances": (await infer({"instances": rows}))["predictions"],
            "named instances": (await infer({"instances": [{"x": row} for row in rows]}))["predictions"],
            "inputs": (await infer({"inputs": rows}))["outputs"],
        }
        ready = await client.is_model_ready(url, name, headers=headers())
        return {"answers": answers, "ready": ready, "refused": await status_of(infer({"instances": [[[1]]]}))}


async def status_of(call):
    try:
        await call
    except httpx.HTTPStatusError as error:
        return [error.response.status_code, error.response.json()["error"]]
    return "not refused"


async def all_of():
    return {"v2": await of_v2(), "v1": await of_v1()}


print(json.dumps(asyncio.run(all_of())))
