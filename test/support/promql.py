"""Which metrics a PromQL expression names, and with which labels. Enough for rules and dashboards, no parser."""
import re

_NOT_METRICS = {"and", "or", "unless", "by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset"}
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")


def named_in(expression):
    """metric -> labels that its own matchers name."""
    text = _STRING.sub('""', expression)
    text = re.sub(r"\[[^\]]*\]", "", text)
    text = _GROUPING.sub("", text)
    out = {}
    for match in re.finditer(r"([a-zA-Z_:][\w:]*)\s*(\{[^}]*\})?(\s*\()?", text):
        name, matchers, call = match.groups()
        if call or name in _NOT_METRICS:
            continue
        out.setdefault(name, set()).update(re.findall(r"(\w+)\s*[=!]", matchers or ""))
    return out


def grouped_by(expression):
    """The labels that the expression groups or matches by."""
    text = _STRING.sub('""', expression)
    return {label.strip() for labels in _GROUPING.findall(text) for label in labels.split(",") if label.strip()}
