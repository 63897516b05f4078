"""Functions as tools: what is told of them, and how a call becomes one of theirs."""

import enum
import inspect
import json
import typing

from .docstrings import read_docstring
from .hints import hints_of, signature_of
from .kinds import Kinds
from .simple import Kind, Unreadable

CONTEXT = "mochi_context"


class Tool:
    """A function that can be called with JSON."""

    def __init__(self, function, parameters, described):
        self.function = function
        self.described = described
        self._parameters = parameters
        self._kinds = {}

    @classmethod
    def read(cls, name, function):
        """The tool, and words about hints that cannot be read. Raises ValueError, TypeError for what has no parameters."""
        parameters = list(signature_of(function).parameters.values())
        hints, unreadable = hints_of(function)
        description, texts = read_docstring(function.__doc__)
        kinds, properties, required = {}, {}, []
        is_open = False
        reader = Kinds()
        for parameter in parameters:
            if parameter.kind is parameter.VAR_KEYWORD:
                is_open = True
            if parameter.name == CONTEXT or parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
                continue
            kind = Kind({"type": "string"})
            if parameter.name in hints:
                try:
                    kind = reader.read(hints[parameter.name])
                except Unreadable:
                    unreadable.append(parameter.name)
            kinds[parameter.name] = kind
            properties[parameter.name] = _property(kind.schema, texts.get(parameter.name), parameter.default)
            if parameter.default is parameter.empty and not _allows_none(hints.get(parameter.name)):
                required.append(parameter.name)
        schema = {"type": "object", "properties": properties, "required": required}
        if not is_open:
            schema["additionalProperties"] = False
        if reader.definitions:
            schema["$defs"] = reader.definitions
        described = {
            "name": name,
            "description": description,
            "inputSchema": schema,
            "readOnly": False,
            "repeatable": False,
            "needsApproval": False,
            "timeoutSeconds": None,
        }
        tool = cls(function, parameters, described)
        tool._kinds = kinds
        problems = [
            "the hint of %s in %s cannot be read; it counts as text" % (parameter.name, name)
            for parameter in parameters
            if parameter.name in unreadable and parameter.name in kinds
        ]
        return tool, problems

    def call(self, given, context):
        """What the function returns; of an async one, its coroutine."""
        positional, named = [], {}
        known = set()
        for parameter in self._parameters:
            known.add(parameter.name)
            if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
                continue
            if parameter.name == CONTEXT:
                value = context
            elif parameter.name in given:
                value = self._kinds[parameter.name].convert(given[parameter.name])
            elif parameter.default is parameter.empty:
                value = None
            else:
                value = parameter.default
            if parameter.kind is parameter.POSITIONAL_ONLY:
                positional.append(value)
            else:
                named[parameter.name] = value
        more = {name: value for name, value in given.items() if name not in known}
        return self.function(*positional, **dict(more, **named))


def list_tools(module):
    """Names and functions that a module offers, and words about those that it cannot."""
    names = getattr(module, "__all__", None)
    if names is None:
        package = module.__name__
        found = [
            (name, value)
            for name, value in vars(module).items()
            if not name.startswith("_")
            and inspect.isfunction(value)
            and (value.__module__ == package or (value.__module__ or "").startswith(package + "."))
            and (value.__doc__ or "").strip()
        ]
        return found, []
    found, problems = [], []
    for name in dict.fromkeys(names):
        value = getattr(module, name, None)
        if value is None and not hasattr(module, name):
            problems.append("__all__ names %s, which is not there" % name)
        elif not callable(value) or inspect.isclass(value):
            continue
        elif not (value.__doc__ or "").strip():
            problems.append("%s has no docstring, so it is no tool" % name)
        else:
            found.append((name, value))
    return found, problems


def _property(schema, text, default):
    described = dict(schema)
    texts = [text or described.get("description") or ""]
    if isinstance(default, enum.Enum):
        default = default.value
    if default is not inspect.Parameter.empty and default is not None:
        try:
            # What is told of it is made from here.
            described["default"] = json.loads(json.dumps(default, allow_nan=False))
        except (TypeError, ValueError):
            texts.append("Default: %s." % default)
    told = " ".join(part for part in texts if part)
    if told:
        described["description"] = told
    return described


def _allows_none(hint):
    if hasattr(hint, "__metadata__"):
        return _allows_none(hint.__origin__)
    return hint is type(None) or type(None) in typing.get_args(hint)
