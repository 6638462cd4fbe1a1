#!/usr/bin/env bash
# Sends one event to the source `pumps` of webhooks.toml. PUMPS_SECRET is the source's secret, WORKER the Worker's address.
set -euo pipefail
body='{"pump":"north-7","reading":"r-1","at":"2026-11-25T09:30:00Z","values":[10.1,10.4,9.9,10.2,5100]}'
signature=$(printf %s "$body" | openssl dgst -sha256 -hmac "$PUMPS_SECRET" -r | cut -d' ' -f1)
curl --fail-with-body -s "${WORKER:-http://localhost:8787}/hooks/pumps" -H "x-signature: sha256=$signature" -d "$body"
