#!/usr/bin/env python3
"""Validates bills of material with the reference libraries of their standards, and findings with their JSON schemas.

Usage: validate_documents.py FILE...

Needs `pip install spdx-tools spdx-python-model 'cyclonedx-python-lib[json-validation]'`. Exits 1 if a file is not valid.
"""

import json
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def check_spdx(path):
    from spdx_tools.spdx.parser.json import json_parser
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

    document = json_parser.parse_from_file(path)
    return [message.validation_message for message in validate_full_spdx_document(document)]


def check_spdx3(path):
    """The model generated from the SPDX ontology: types, names and values of properties, and references that lead nowhere."""
    from io import BytesIO

    from spdx_python_model import v3_0_1

    elements = v3_0_1.SHACLObjectSet()
    try:
        with open(path, encoding="utf-8") as file:
            v3_0_1.JSONLDDeserializer().read(file, elements)
        v3_0_1.JSONLDSerializer().write(elements, BytesIO())
    except Exception as error:  # each kind of violation is a kind of exception
        return [f"{type(error).__name__}: {error}"]
    problems = [f"{missing} is no element" for missing in sorted(elements.missing_ids)]
    if not list(elements.foreach_type(v3_0_1.SpdxDocument)):
        problems.append("there is no SpdxDocument")
    return problems


def check_cyclonedx(path, version):
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    with open(path, encoding="utf-8") as file:
        error = JsonStrictValidator(SchemaVersion.from_version(version)).validate_str(file.read())
    return [] if error is None else [str(error)]


def check_schema(value, schema):
    import jsonschema

    with open(os.path.join(ROOT, schema), encoding="utf-8") as file:
        schema = json.load(file)
    validator = jsonschema.validators.validator_for(schema)
    return [f"{error.json_path}: {error.message}" for error in validator(schema).iter_errors(value)]


def check(path):
    with open(path, encoding="utf-8") as file:
        value = json.load(file)
    if isinstance(value, list):
        return check_schema(value, "crates/kiln-report/schema/scan.schema.json")
    if value.get("version") == "2.1.0" and "runs" in value:
        return check_schema(value, "target/peers/sarif-2.1.0.json")
    if value.get("spdxVersion") == "SPDX-2.3":
        return check_spdx(path)
    if "@graph" in value and str(value.get("@context", "")).startswith("https://spdx.org/rdf/3.0.1/"):
        return check_spdx3(path)
    if value.get("bomFormat") == "CycloneDX" and value.get("specVersion") in ("1.6", "1.7"):
        return check_cyclonedx(path, value["specVersion"])
    return ["is neither SPDX 2.3 or 3.0.1 nor CycloneDX 1.6 or 1.7, nor SARIF 2.1.0, nor a scan of kiln's"]


def main(paths):
    failed = not paths
    for path in paths:
        problems = check(path)
        failed = failed or bool(problems)
        print(f"{path}: {'valid' if not problems else 'NOT VALID'}")
        for problem in problems:
            print(f"  {problem}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
