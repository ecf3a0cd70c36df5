#!/usr/bin/env bash
# Fetches the CRDs again, at these versions: the schema of version v1 of each kind, without prose. Needs go.
set -euo pipefail
cd "$(dirname "$0")"
operator=github.com/prometheus-operator/prometheus-operator@v0.85.0
gateway=sigs.k8s.io/gateway-api@v1.3.0
tools=$(bash ../../support/deploy-tools.sh)
module=$(mktemp -d)
trap 'rm -rf "$module"' EXIT
echo 'module crds' >"$module/go.mod"
folder() { (cd "$module" && go mod download -json "$1") | python3 -c 'import json, sys; print(json.load(sys.stdin)["Dir"])'; }

PYTHONPATH=$tools python3 - "$(folder $operator)/jsonnet/prometheus-operator/"{service,pod}monitors-crd.json \
  "$(folder $operator)/jsonnet/prometheus-operator/prometheusrules-crd.json" \
  "$(folder $gateway)/config/crd/standard/gateway.networking.k8s.io_httproutes.yaml" <<'PYTHON'
import json
import sys

import yaml


def checked(schema):
    """Without prose and rules in CEL, which JSON Schema lacks; a field that the API server would drop is an error."""
    if isinstance(schema, list):
        return [checked(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {
        key: checked(value)
        for key, value in schema.items()
        if not (key == "description" and isinstance(value, str)) and key != "x-kubernetes-validations"
    }
    if isinstance(kept.get("properties"), dict) and not kept.get("x-kubernetes-preserve-unknown-fields"):
        kept.setdefault("additionalProperties", False)
    return kept


for path in sys.argv[1:]:
    with open(path) as file:
        crd = yaml.safe_load(file)["spec"]
    [schema] = [one["schema"]["openAPIV3Schema"] for one in crd["versions"] if one["name"] == "v1"]
    with open(f"{crd['names']['kind']}.json", "w") as file:
        json.dump(checked(schema), file, indent=2)
PYTHON
../../../node_modules/.bin/biome format --write ./*.json
