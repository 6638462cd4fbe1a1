"""Bodies that MLServer's types and codecs write, and answers that they read, as JSON. stdin: {url, key, name, sequences}."""

import json
import sys

import numpy as np
import requests
from mlserver.codecs import NumpyCodec, NumpyRequestCodec, PandasCodec
from mlserver.types import InferenceErrorResponse, InferenceRequest, InferenceResponse, MetadataModelResponse, MetadataServerResponse, Parameters, RequestInput, RequestOutput

given = json.load(sys.stdin)
url, name = given["url"], given["name"]
headers = {"authorization": f"Bearer {given['key']}", "content-type": "application/json"}
sequences = np.array(given["sequences"])
DTYPES = ["float64", "float32", "float16", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]


def send(request, **written):
    return requests.post(f"{url}/v2/models/{name}/infer", data=request.model_dump_json(**written), headers=headers, timeout=60)


def tensors(answer):
    response = InferenceResponse.model_validate_json(answer.text)
    return {output.name: NumpyCodec.decode_output(output).reshape(-1).tolist() for output in response.outputs}


def read(path, kind):
    return kind.model_validate(requests.get(f"{url}{path}", headers=headers, timeout=60).json()).model_dump(mode="json", exclude_none=True)


def encode(dtype="float64", **more):
    return NumpyCodec.encode_input("sequences", sequences.astype(dtype), **more)


by_hand = RequestInput(name="input-1", shape=list(sequences.shape), datatype="FP64", data=sequences.tolist())
calls = {dtype: InferenceRequest(inputs=[encode(dtype)]) for dtype in DTYPES}
calls |= {
    "request codec": NumpyRequestCodec.encode_request(sequences),
    "another name": InferenceRequest(inputs=[by_hand]),
    "parameters": InferenceRequest(id="a", parameters=Parameters(content_type="np", headers={"x": "y"}), inputs=[encode()]),
    "outputs": InferenceRequest(inputs=[encode()], outputs=[RequestOutput(name="probability")]),
}
answers = {called: tensors(send(request))["probability"] for called, request in calls.items()}
# All that its types have is written: null for the id, parameters, outputs, and so of each tensor
nulls = {"exclude_unset": False, "exclude_none": False}
answers |= {f"{called}, nulls": tensors(send(calls[called], **nulls))["probability"] for called in ("another name", "parameters", "outputs")}
whole = InferenceResponse.model_validate_json(send(calls["parameters"]).text)
refused = send(InferenceRequest(inputs=[NumpyCodec.encode_input("sequences", np.ones((1, 1)))]))
print(
    json.dumps(
        {
            "answers": answers,
            "nulls": calls["another name"].model_dump_json(**nulls).count("null"),
            "table": PandasCodec.decode_response(whole).columns.tolist(),
            "answer": {"id": whole.id, "name": whole.model_name, "versioned": bool(whole.model_version)},
            "server": read("/v2", MetadataServerResponse)["extensions"],
            "model": read(f"/v2/models/{name}", MetadataModelResponse)["inputs"],
            "refused": [refused.status_code, InferenceErrorResponse.model_validate_json(refused.text).error],
        }
    )
)
