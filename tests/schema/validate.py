"""Validates JSON documents with a JSON Schema, and prints what is wrong.

validate.py SCHEMA DOCUMENT...

Each document is validated twice: as the schema is, and with a copy of it that refuses members that it does not describe.
"""

import copy
import json
import sys

from jsonschema import Draft202012Validator


def strict(part):
    """Refuses undescribed members in every object with described ones."""
    if isinstance(part, dict):
        if "properties" in part:
            part.setdefault("additionalProperties", False)
        for inner in part.values():
            strict(inner)
    elif isinstance(part, list):
        for inner in part:
            strict(inner)
    return part


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    Draft202012Validator.check_schema(schema)
    validators = [Draft202012Validator(schema), Draft202012Validator(strict(copy.deepcopy(schema)))]
    wrong = False
    for path in sys.argv[2:]:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
        for validator in validators:
            for error in validator.iter_errors(document):
                wrong = True
                print(f"{path}: {error.json_path}: {error.message[:300]}")
    sys.exit(1 if wrong else 0)


main()
