# Verifies deliveries as receivers in Python do. stdin: {"secret", "deliveries": [{"body", "headers"}]}; stdout: for each library and delivery
# "verified", or the name of what the library raised.
import json
import sys

import standardwebhooks
import svix

given = json.load(sys.stdin)


def verify(library, delivery):
    try:
        library.Webhook(given["secret"]).verify(delivery["body"], delivery["headers"])
        return "verified"
    except Exception as error:
        return type(error).__name__


print(
    json.dumps(
        {
            name: [verify(library, delivery) for delivery in given["deliveries"]]
            for name, library in {"svix": svix.webhooks, "standardwebhooks": standardwebhooks}.items()
        }
    )
)
