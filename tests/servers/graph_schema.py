"""What Microsoft says that a message is, and a batch: answers and requests are held
against it.

`graph-message.schema.json` is JSON Schema generated from the types that Microsoft
publishes as @microsoft/microsoft-graph-types (npm, MIT); its objects take no properties
that are not named. Annotations (`@odata.*`, `@removed`) are none of theirs.
"""

import functools
import json
from pathlib import Path

from jsonschema import Draft7Validator

_SCHEMA = json.loads(
    Path(__file__).with_name("graph-message.schema.json").read_text(encoding="utf-8")
)
# https://learn.microsoft.com/en-us/graph/json-batching
_BATCH = Draft7Validator(
    {
        "type": "object",
        "required": ["requests"],
        "additionalProperties": False,
        "properties": {
            "requests": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["id", "method", "url"],
                    "additionalProperties": False,
                    "properties": {
                        "id": {"type": "string"},
                        "method": {"enum": ["GET", "POST", "PATCH", "DELETE"]},
                        "url": {"type": "string", "pattern": "^/"},
                        "headers": {"type": "object"},
                        "body": {},
                        "dependsOn": {"type": "array"},
                    },
                },
            }
        },
    }
)


def against_schema(value: dict, part: str = "Message") -> list[str]:
    """What is wrong with a message, or another `part` of the schema."""
    plain = json.loads(json.dumps(value), object_hook=_without_annotations)
    if part == "Attachment":
        # (of the derived type fileAttachment; the schema has the base alone)
        plain.pop("contentId", None)
    return [error.message for error in _validator(part).iter_errors(plain)]


def against_batch(body: object) -> list[str]:
    """What is wrong with a request to $batch."""
    return [error.message for error in _BATCH.iter_errors(body)]


@functools.cache
def _validator(part: str) -> Draft7Validator:
    return Draft7Validator({**_SCHEMA, "$ref": f"#/definitions/{part}"})


def _without_annotations(one: dict) -> dict:
    return {name: value for name, value in one.items() if "@" not in name}
