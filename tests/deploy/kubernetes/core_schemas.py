"""Check manifests by the strict schemas of Kubernetes' own objects; run by the Python of .venv-tools.

core_schemas.py VERSION < manifests.json > problems.json
"""

import json
import sys

import kubernetes_validate


def problems(manifests: list[dict], version: str) -> list[str]:
    """Return a line for each manifest that is wrong."""
    found = []
    for manifest in manifests:
        try:
            kubernetes_validate.validate(manifest, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            place = "/".join(map(str, error.path))
            found.append(f"{manifest['kind']} {manifest['metadata']['name']}: {place}: {error.message}")
        except kubernetes_validate.SchemaNotFoundError as error:
            found.append(error.message)
    return found


if __name__ == "__main__":
    json.dump(problems(json.load(sys.stdin), sys.argv[1]), sys.stdout)
