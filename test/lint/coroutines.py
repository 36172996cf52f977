"""Coroutine rules that no compiler and no tidy of ours sees: STYLE rules 11, 12 and 14, by scanning blanked text."""

import dataclasses
import re

from tree import Finding, closing, line_of

_CO = re.compile(r"\bco_(?:await|return|yield)\b")
_AWAIT = re.compile(r"\bco_await\b")
# Objects that live as long as the program and have const interfaces, so that `const X&` is how they are lent.
LENT = {"Clock"}


@dataclasses.dataclass(frozen=True)
class Lambda:
    start: int  # of its [
    captures: str
    body: int  # of its {
    end: int  # of its }


def lambdas(code):
    """Every lambda of blanked text, outer before inner."""
    for match in re.finditer(r"\[", code):
        start = match.start()
        before = code[:start].rstrip()[-12:]
        keyword = re.search(r"\b(?:return|co_return|co_await|co_yield)$", before)
        if "[" in code[start + 1:start + 2] + before[-1:] or (re.search(r"[\w)\]\"']$", before) and not keyword):
            continue  # an attribute or a subscript
        end = closing(code, start)
        body = _body_after(code, end + 1)
        if end > 0 and body > 0 and closing(code, body) > 0:
            yield Lambda(start, code[start + 1:end].strip(), body, closing(code, body))


def _body_after(code, at):
    """The { of a lambda whose captures end before `at`, or -1 when it is not a lambda."""
    for opening in "<(":
        at += len(code[at:]) - len(code[at:].lstrip())
        if code[at:at + 1] == opening:
            at = closing(code, at) + 1
            if at == 0:
                return -1
    match = re.compile(r"[^;{}()=]*\{").match(code, at)
    return match.end() - 1 if match else -1


def _is_spawned(code, item):
    """The lambda is an argument of co_spawn and is not called on the spot."""
    depth = 0
    for at in range(item.start - 1, -1, -1):
        if code[at] in ")]}":
            depth += 1
        elif code[at] in "([{":
            if depth == 0:
                called = code[item.end + 1:].lstrip().startswith("(")
                return code[at] == "(" and bool(re.search(r"\bco_spawn\s*$", code[:at])) and not called
            depth -= 1
    return False


def _capturing(path, code):
    all_lambdas = list(lambdas(code))
    for item in all_lambdas:
        own = code[item.body:item.end]
        for inner in all_lambdas:
            if item.body < inner.start and inner.end < item.end:
                own = own[:inner.body - item.body] + " " * (inner.end - inner.body) + own[inner.end - item.body:]
        if item.captures and _CO.search(own) and not _is_spawned(code, item):
            yield Finding(path, line_of(code, item.start), "a capturing lambda is a coroutine, write a named coroutine"
                          " with arguments by value or pass the lambda itself to co_spawn")


def _placement(path, code):
    for match in re.finditer(r"\b(if|while|switch|for)\s*(?:constexpr\s*)?(?=\()", code):
        inside = code[match.end():closing(code, match.end())]
        for item in lambdas(inside):
            inside = inside[:item.body] + " " * (item.end - item.body) + inside[item.end:]
        if _AWAIT.search(inside):
            yield Finding(path, line_of(code, match.start()), f"co_await inside {match[1]} (...), name its result in a"
                          " statement before")
    for match in re.finditer(r"\?\s*co_await\b", code):
        yield Finding(path, line_of(code, match.start()), "co_await inside a ternary, write an if statement")
    for match in re.finditer(r"[^;{}]+", code):
        if len(_AWAIT.findall(match.group())) > 1:
            first = _AWAIT.search(match.group()).start()
            yield Finding(path, line_of(code, match.start() + first), "more than one co_await in a statement, name each"
                          " result in a statement of its own")


def _split(parameters):
    """Parameters without their template arguments and defaults."""
    flat = parameters
    while re.search(r"<[^<>]*>|\([^()]*\)|\{[^{}]*\}", flat):
        flat = re.sub(r"<[^<>]*>|\([^()]*\)|\{[^{}]*\}", "", flat)
    return [" ".join(p.split("=")[0].split()) for p in flat.split(",")]


def _is_loose(parameter):
    """The parameter may refer to something that dies at the first suspension. `X&` cannot bind a temporary."""
    if re.search(r"&&|\b(?:string_view|span)\b", parameter):
        return True
    return "&" in parameter and "const" in parameter and not LENT.intersection(re.findall(r"\w+", parameter))


def _parameters(path, code):
    for match in re.finditer(r"\bawaitable(?=<)", code):
        name = re.compile(r"\s+[\w:]+\s*(?=\()").match(code, closing(code, match.end()) + 1)
        if not name:
            continue
        end = closing(code, name.end())
        body = re.compile(r"[^;{}()=]*\{").match(code, end + 1)
        if end < 0 or not body or not _CO.search(code[body.end():closing(code, body.end() - 1)]):
            continue  # a declaration, or a plain function that hands a coroutine on
        for parameter in _split(code[name.end() + 1:end]):
            if _is_loose(parameter):
                yield Finding(path, line_of(code, match.start()), f"coroutine parameter `{parameter}` may dangle at a"
                              " suspension, take it by value (or by plain & when its owner outlives the call)")


def check(tree):
    for path in tree.cpp():
        code = tree.code(path)
        if _CO.search(code):
            yield from _capturing(path, code)
            yield from _placement(path, code)
            yield from _parameters(path, code)
