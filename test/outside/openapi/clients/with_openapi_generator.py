"""The same by the package that openapi-generator generates."""

import datetime
import json
import sys

folder, url, key, token = sys.argv[1:]
sys.path.insert(0, folder)

import quickstep_generated as generated

sequence = [[10, 14, 9, 12, 51], [12, 16, 11, 13, 62]]
now = datetime.datetime.now(datetime.timezone.utc).isoformat()

with generated.ApiClient(generated.Configuration(host=url, access_token=key)) as client:
    scoring, streams = generated.ScoreApi(client), generated.StreamsApi(client)
    score = scoring.score_sequences(generated.ScoreRequest(generated.ScoreOne(sequence=sequence)))
    try:
        scoring.score_sequences(generated.ScoreRequest(generated.ScoreOne(sequence=[[0, 0, 0, 0, 0]])))
    except generated.ApiException as error:
        pointer = json.loads(error.body)["pointer"]
    given = generated.StreamEvent.from_dict({"id": "a", "timestamp": now, "values": sequence[0]})
    event = streams.add_events("openapi-generator", generated.StreamRequest(given))
    hook = generated.HooksApi(client).receive_webhook_by_token("alerts", token, {"ticker": "openapi-generator-hook", "time": now, "bar": sequence[0]})
    tensor = {"name": "x", "datatype": "FP64", "shape": [1, 2, 5], "data": [sequence]}
    infer = generated.InferenceApi(client).infer_model("sp500", generated.InferRequest.from_dict({"inputs": [tensor]}))
first = infer.outputs[0].data[0]
print(
    json.dumps(
        {
            "score": score.results[0].probability,
            "infer": getattr(first, "actual_instance", first),
            "event": event.actual_instance.seq,
            "hook": hook.actual_instance.seq,
            "pointer": pointer,
        }
    )
)
