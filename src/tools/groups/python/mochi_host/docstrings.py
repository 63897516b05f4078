"""Docstrings in Google's style: what a tool does, and what its parameters mean."""

import inspect
import re

_SECTION = re.compile(r"^(Args|Arguments|Parameters|Params|Returns|Return|Raises|Yields):\s*$")
_ARGUMENTS = ("Args", "Arguments", "Parameters", "Params")
_ENTRY = re.compile(r"^\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)$")


def read_docstring(text):
    """The text before the first section, and a dictionary of the texts of parameters."""
    description, parameters, section = [], {}, None
    for line in inspect.cleandoc(text).splitlines():
        found = _SECTION.match(line)
        if found:
            section = found.group(1)
            name, depth = None, None
        elif section is None:
            description.append(line)
        elif section in _ARGUMENTS and line.strip():
            indent = len(line) - len(line.lstrip())
            entry = _ENTRY.match(line.strip())
            if entry and indent > 0 and (depth is None or indent <= depth):
                name, depth = entry.group(1), indent
                parameters[name] = entry.group(2)
            elif indent > 0 and name is not None:
                parameters[name] = (parameters[name] + " " + line.strip()).strip()
            elif indent == 0:
                section = ""
    return "\n".join(description).strip(), parameters
