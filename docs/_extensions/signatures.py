"""Gives autodoc the annotated signatures of the stubs, and the parameters of docstrings as a list.

The docstrings of the extension module are complete but carry no types; those are in _core.pyi.
"""

import ast
import builtins
import inspect
import re
from pathlib import Path

from sphinx import addnodes

import xichan

STUB = Path(xichan.__file__).with_name("_core.pyi")
PARAMETER = re.compile(r"^((?:\w+, )*\w+): (?=\S)")


def parse_stub():
    """Return {qualified name: (parameters, result)}, with the overloads of a function joined."""
    found = {}

    def add(scope, nodes):
        for node in nodes:
            if isinstance(node, ast.ClassDef):
                add(f"{scope}{node.name}.", node.body)
            elif isinstance(node, ast.FunctionDef):
                name = scope + node.name
                overloaded = any(ast.unparse(each) == "overload" for each in node.decorator_list)
                if overloaded and name in found:
                    continue  # the first overload has the type that a call without options returns
                found[name] = signature(node, bool(scope), overloaded)

    add("", ast.parse(STUB.read_text()).body)
    return found


def signature(node, method, overloaded):
    arguments = node.args
    if method and not any(ast.unparse(each) == "staticmethod" for each in node.decorator_list):
        positional = arguments.posonlyargs or arguments.args
        del positional[:1]
    parameters, result = ast.unparse(arguments), ast.unparse(node.returns) if node.returns else ""
    # `self, /` leaves a marker without parameters before it.
    parameters = parameters.removeprefix("/, ").removeprefix("/")
    # The first overload of channel() is that without a type.
    parameters = re.sub(r"\btype: None ?= ?None", "type: type[T] | None = None", parameters)
    if overloaded:
        parameters = re.sub(r"Literal\[(True|False)\]", "bool", parameters)
    return readable(parameters), readable(result)


def readable(annotation):
    """Return an annotation without the private names of the stub."""
    annotation = re.sub(r"\b_Views\b", "Iterator[Any]", annotation)
    annotation = re.sub(r"\b_Buffer\b", "collections.abc.Buffer", annotation)
    annotation = re.sub(r"\b_(T|T_co|T_contra)\b", "T", annotation)
    return re.sub(r"\b_(?=[A-Z])", "", annotation)


SIGNATURES = parse_stub()


def inherited(name):
    """Return the signature of a method that a class has from its base class in the stub, or None."""
    _, owner, member = name.rsplit(".", 2) if name.count(".") > 1 else ("", "", name)
    bases = getattr(getattr(xichan, owner, None), "__mro__", ())[1:]
    return next(filter(None, (SIGNATURES.get(f"{base.__name__}.{member}") for base in bases)), None)


def process_signature(app, what, name, obj, options, parameters, result):
    if what not in ("class", "function", "method"):
        return parameters, result
    path = name.removeprefix("xichan.")
    known = SIGNATURES.get(path) or inherited(name)
    if what == "class":
        known = SIGNATURES.get(f"{path}.__init__") or SIGNATURES.get(f"{path}.__new__")
        known = (known[0], "") if known else None
    if known is None:
        # Only there to name the right parameter in the error.
        return parameters and re.sub(r", \*\*unknown: [\w.~]+", "", parameters), result
    return f"({known[0]})", known[1]


def process_docstring(app, what, name, obj, options, lines):
    known = set()
    try:
        known = set(inspect.signature(obj).parameters)
    except (TypeError, ValueError):
        pass
    known |= set(re.findall(r"(\w+)(?=[,:=)]|$)", SIGNATURES.get(name.removeprefix("xichan."), ("", ""))[0]))
    text, previous_is_field = [], False
    for line in lines:
        line = re.sub(r"(?<!`)`(?!`)([^`]+)`(?!`)", r"``\1``", line)
        line = re.sub(r"(?<![`*\w])(\*\*?)(?=\w)", lambda stars: stars[1].replace("*", r"\*"), line)
        match = PARAMETER.match(line)
        if match and set(match[1].split(", ")) <= known:
            if not previous_is_field and text and text[-1]:
                text.append("")
            line = f":param {match[1]}: {line[match.end() :]}"
            previous_is_field = True
        elif not line.strip():
            previous_is_field = False
        elif previous_is_field:
            line = "    " + line.strip()
        text.append(line)
    lines[:] = text


def unlink_builtins(app, tree):
    """Remove references to built-in types: the domain resolves `bytes` to any attribute of that name."""
    for reference in list(tree.findall(addnodes.pending_xref)):
        if hasattr(builtins, reference.get("reftarget", "")):
            reference.replace_self(reference.children)


def setup(app):
    app.connect("doctree-read", unlink_builtins)
    app.connect("autodoc-process-signature", process_signature)
    app.connect("autodoc-process-docstring", process_docstring)
    return {"parallel_read_safe": True}
