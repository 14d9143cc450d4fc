"""Holds what goes over the wire against Google's own description of the Gmail API.

It comes with google-api-python-client and is not ours: neither the server's answers nor
the provider's requests can drift away together.
"""

import functools
import json
import re
from importlib import resources

import jsonschema

_NUMBERS = {"int64": r"-?\d+", "uint64": r"\d+"}
# Of every method (the document's own `parameters`), those that the client uses.
_COMMON = ("alt", "fields", "prettyPrint", "quotaUser")


class OffSchema(AssertionError):
    """Something that Gmail would not say, or not take."""


@functools.lru_cache(maxsize=1)
def document() -> dict:
    """The discovery document."""
    folder = resources.files("googleapiclient") / "discovery_cache" / "documents"
    return json.loads((folder / "gmail.v1.json").read_text())


def check(name: str, value) -> None:
    """Hold a value against one of the schemas."""
    errors = sorted(_validator(name).iter_errors(value), key=str)
    if errors:
        raise OffSchema(f"{name}: {errors[0].message[:300]} at {errors[0].json_path}")


def check_request(method: str, path: str, query: dict, body: bytes) -> dict:
    """Hold a request against the methods; gives the one that it calls.

    :param query: lists of values by name
    """
    for one in _methods():
        if one["httpMethod"] == method and one["pattern"].fullmatch(path):
            break
    else:
        raise OffSchema(f"no method {method} {path}")
    known = one["parameters"]
    for name, values in query.items():
        if name in _COMMON:
            continue
        parameter = known.get(name)
        if not parameter or parameter["location"] != "query":
            raise OffSchema(f"{one['id']} has no parameter {name}")
        if len(values) > 1 and not parameter.get("repeated"):
            raise OffSchema(f"{name} of {one['id']} is given twice")
        for value in values:
            _check_parameter(one["id"], name, parameter, value)
    for name, parameter in known.items():
        in_path = parameter["location"] == "path"
        if parameter.get("required") and not in_path and name not in query:
            raise OffSchema(f"{one['id']} needs {name}")
    if "request" in one:
        check(one["request"]["$ref"], json.loads(body))
    elif body:
        raise OffSchema(f"{one['id']} takes no body")
    return one


def check_answer(method: dict, value) -> None:
    """Hold an answer against what a method gives."""
    if "response" in method:
        check(method["response"]["$ref"], value)
    elif value:
        raise OffSchema(f"{method['id']} gives nothing")


def _check_parameter(method: str, name: str, parameter: dict, value: str) -> None:
    kind = parameter["type"]
    number = _NUMBERS.get(parameter.get("format", ""))
    right = (
        value.isdecimal()
        if kind == "integer"
        else value in ("true", "false")
        if kind == "boolean"
        else bool(re.fullmatch(number, value))
        if number
        else value in parameter.get("enum", [value])
    )
    if not right:
        raise OffSchema(f"{name} of {method} cannot be {value[:60]!r}")
    if name == "maxResults" and int(value) > 500:
        raise OffSchema(f"{name} of {method} is at most 500")


@functools.lru_cache(maxsize=1)
def _methods() -> list[dict]:
    found = []

    def walk(resource: dict) -> None:
        for method in resource.get("methods", {}).values():
            path = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape("/" + method["path"]))
            found.append({**method, "pattern": re.compile(path)})
        for below in resource.get("resources", {}).values():
            walk(below)

    walk(document())
    return found


@functools.cache
def _validator(name: str) -> jsonschema.Draft202012Validator:
    schemas = document()["schemas"]
    definitions = {key: _converted(schema) for key, schema in schemas.items()}
    whole = {"$ref": f"#/$defs/{name}", "$defs": definitions}
    return jsonschema.Draft202012Validator(whole)


def _converted(schema: dict) -> dict:
    """A schema of the discovery format as JSON Schema.

    https://developers.google.com/discovery/v1/type-format
    """
    if "$ref" in schema:
        return {"$ref": f"#/$defs/{schema['$ref']}"}
    result: dict = {}
    if "type" in schema and schema["type"] != "any":
        result["type"] = schema["type"]
    if "enum" in schema:
        result["enum"] = schema["enum"]
    if schema.get("format") in _NUMBERS and schema["type"] == "string":
        result["pattern"] = f"^{_NUMBERS[schema['format']]}$"
    if schema.get("format") == "byte":
        result["pattern"] = "^[A-Za-z0-9_-]*={0,2}$"
    if "items" in schema:
        result["items"] = _converted(schema["items"])
    if schema.get("type") == "object":
        properties = schema.get("properties", {})
        result["properties"] = {k: _converted(v) for k, v in properties.items()}
        more = schema.get("additionalProperties", False)
        result["additionalProperties"] = _converted(more) if more else False
    return result
