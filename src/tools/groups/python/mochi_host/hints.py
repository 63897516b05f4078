"""Type hints as they are meant, postponed ones too."""

import ast
import inspect
import sys
import typing


def signature_of(function):
    """Its parameters. Raises ValueError, TypeError for what has none."""
    if sys.version_info >= (3, 14):
        import annotationlib

        return inspect.signature(function, annotation_format=annotationlib.Format.FORWARDREF)
    return inspect.signature(function)


def hints_of(owner):
    """The hints of a function or a class by name, and the names of those that cannot be read."""
    owner = inspect.unwrap(owner) if callable(owner) and not inspect.isclass(owner) else owner
    if not (inspect.isroutine(owner) or inspect.isclass(owner)) and hasattr(owner, "__call__"):
        owner = owner.__call__
    try:
        return typing.get_type_hints(owner, include_extras=True), []
    except Exception:  # One that cannot be read hides the others: they are read one by one.
        return _one_by_one(owner)


def _one_by_one(owner):
    hints, unreadable = {}, []
    module = sys.modules.get(getattr(owner, "__module__", None) or "")
    scope = getattr(owner, "__globals__", None) or vars(module or typing)
    for name, hint in _annotations(owner).items():
        try:
            if isinstance(hint, str):
                hint = eval(_readable(hint), scope)  # noqa: S307 - the author's own code
            holder = {"__annotations__": {name: hint}, "__module__": owner.__module__}
            hints[name] = typing.get_type_hints(type("Holder", (), holder), scope, include_extras=True)[name]
        except Exception:
            unreadable.append(name)
    return hints, unreadable


def _annotations(owner):
    try:
        return dict(getattr(owner, "__annotations__", None) or {})
    except Exception:  # From Python 3.14 on they are computed when they are asked for.
        import annotationlib

        return annotationlib.get_annotations(owner, format=annotationlib.Format.STRING)


def _readable(hint):
    """`int | None` as Python 3.9 can compute it, which has no such operator for types."""
    if sys.version_info >= (3, 10):
        return hint
    tree = _Unions().visit(ast.parse(hint, mode="eval"))
    return compile(ast.fix_missing_locations(tree), "<hint>", "eval")


class _Unions(ast.NodeTransformer):
    def visit_BinOp(self, node):
        self.generic_visit(node)
        if not isinstance(node.op, ast.BitOr):
            return node
        pair = ast.Tuple(elts=[node.left, node.right], ctx=ast.Load())
        union = ast.parse("__import__('typing').Union", mode="eval").body
        return ast.Subscript(value=union, slice=pair, ctx=ast.Load())
