#!/usr/bin/env python3
"""Weir's lint: lint.py [RULE...] [--build-dir build/release]; without a rule, all of them; `fast`: all but tidy.

Prints each finding as `file:line: what, what to write instead`, ends with a summary, exits 1 when there is one.
Needs nothing but Python 3.11, git, clang-format-14 (format) and clang-tidy-19 with a configured build (tidy).
"""

import argparse
import os
import pathlib
import sys

import attacks
import coroutines
import kinds
import layers
import text
import tools
import words
from tree import Tree

RULES = {
    "layers": lambda tree, _: layers.check(tree),
    "lines": lambda tree, _: text.check_lines(tree),
    "folders": lambda tree, _: text.check_folders(tree),
    "registry": lambda tree, _: text.check_registry(tree),
    "kinds": lambda tree, _: kinds.check(tree),
    "coroutines": lambda tree, _: coroutines.check(tree),
    "attacks": lambda tree, _: attacks.check(tree),
    "errc": lambda tree, _: text.check_errc(tree),
    "text": lambda tree, _: text.check_text(tree),
    "words": lambda tree, _: words.check(tree),
    "format": lambda tree, _: tools.check_format(tree),
    "tidy": lambda tree, build_dir: tools.check_tidy(tree, build_dir, say=print),
}
ROOT = pathlib.Path(__file__).resolve().parents[2]


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = ["all", "fast", *RULES]
    parser.add_argument("rules", nargs="*", metavar="RULE", help=", ".join(names))
    parser.add_argument("--root", default=ROOT, help="the checkout (default: the one this file is in)")
    parser.add_argument("--build-dir", default="build/release", help="where compile_commands.json is, for tidy")
    options = parser.parse_args(argv)
    # Not by argparse's choices, which refuse an empty list.
    for rule in options.rules:
        if rule not in names:
            parser.error(f"there is no rule {rule}, use one of {', '.join(names)}")

    selected = list(RULES) if not options.rules or {"all", "fast"} & {*options.rules} else options.rules
    if "fast" in options.rules:
        selected.remove("tidy")
    tree = Tree.of_git(options.root)
    build_dir = os.path.join(tree.root, options.build_dir)
    findings = []
    for name in selected:
        try:
            findings += sorted(set(RULES[name](tree, build_dir)))
        except tools.Unusable as problem:
            print(f"lint: {name}: {problem}", file=sys.stderr)
            return 2
    for finding in findings:
        print(finding)
    print(f"lint: {len(tree.files)} files, {', '.join(selected)}: {len(findings) or 'no'} finding{'s' * (len(findings) != 1)}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
