"""A kind of scaler is named in its own folder and in the registry alone: everything else takes what it needs to know of a
kind from ScalerKind, so that a new kind is a folder and a line."""

import re

from layers import matches
from text import kinds
from tree import Finding, line_of, without_comments

# Files that name kinds with a reason.
NAMING = (
    "scalers/clients/**",  # protocols: the url scheme redis
    "scalers/text/other_kinds.cpp",  # the names that other programs have for a source, and what to write for them
    "server/config/foreign.cpp",  # files of KEDA and prometheus-adapter
)
_LITERAL = re.compile(r'"((?:\\.|[^"\\\n])*)"')
_INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[^\n]*", re.M)


def _code(tree, path):
    return _INCLUDE.sub(lambda match: " " * len(match.group()), without_comments(tree.text(path)))


def check(tree):
    names = [kind for _, kind in kinds(tree)]
    if not names:
        return
    # A key in a text is followed by a colon; a word of a sentence is not.
    named = re.compile(rf"({'|'.join(names)})|.*?(?<![\w.-])({'|'.join(names)}):(?!:|//).*", re.S)
    for path in tree.in_rooms():
        if matches(path, NAMING):
            continue
        own = path.split("/")[2] if path.startswith("scalers/backends/") else None
        code = _code(tree, path)
        for literal in _LITERAL.finditer(code):
            found = named.fullmatch(literal[1])
            kind = found and (found[1] or found[2])
            if kind and kind != own:
                yield Finding(path, line_of(code, literal.start()),
                              f"{literal.group()} names the kind {kind}, take what it is for from ScalerKind (scalers/kind.hpp)")
