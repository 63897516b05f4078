"""The types that a parameter may have: for each, its JSON Schema, and how a JSON value becomes one of it."""

import collections.abc
import dataclasses
import enum
import inspect
import types
import typing

from .hints import hints_of
from .simple import SCALARS, TEXTS, Kind, Misfit, Unreadable, checked, enumeration, literal, same, scalar, text_kind

MAX_DEPTH = 8
MAX_REPEATS = 2

_LISTS = {
    list: list,
    set: set,
    frozenset: frozenset,
    collections.abc.Sequence: list,
    collections.abc.MutableSequence: list,
    collections.abc.Iterable: list,
    collections.abc.Collection: list,
    collections.abc.Set: set,
}
_OBJECTS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
# By name: those of typing_extensions count, too.
_WRAPPERS = ("Required", "NotRequired", "Final", "ReadOnly")
_UNIONS = [typing.Union] + ([types.UnionType] if hasattr(types, "UnionType") else [])


class Endless(Exception):
    """A class that holds itself, and was read often enough."""


class Kinds:
    """Reads hints. Holds what the schemas of one tool share."""

    def __init__(self):
        self.definitions = {}
        # Classes that are being read: one that holds itself would have no end.
        self._open = []

    def read(self, hint, depth=0):
        """The kind of a hint. Raises Unreadable."""
        if depth > MAX_DEPTH:
            return Kind({"type": "object"})
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if hint is typing.Any or hint is object:
            return Kind({})
        if hasattr(hint, "__supertype__"):  # NewType
            return self.read(hint.__supertype__, depth)
        if hasattr(hint, "__value__"):  # type X = ...
            return self.read(hint.__value__, depth)
        if hasattr(hint, "__metadata__"):
            return self._annotated(hint, depth)
        if getattr(origin, "_name", None) in _WRAPPERS:
            return self.read(arguments[0], depth)
        if origin is typing.Literal:
            return literal(arguments)
        if origin in _UNIONS:
            return self._union(arguments, depth)
        if hint in SCALARS if _is_hashable(hint) else False:
            return scalar(hint)
        return self._container(hint, origin or hint, arguments, depth)

    def _annotated(self, hint, depth):
        kind = self.read(hint.__origin__, depth)
        texts = [
            item if isinstance(item, str) else getattr(item, "description", None) for item in hint.__metadata__
        ]
        text = " ".join(text for text in texts if isinstance(text, str))
        return Kind(dict(kind.schema, description=text), kind.convert) if text else kind

    def _container(self, hint, origin, arguments, depth):
        if origin in _LISTS:
            return self._list(_LISTS[origin], arguments[0] if arguments else None, depth)
        if origin is tuple:
            return self._tuple(arguments, depth)
        if origin in _OBJECTS:
            return self._dictionary(arguments, depth)
        if not inspect.isclass(hint):
            raise Unreadable()
        if issubclass(hint, enum.Enum):
            return enumeration(hint)
        if hint in TEXTS:
            return text_kind(*TEXTS[hint])
        if hasattr(hint, "model_json_schema"):
            return self._pydantic(hint)
        try:
            return self._structure(hint, depth)
        except Endless:
            return Kind({"type": "object"})

    def _structure(self, hint, depth):
        if dataclasses.is_dataclass(hint):
            names = [field for field in dataclasses.fields(hint) if field.init]
            required = [
                field.name
                for field in names
                if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
            ]
            return self._record(hint, [field.name for field in names], required, depth)
        if issubclass(hint, dict) and hasattr(hint, "__required_keys__"):
            return self._typed_dict(hint, depth)
        raise Unreadable()

    def _list(self, make, item, depth):
        if item is None or isinstance(item, typing.TypeVar):
            return Kind({"type": "array"}, lambda value: make(checked(list, value)))
        kind = self.read(item, depth + 1)
        schema = {"type": "array", "items": kind.schema}
        return Kind(schema, lambda value: make(kind.convert(part) for part in checked(list, value)))

    def _tuple(self, arguments, depth):
        if not arguments or arguments[-1] is Ellipsis:
            return self._list(tuple, arguments[0] if arguments else None, depth)
        kinds = [self.read(argument, depth + 1) for argument in arguments]
        alike = all(kind.schema == kinds[0].schema for kind in kinds)
        items = kinds[0].schema if alike else {"anyOf": [kind.schema for kind in kinds]}
        schema = {"type": "array", "items": items, "minItems": len(kinds), "maxItems": len(kinds)}
        return Kind(schema, lambda value: tuple(kind.convert(part) for kind, part in zip(kinds, checked(list, value))))

    def _dictionary(self, arguments, depth):
        if len(arguments) != 2 or isinstance(arguments[1], typing.TypeVar):
            return Kind({"type": "object"})
        kind = self.read(arguments[1], depth + 1)
        schema = {"type": "object"}
        if kind.schema:
            schema["additionalProperties"] = kind.schema
        return Kind(schema, lambda value: {key: kind.convert(part) for key, part in checked(dict, value).items()})

    def _record(self, cls, names, required, depth):
        schema, kinds = self._fields(cls, names, required, depth)

        def convert(value):
            given = checked(dict, value)
            if set(given) - set(kinds) or set(required) - set(given):
                raise Misfit("%r does not fit %s" % (value, cls.__name__))
            return cls(**{name: kinds[name].convert(part) for name, part in given.items()})

        return Kind(schema, convert)

    def _typed_dict(self, cls, depth):
        hints = hints_of(cls)[0]
        names = list(hints)
        # Postponed, `NotRequired[...]` is not seen when the class is made.
        required = [
            name
            for name in names
            if name in cls.__required_keys__
            and getattr(typing.get_origin(hints[name]), "_name", None) != "NotRequired"
        ]
        schema, kinds = self._fields(cls, names, required, depth)

        def convert(value):
            given = checked(dict, value)
            if set(required) - set(given):
                raise Misfit("%r does not fit %s" % (value, cls.__name__))
            return {name: kinds.get(name, Kind({})).convert(part) for name, part in given.items()}

        return Kind(schema, convert)

    def _fields(self, cls, names, required, depth):
        if self._open.count(cls) >= MAX_REPEATS:
            raise Endless()
        self._open.append(cls)
        try:
            return self._open_fields(cls, names, required, depth)
        finally:
            self._open.pop()

    def _open_fields(self, cls, names, required, depth):
        hints, _ = hints_of(cls)
        kinds = {}
        for name in names:
            try:
                kinds[name] = self.read(hints[name], depth + 1)
            except (KeyError, Unreadable):
                kinds[name] = Kind({"type": "string"})
        schema = {
            "type": "object",
            "properties": {name: kind.schema for name, kind in kinds.items()},
            "required": required,
            "additionalProperties": False,
        }
        return schema, kinds

    def _pydantic(self, cls):
        # Names of definitions are those of classes: of two tools' parameters, they must not meet.
        prefix = "%s_%d_" % (cls.__name__, len(self.definitions))
        schema = cls.model_json_schema(ref_template="#/$defs/" + prefix + "{model}")
        for name, definition in schema.pop("$defs", {}).items():
            self.definitions[prefix + name] = definition
        return Kind(schema, cls.model_validate)

    def _union(self, members, depth):
        kinds = [self.read(member, depth + 1) for member in members]
        schemas = [kind.schema for kind in kinds]
        plain = [list(schema) == ["type"] and isinstance(schema["type"], str) for schema in schemas]
        if {} in schemas:
            schema = {}
        elif all(plain):
            schema = {"type": [part["type"] for part in schemas]}
        else:
            schema = {"anyOf": schemas}
        return Kind(schema, lambda value: _first_fit(kinds, value))


def _first_fit(kinds, value):
    # What is a member as it is comes before what can be made one: 1 of `float | int` stays 1.
    exact = [kind for kind in kinds if kind.convert is same or _is_exact(kind.schema.get("type"), value)]
    for kind in exact + kinds:
        if kind.convert is same and not _is_exact(kind.schema.get("type"), value):
            continue
        try:
            return kind.convert(value)
        except Exception:
            continue
    return value


def _is_exact(name, value):
    return {"string": str, "boolean": bool, "integer": int, "number": float, "null": type(None)}.get(name) is type(
        value
    )


def _is_hashable(hint):
    try:
        hash(hint)
    except TypeError:
        return False
    return True
