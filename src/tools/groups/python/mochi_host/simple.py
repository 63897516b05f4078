"""Kinds of values that hold no others: scalars, choices, and texts that stand for something."""

import datetime
import decimal
import enum
import pathlib
import uuid

TEXTS = {
    pathlib.Path: (None, pathlib.Path),
    pathlib.PurePath: (None, pathlib.Path),
    datetime.datetime: ("date-time", lambda text: datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))),
    datetime.date: ("date", datetime.date.fromisoformat),
    datetime.time: ("time", datetime.time.fromisoformat),
    uuid.UUID: ("uuid", uuid.UUID),
    decimal.Decimal: (None, decimal.Decimal),
}
SCALARS = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}


class Unreadable(Exception):
    """A hint that says nothing that JSON has."""


class Misfit(Exception):
    """A value that is none of its type."""


def same(value):
    """For what JSON has as it is."""
    return value


class Kind:
    """A schema, and what makes a value of it."""

    def __init__(self, schema, convert=same):
        self.schema = schema
        self.convert = convert


def scalar(hint):
    schema = {"type": SCALARS[hint]}
    if hint is float:
        return Kind(schema, _number)
    if hint is int:
        return Kind(schema, _whole_number)
    return Kind(schema)


def _number(value):
    if type(value) not in (int, float):
        raise Misfit("%r is no number" % (value,))
    return float(value)


def _whole_number(value):
    if type(value) is not int and not (type(value) is float and value.is_integer()):
        raise Misfit("%r is no whole number" % (value,))
    return int(value)


def literal(values):
    values = [value.value if isinstance(value, enum.Enum) else value for value in values]

    def convert(value):
        if value not in values:
            raise Misfit("%r is none of %r" % (value, values))
        return value

    return Kind(_choice(values), convert)


def enumeration(cls):
    members = {}
    for member in cls:
        value = member.value if isinstance(member.value, (str, int, float, bool)) else member.name
        members[value] = member

    def convert(value):
        try:
            return members[value]
        except (KeyError, TypeError):
            raise Misfit("%r is none of %r" % (value, list(members))) from None

    return Kind(_choice(list(members)), convert)


def _choice(values):
    names = []
    for value in values:
        if type(value) not in SCALARS:
            raise Unreadable()
        if SCALARS[type(value)] not in names:
            names.append(SCALARS[type(value)])
    return {"type": names[0] if len(names) == 1 else names, "enum": values}


def text_kind(form, make):
    schema = {"type": "string"}
    if form:
        schema["format"] = form
    return Kind(schema, lambda value: make(value) if isinstance(value, str) else value)


def checked(cls, value):
    if not isinstance(value, cls):
        raise Misfit("%r is no %s" % (value, cls.__name__))
    return value
