"""Hold documents against schemas and print what is wrong with them, as a JSON list of lines.

It runs in the environment of requirements.txt and so imports nothing of fenliu:

    python -I findings.py kubernetes VERSION… < DOCUMENTS
    python -I findings.py compose < DOCUMENTS

The schemas of Kubernetes, KEDA and the Prometheus Operator are those of their projects, as packages carry them.
No package has Strimzi's: strimzi.json beside this file is written by hand from its documentation.
"""

import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema


def kubernetes(documents: list[dict[str, Any]], versions: list[str]) -> list[str]:
    """Every mistake in manifests; fields that a schema does not have are mistakes."""
    found = []
    for document in documents:
        name = f"{document.get('kind')} {document.get('metadata', {}).get('name')}"
        group = str(document.get("apiVersion", "")).partition("/")[0]
        lines = _custom(document) if "." in group and not _of_kubernetes(group) else _own(document, versions)
        found += [f"{name}: {line}" for line in lines]
    return found


def _of_kubernetes(group: str) -> bool:
    return group.endswith(".k8s.io")


def _own(document: dict[str, Any], versions: list[str]) -> list[str]:
    import kubernetes_validate  # noqa: PLC0415  compose files do not need it

    found = []
    for version in versions:
        try:
            kubernetes_validate.validate(document, version, strict=True)
        except kubernetes_validate.ValidationError as exc:
            found.append(f"Kubernetes {version}: {'.'.join(map(str, exc.path))}: {exc.message}")
        except kubernetes_validate.SchemaNotFoundError as exc:
            found.append(f"Kubernetes {version} has no {exc.api_version} {exc.kind}")
    return found


def _custom(document: dict[str, Any]) -> list[str]:
    schema = _schema(document["apiVersion"], document.get("kind", ""))
    if schema is None:
        return [f"no schema for {document['apiVersion']}"]
    validator = jsonschema.Draft202012Validator(schema)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


@cache
def _schema(version: str, kind: str) -> dict[str, Any] | None:
    # Each of these packages takes a second to import.
    if version == "keda.sh/v1alpha1":
        from cloudcoil.models.keda import v1alpha1 as module  # noqa: PLC0415
    elif version == "monitoring.coreos.com/v1":
        from cloudcoil.models.prometheus_operator import v1 as module  # noqa: PLC0415
    elif version == "kafka.strimzi.io/v1":
        schemas: dict[str, Any] = json.loads(Path(__file__).with_name("strimzi.json").read_text(encoding="utf-8"))
        return schemas.get(kind)
    else:
        return None
    model = getattr(module, kind, None)
    return None if model is None else _strict(model.model_json_schema(by_alias=True))


def _strict(schema: Any) -> Any:
    """The same schema, in which an object has no fields but those that are named."""
    if isinstance(schema, list):
        return [_strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {name: _strict(value) for name, value in schema.items()}
    if "properties" in strict and strict.get("type") == "object":
        strict.setdefault("additionalProperties", False)
    return strict


def compose(documents: list[dict[str, Any]]) -> list[str]:
    """What the compose specification does not know; the first mistake of each document."""
    from compose_spec import PyCompose  # noqa: PLC0415  manifests do not need it

    found = []
    for document in documents:
        try:
            PyCompose.from_json(json.dumps(document))
        except ValueError as exc:
            found.append(str(exc))
    return found


if __name__ == "__main__":
    what, read = sys.argv[1], json.load(sys.stdin)
    json.dump(compose(read) if what == "compose" else kubernetes(read, sys.argv[2:]), sys.stdout)
