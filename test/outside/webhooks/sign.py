# Signs bodies as the senders' own Python libraries do. stdin: {"body", "at", "secrets": {"standard", "stripe"}}; stdout: headers by sender.
import json
import sys
from datetime import datetime, timezone

import standardwebhooks
import stripe
import svix

given = json.load(sys.stdin)
body, at, secrets = given["body"], given["at"], given["secrets"]
when = datetime.fromtimestamp(at, tz=timezone.utc)


def standard(prefix, library, message):
    return {
        f"{prefix}-id": message,
        f"{prefix}-timestamp": str(at),
        f"{prefix}-signature": library.Webhook(secrets["standard"]).sign(msg_id=message, timestamp=when, data=body),
    }


def of_stripe():
    # The library has no public way to sign: this is what its own verification compares with.
    signature = stripe.WebhookSignature._compute_signature(f"{at}.{body}", secrets["stripe"])
    header = f"t={at},v1={signature}"
    stripe.Webhook.construct_event(body, header, secrets["stripe"], tolerance=None)
    return {"stripe-signature": header}


print(
    json.dumps(
        {
            "svix": standard("svix", svix.webhooks, "msg_svix"),
            "standardwebhooks": standard("webhook", standardwebhooks, "msg_standard"),
            "stripe": of_stripe(),
        }
    )
)
