"""Renders the chart with Helm's engine and judges what comes out, or judges a text: a job as JSON on standard input, answers as JSON."""

import functools
import json
import pathlib
import sys

import helm_python
import jsonschema
import kubernetes_validate
import yaml

# Read once, not once for each object.
utils = kubernetes_validate.utils
utils.schema_contents = functools.lru_cache(maxsize=None)(utils.schema_contents)


def custom_resources(folder):
    """Validators of the kinds that Kubernetes itself does not have, by kind."""
    files = pathlib.Path(folder).glob("*.json")
    return {file.stem: jsonschema.Draft7Validator(json.loads(file.read_text())) for file in files}


def violations(text, versions, crds):
    for document in yaml.safe_load_all(text):
        if not document:
            continue
        kind, name = document["kind"], document["metadata"]["name"]
        if versions and kind in crds:
            for error in crds[kind].iter_errors(document):
                yield f"{kind}/{name}: {'/'.join(map(str, error.path))}: {error.message}"
            continue
        for version in versions:
            place = f"{kind}/{name} (Kubernetes {version})"
            try:
                kubernetes_validate.validate(document, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                yield f"{place}: {'/'.join(map(str, error.path))}: {error.message}"
            except kubernetes_validate.SchemaNotFoundError:
                yield f"{place}: no schema"


def findings(folder, values):
    lint = helm_python.lint(folder, values, strict=True)
    # Severity 1 is advice.
    return [message["error"] for message in lint["messages"] if message["severity"] > 1] + lint["errors"]


def answer(folder, chart, case, crds):
    values = case["values"]
    try:
        files = chart.render(values, name=case["release"], namespace=case["namespace"])
    except helm_python.HelmError as error:
        return {"refusal": str(error)}
    manifests = [text for path, text in sorted(files.items()) if path.endswith(".yaml")]
    return {
        "manifests": manifests,
        "notes": next((text for path, text in files.items() if path.endswith("NOTES.txt")), ""),
        "violations": [one for text in manifests for one in violations(text, case["kubernetes"], crds)],
        "lint": findings(folder, values) if case["kubernetes"] else [],
    }


job = json.load(sys.stdin)
custom = custom_resources(job["crds"])
if "text" in job:
    json.dump(list(violations(job["text"], job["kubernetes"], custom)), sys.stdout)
else:
    with helm_python.Chart.load(job["chart"]) as loaded:
        json.dump([answer(job["chart"], loaded, case, custom) for case in job["cases"]], sys.stdout)
