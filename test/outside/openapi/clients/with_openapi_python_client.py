"""A score, an event, a webhook and an infer call by the package that openapi-python-client generates. Arguments: URL, key, token; JSON out."""

import datetime
import json
import sys

folder, url, key, token = sys.argv[1:]
sys.path.insert(0, folder)

from quickstep_client import AuthenticatedClient
from quickstep_client.api.hooks import receive_webhook_by_token
from quickstep_client.api.inference import infer_model
from quickstep_client.api.score import score_sequences
from quickstep_client.api.streams import add_events
from quickstep_client.models import InferRequest, ReceiveWebhookByTokenBody, ScoreOne, StreamEvent

client = AuthenticatedClient(base_url=url, token=key)
sequence = [[10, 14, 9, 12, 51], [12, 16, 11, 13, 62]]
now = datetime.datetime.now(datetime.timezone.utc).isoformat()

score = score_sequences.sync(client=client, body=ScoreOne(sequence=sequence))
refused = score_sequences.sync(client=client, body=ScoreOne(sequence=[[1, 2]]))
event = add_events.sync("openapi-python-client", client=client, body=StreamEvent(id="a", timestamp=now, values=sequence[0]))
body = ReceiveWebhookByTokenBody.from_dict({"ticker": "openapi-python-client-hook", "time": now, "bar": sequence[0]})
hook = receive_webhook_by_token.sync("alerts", token, client=client, body=body)
tensor = {"name": "x", "datatype": "FP64", "shape": [1, 2, 5], "data": [sequence]}
infer = infer_model.sync("sp500", client=client, body=InferRequest.from_dict({"inputs": [tensor]}))
print(json.dumps({"score": score.results[0].probability, "infer": infer.outputs[0].data[0], "event": event.seq, "hook": hook.seq, "pointer": refused.pointer}))
