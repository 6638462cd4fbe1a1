"""Bodies that no JSON schema describes, as their operations describe them: lines, raw numbers, an array of NumPy. 10 steps of 5 features."""

import struct

import schemathesis
from hypothesis import strategies as st

WIDTH = 50
numbers = st.floats(min_value=0.5, max_value=1e6)
sequences = st.lists(st.lists(numbers, min_size=WIDTH, max_size=WIDTH), min_size=1, max_size=3)


def packed(rows):
    return b"".join(struct.pack("<50d", *row) for row in rows)


def npy(rows):
    head = f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({len(rows)}, 10, 5), }}".encode()
    head += b" " * (-(len(head) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + packed(rows)


def lines(rows):
    return "".join(f"[{','.join(str(row[i : i + 5]) for i in range(0, WIDTH, 5))}]\n" for row in rows).encode()


schemathesis.openapi.media_type("application/octet-stream", sequences.map(packed))
schemathesis.openapi.media_type("application/x-npy", sequences.map(npy))
schemathesis.openapi.media_type("application/x-ndjson", sequences.map(lines))


@schemathesis.serializer("application/x-ndjson")
def as_it_is(_context, value):
    return value


@schemathesis.hook
def before_load_schema(_context, raw_schema):
    """A media type whose bodies are made here takes no example that is text. The example is sent in test/edge/openapi."""
    for path in ("/v1/score/lines", "/v1/models/{name}/score/lines"):
        del raw_schema["paths"][path]["post"]["requestBody"]["content"]["application/x-ndjson"]["example"]
