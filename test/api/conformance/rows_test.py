"""The conformance tables together: every numbered case is in exactly one of them."""
import collections
import importlib
import re
import unittest
from pathlib import Path

HERE = Path(__file__).parent
# The numbered black-box cases of an aggregated API server that need no whole cluster.
NUMBERS = [1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 16, 17, 18, 20, 21, 22, 24, 25, 26, 28, 29, 30, 32, 33, 34, 36, 37, 38, 40, 41,
           42, 44, 45, 46, 48, 49, 50, 52, 53, 54, 56, 57, 58, 60, 61, 62, 64, 65, 66, 68, 69, 70, 72, 73, 74, 76, 77, 78, 80,
           81, 82, 84, 85, 86, 88, 89, 90, 92, 93, 94, 96, 97, 98, 100, 101, 102, 104, 105, 106, 108, 109, 110, 112, 113, 114,
           116, 117, 118, 120, 121, 122, 124, 125, 126, 128, 129]


def numbered():
    """How many tests there are of each number."""
    row_counts = collections.Counter()
    for file in sorted(HERE.glob("*_test.py")):
        module = importlib.import_module(file.stem)
        kinds = {kind for kind in vars(module).values() if isinstance(kind, type) and kind.__module__ == file.stem}
        names = [name for kind in kinds for name in vars(kind)]
        row_counts.update(int(match[1]) for match in map(re.compile(r"test_(\d{3})(?:_|$)").match, names) if match)
    return row_counts


class RowsTest(unittest.TestCase):
    def test_every_number_has_exactly_one_test(self):
        self.assertEqual(dict.fromkeys(NUMBERS, 1), dict(sorted(numbered().items())))


if __name__ == "__main__":
    unittest.main()
