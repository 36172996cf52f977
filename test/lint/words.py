"""The words that comments, texts and pages do without: a reader should need no dictionary beside Kubernetes' own."""

import re

from tree import Finding, line_of

TEXTS = (".cpp", ".hpp", ".def", ".py", ".sh", ".md", ".yaml", ".yml", ".html", ".json", ".txt")
# Bytes that a test compares, and measurements as they were taken.
AS_THEY_ARE = ("test/golden/", "test/fuzz/corpus/", "bench/results/")

# Put together from halves, so that this file passes its own rule.
RULES = tuple((re.compile(pattern, re.I), instead) for pattern, instead in (
    (r"\bane" r"w\b", "write `again`"),
    (r"\bwho" r"ever\b", "name the person or the part"),
    (r"\bmen" r"d(s|ed)?\b", "write `fix`"),
    (r"\bleave " r"to\b", "write `permission to`, or keep the verb apart from `to`"),
    (r"\bstands? " r"(for|in|twice|behind)\b", "write `means`, `is in`, `duplicate` or `follows`"),
    (r"\bis no " r"\w+;", "write `is not a ...`"),
    (r"\bfor want " r"of\b", "write `because`, and the cause"),
    (r"\bbehind (a |an |the )?" r"(moment|restart|while|start|outage|reload|second|minute|hour|SIG[A-Z]+)\b",
     "write `after`: behind is a place"),
))


def check(tree):
    for path in tree.files:
        is_text = path.endswith(TEXTS) or "." not in path.rsplit("/", 1)[-1]
        if not is_text or path.startswith(AS_THEY_ARE):
            continue
        text = tree.text(path)
        for pattern, instead in RULES:
            for match in pattern.finditer(text):
                yield Finding(path, line_of(text, match.start()), f"`{match[0]}`, {instead}")
