#!/usr/bin/env bash
# Sends one row, as of now, to the source `pumps` of webhooks.toml: a key, then the row's values in the model's order.
#   PUMPS_SECRET=… bash send-signed.sh north-7 10.1 10.4 9.9 10.2 5100
# PUMPS_SECRET is the secret that the source names; WORKER the Worker's address, http://localhost:8787 where it is not set.
set -euo pipefail
secret=${PUMPS_SECRET:?is not set: it is the secret of the source pumps}
key=${1:?a key is missing, then the values of a row, as in: send-signed.sh north-7 10.1 10.4 9.9 10.2 5100}
values=$(IFS=,; echo "${*:2}")
body="{\"pump\":\"$key\",\"at\":\"$(date -u +%Y-%m-%dT%H:%M:%SZ)\",\"values\":[$values]}"
signature=$(printf %s "$body" | openssl dgst -sha256 -hmac "$secret" -r | cut -d' ' -f1)
curl --fail-with-body -s "${WORKER:-http://localhost:8787}/hooks/pumps" -H "x-signature: sha256=$signature" -d "$body"
