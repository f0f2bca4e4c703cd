#!/usr/bin/env python3
"""Validates bills of material with the reference libraries of their standards, and findings with their JSON schemas.

Usage: validate_documents.py FILE...

Needs `pip install spdx-tools spdx-python-model 'cyclonedx-python-lib[json-validation]' xmlschema`. Exits 1 if a file is not valid.
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


def text(most=None, pattern=None):
    return {"type": "string", "minLength": 1, **({"maxLength": most} if most else {}), **({"pattern": pattern} if pattern else {})}


def record(required, **properties):
    return {"type": "object", "required": required.split(), "properties": properties}


# What GitLab asks of reports of container scanning and of dependency scanning, as far as kiln writes them. Its schemas come by no package
# that could be installed here, so this says again what 15.0.2 of them asks (*-scanning-report-format.json).
TIME = text(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$")
TOOL = record("id name version vendor", id=text(), name=text(), version=text(), vendor=record("name", name=text()))
DEPENDENCY = record("package version", package=record("name", name={"type": "string"}), version={"type": "string"})
LOCATIONS = {
    "container_scanning": record("dependency operating_system image", dependency=DEPENDENCY, operating_system=text(), image=text()),
    "dependency_scanning": record("file dependency", file=text(), dependency=DEPENDENCY),
}
FILE = record("path package_manager dependencies", path=text(), package_manager=text(), dependencies={"type": "array", "items": DEPENDENCY})
FINDING = record(
    "id identifiers location",
    id=text(),
    name={"type": "string", "maxLength": 255},
    description={"type": "string", "maxLength": 1048576},
    solution={"type": "string", "maxLength": 7000},
    severity={"enum": ["Info", "Unknown", "Low", "Medium", "High", "Critical"]},
    identifiers={
        "type": "array",
        "minItems": 1,
        "items": record("type name value", type=text(), name=text(), value=text()),
    },
    links={"type": "array", "items": record("url", url=text(pattern="^https?://.+"))},
)
GITLAB = record(
    "scan version vulnerabilities",
    version=text(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$"),
    scan=record(
        "analyzer end_time scanner start_time status type",
        analyzer=TOOL,
        scanner=TOOL,
        start_time=TIME,
        end_time=TIME,
        status={"enum": ["success", "failure"]},
        type={"enum": sorted(LOCATIONS)},
        messages={"type": "array", "items": record("level value", level={"enum": ["info", "warn", "fatal"]}, value=text())},
    ),
    vulnerabilities={"type": "array", "items": FINDING},
    remediations={"type": "array", "items": record("fixes summary diff")},
)


def check_gitlab(value):
    import jsonschema

    schemas = [(value, GITLAB)]
    kind = value["scan"].get("type")
    schemas += [(found.get("location"), LOCATIONS[kind]) for found in value["vulnerabilities"] if kind in LOCATIONS]
    if kind == "dependency_scanning":
        schemas.append((value.get("dependency_files"), {"type": "array", "items": FILE}))
    errors = (error for part, schema in schemas for error in jsonschema.Draft7Validator(schema).iter_errors(part))
    return [f"{error.json_path}: {error.message}" for error in errors]


def check_junit(path):
    import xmlschema

    schema = xmlschema.XMLSchema(os.path.join(ROOT, "target/peers/junit.xsd"))
    problems = [f"{error.path}: {error.reason}" for error in schema.iter_errors(path)]
    if problems:
        return problems
    # The schema takes any text for a number, so the sums are asked, too.
    for suite in xmlschema.XMLResource(path).root:
        cases = list(suite)
        for name, child in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            count = sum(case.find(child) is not None for case in cases)
            if int(suite.get(name)) != count:
                problems.append(f"{suite.get('name')}: {name} is {suite.get(name)}, there are {count}")
        if int(suite.get("tests")) != len(cases):
            problems.append(f"{suite.get('name')}: tests is {suite.get('tests')}, there are {len(cases)}")
    return problems


def check(path):
    if path.endswith((".xml", ".junit")):
        return check_junit(path)
    with open(path, encoding="utf-8") as file:
        value = json.load(file)
    if isinstance(value, list):
        return check_schema(value, "crates/kiln-report/schema/scan.schema.json")
    if value.get("version") == "2.1.0" and "runs" in value:
        return check_schema(value, "target/peers/sarif-2.1.0.json")
    if "scan" in value and "vulnerabilities" in value:
        return check_gitlab(value)
    if value.get("spdxVersion") == "SPDX-2.3":
        return check_spdx(path)
    if "@graph" in value and str(value.get("@context", "")).startswith("https://spdx.org/rdf/3.0.1/"):
        return check_spdx3(path)
    if value.get("bomFormat") == "CycloneDX" and value.get("specVersion") in ("1.6", "1.7"):
        return check_cyclonedx(path, value["specVersion"])
    return ["is neither SPDX 2.3 or 3.0.1 nor CycloneDX 1.6 or 1.7, nor SARIF 2.1.0, nor a report for GitLab, nor a scan of kiln's"]


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
