"""Results as text for a model: the original's words and forms."""

import dataclasses
import enum
import json
import traceback

NOTHING = "Tool executed successfully (no return value)"
HEAD_SHARE = 0.7


def result_text(value):
    """Text as it is; lists and dictionaries on one line, with JSON for what is nested in them."""
    value = _plain(value)
    if value is None:
        return NOTHING
    if isinstance(value, dict):
        return ", ".join("%s: %s" % (key, _nested(part)) for key, part in value.items())
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(_nested(part) for part in value)
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode("utf-8", "replace")
    return str(value)


def error_text(error):
    """What went wrong, with the name of the error where the words alone say little."""
    text = str(error)
    if isinstance(error, SystemExit):
        return "The tool called exit(%s)" % ("" if error.code is None else error.code)
    if type(error) is Exception and text:
        return text
    return "%s: %s" % (type(error).__name__, text) if text else type(error).__name__


def load_fault(error, entry):
    """The same for a module, with the line that is to blame."""
    if isinstance(error, SystemExit):
        return "it called exit(%s) while it was loaded" % ("" if error.code is None else error.code)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "mochi_host" not in frame.filename]
    place = ""
    if isinstance(error, SyntaxError):
        place = ""
    elif frames and not frames[-1].filename.startswith("<"):
        place = " (%s, line %s)" % (frames[-1].filename.replace("\\", "/").split("/")[-1], frames[-1].lineno)
    return error_text(error) + place


def cut_output(text, limit):
    """The text in about so many bytes, and whether something was left out."""
    data = text.encode("utf-8", "replace")
    if len(data) <= limit:
        return data.decode("utf-8"), False
    head = int(limit * HEAD_SHARE)
    left_out = len(data) - limit
    first = data[:head].decode("utf-8", "ignore")
    last = data[len(data) - (limit - head) :].decode("utf-8", "ignore")
    return "%s\n[… %d bytes were left out …]\n%s" % (first, left_out, last), True


def _nested(value):
    value = _plain(value)
    if isinstance(value, (dict, list, tuple, set, frozenset)):
        return json.dumps(value, ensure_ascii=False, default=_for_json)
    return str(value)


def _for_json(value):
    value = _plain(value)
    if isinstance(value, (set, frozenset)):
        return list(value)
    return value if isinstance(value, (dict, list)) else str(value)


def _plain(value):
    if isinstance(value, enum.Enum):
        return value.value
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return value
