"""A network's own source as a script that needs nothing but torch and safetensors, for its card.

Of the classes that make it up, and of what those use, it takes what `encode`, `decode` and `forward` reach, in the
words of `models.networks`: so it cannot drift from them. What makes a `Model` of a module is left out.
"""

import ast
import inspect
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from threading import Lock
from types import ModuleType

from models import networks
from models.base import Model

Definition = ast.ClassDef | ast.FunctionDef | ast.Assign | ast.AnnAssign
ROOTS = {"__init__", "forward", "encode", "decode"}
OURS = f"{networks.__name__}."
_ALONE = Lock()  # Python 3.11 counts the depth of all threads' trees together, and may find that it does not come out


def script(kind: type[Model], usage: str = "") -> str:
    """Python that loads the folder it runs in, and then does what `usage` says.

    Args:
        kind: a class of `models.networks`.
        usage: lines that use `net` and `kwargs`.
    """
    wanted = _Wanted(kind)
    values, definitions = wanted.sources()
    lines = [*wanted.imports(usage), *([""] if values else []), *values]
    lines += ["\n\n" + text for text in definitions]
    lines += ['\n\nkwargs = json.load(open("config.json"))["kwargs"]', f"net = {kind.__name__}(**kwargs)"]
    lines += ['net.load_state_dict(load_file("model.safetensors"))', "net.eval()", usage]
    return "\n".join(lines).rstrip()


class _Wanted:
    """The definitions that a network is made of, those that others use first."""

    def __init__(self, kind: type[Model]):
        self.attributes, known = set(ROOTS), -1
        while known < len(self.attributes):  # a method that is reached may reach others
            known, self.found = len(self.attributes), {}
            self._add(kind.__name__, import_module(kind.__module__), set())

    def _add(self, name: str, module: ModuleType, above: set[str]) -> None:
        """Find what has that name in a module, and before it what it uses; `above` are those that it is used by."""
        for node in _tree(module).body:
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith(OURS):
                if name in {alias.name for alias in node.names}:
                    self._add(name, import_module(node.module), above)
            elif name in _defines(node) and node not in self.found:
                parts = list(self._parts(node))
                every = [one for part in parts for one in ast.walk(part)]
                self.attributes |= {one.attr for one in every if isinstance(one, ast.Attribute)}
                for used in _names(parts):
                    if used not in above | {name}:
                        self._add(used, module, above | {name})
                self.found[node] = module

    def _parts(self, node: Definition) -> Iterator[ast.AST]:
        """What is taken of a definition: of a class its bases, the methods that are reached and values they use."""
        if not isinstance(node, ast.ClassDef):
            yield node
            return
        yield from node.bases
        for part in node.body:
            reached = self.attributes & (_defines(part) - {"limits", "stored"})
            if reached and not _is_abstract(part):
                yield part

    def sources(self) -> tuple[list[str], list[str]]:
        """The text of values, and of functions and classes, as it stands in their modules."""
        values, definitions = [], []
        for node, module in self.found.items():
            lines = inspect.getsource(module).splitlines()
            if not isinstance(node, ast.ClassDef):
                (definitions if isinstance(node, ast.FunctionDef) else values).append(_text(node, lines))
                continue
            bases = ", ".join(ast.unparse(base).replace("Model", "nn.Module") for base in node.bases)
            parts = [_text(part, lines) for part in self._parts(node) if part not in node.bases]
            head = [f"class {node.name}({bases}):" if bases else f"class {node.name}:", *_docstring(node)]
            definitions.append("\n".join([*head, *("\n" * ("\n" in part) + part for part in parts)]))
        return values, definitions

    def imports(self, usage: str) -> list[str]:
        """The lines that bring in what is used of other packages, in two groups."""
        used = _names([part for node in self.found for part in self._parts(node)] + [_parsed(usage)])
        lines, names = {"import json"}, {"safetensors.torch": {"load_file"}}
        for module in dict.fromkeys(self.found.values()):
            for node in _tree(module).body:
                if isinstance(node, ast.Import):
                    lines |= {f"import {alias.name}" for alias in node.names if alias.name in used}
                elif isinstance(node, ast.ImportFrom) and not node.module.startswith("models."):
                    names.setdefault(node.module, set()).update({alias.name for alias in node.names} & set(used))
        lines |= {f"from {module} import {', '.join(sorted(found))}" for module, found in names.items() if found}
        ordered = sorted(lines, key=lambda line: (line.startswith("from"), line))
        theirs = [line for line in ordered if "torch" in line]
        return [*(line for line in ordered if line not in theirs), "", *theirs]


@cache
def _tree(module: ModuleType) -> ast.Module:
    return _parsed(inspect.getsource(module))


def _parsed(source: str) -> ast.Module:
    with _ALONE:
        return ast.parse(source)


def _defines(node: ast.AST) -> set[str]:
    """The names that a statement binds, those of imports apart."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        return {node.name}
    if isinstance(node, ast.AnnAssign):
        return {node.target.id} if node.value else set()  # without a value it is a note
    targets = node.targets if isinstance(node, ast.Assign) else []
    return {one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)}


def _names(parts: list[ast.AST]) -> list[str]:
    """Those that are used, each once, in their order."""
    return list(dict.fromkeys(one.id for part in parts for one in ast.walk(part) if isinstance(one, ast.Name)))


def _is_abstract(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef) and isinstance(node.body[-1], ast.Raise)


def _docstring(node: ast.AST) -> list[str]:
    text = ast.get_docstring(node)
    return [f'{" " * (node.col_offset + 4)}"""{text.splitlines()[0]}"""'] if text else []


def _text(node: ast.AST, lines: list[str]) -> str:
    """The lines of a definition, its docstring cut to the first; a `Model` alone is told what it was built with."""
    body = lines[node.lineno - 1 : node.end_lineno]
    if isinstance(node, ast.FunctionDef):
        decorators = [lines[one.lineno - 1] for one in node.decorator_list]
        if told := _docstring(node):
            first, start = node.body[0], node.lineno
            body[first.lineno - start : first.end_lineno - start + 1] = told
        body = decorators + body
    return re.sub(r"super\(\).__init__\(.*\)", "super().__init__()", "\n".join(body))
