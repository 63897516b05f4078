"""Makes ``types.py`` of ``openapi.json`` with datamodel-code-generator. ``--check``: only says whether it is current."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TARGET = HERE / "src" / "mochi_server_client" / "types.py"
IMPORTS = """if sys.version_info >= (3, 11):
    from typing import NotRequired, TypedDict
else:
    from typing_extensions import NotRequired, TypedDict
"""


def components(document: dict[str, Any]) -> dict[str, Any]:
    """Every named schema, and every answer that has none of its own: `listSessions` answers a `ListSessionsAnswer`."""
    schemas = dict(document["components"]["schemas"])
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, response in operation.get("responses", {}).items():
                schema = response.get("content", {}).get("application/json", {}).get("schema")
                if schema is None or "$ref" in schema or not status.startswith("2"):
                    continue
                name = operation["operationId"]
                schemas[f"{name[0].upper()}{name[1:]}Answer"] = schema
    for union in ("TurnEvent", "ServerEvent"):
        for reference in schemas[union]["oneOf"]:
            # The number of the frame, which the client puts beside it.
            event = schemas[reference["$ref"].rsplit("/", 1)[-1]]
            event["properties"] = {"id": {"type": "integer"}, **event["properties"]}
            event["required"] = ["id", *event["required"]]
    return schemas


def make() -> str:
    document = json.loads((HERE.parent.parent / "openapi.json").read_text("utf-8"))
    schemas = components(document)
    bare = {"openapi": document["openapi"], "info": document["info"], "paths": {}, "components": {"schemas": schemas}}
    with tempfile.TemporaryDirectory() as folder:
        source, made = Path(folder, "openapi.json"), Path(folder, "types.py")
        source.write_text(json.dumps(bare), "utf-8")
        command = [sys.executable, "-W", "ignore", "-m", "datamodel_code_generator", "--disable-timestamp"]
        command += ["--input", str(source), "--input-file-type", "openapi", "--openapi-scopes", "schemas"]
        command += ["--output", str(made), "--output-model-type", "typing.TypedDict"]
        command += ["--target-python-version", "3.10", "--use-union-operator"]
        subprocess.run(command, check=True)
        text = made.read_text("utf-8")
    text = re.sub(r"^#.*\n", "", text, flags=re.M).lstrip()
    text = re.sub(r"^from typing_extensions import .*\n", IMPORTS, text, flags=re.M)
    text = text.replace("from typing import", "import sys\nfrom typing import", 1)
    # Python has no word for it before 3.15: further options are no type error at run time.
    text = re.sub(r"TypedDict, (?:extra_items|closed)=[^)]*\)", "TypedDict)", text)
    names = [
        f"{name} = frozenset(\n    {sorted(schemas[union]['discriminator']['mapping'])!r}\n)\n"
        for union, name in (("TurnEvent", "TURN_EVENT_NAMES"), ("ServerEvent", "SERVER_EVENT_NAMES"))
    ]
    return '"""What goes over the wire. Made of ``openapi.json`` by ``make_types.py``: change that."""\n\n' + "\n".join([text, *names])


def main() -> int:
    made = make()
    if "--check" not in sys.argv:
        TARGET.write_text(made, "utf-8")
    elif not TARGET.exists() or TARGET.read_text("utf-8") != made:
        print(f"{TARGET.name} is not current: npm run test:python -- --write")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
