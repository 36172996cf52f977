"""The rule about the index of attacks fails when it is broken."""

import unittest

import attacks
import lint_test

HEAD = "| row | what is right | where |\n|---|---|---|\n"
TESTS = {"test/api/x_test.py": "class X:\n    def test_a(self):\n        pass\n",
         "test/unit/server/y_test.cpp": 'TEST_CASE("a rule: kept") {\n}\n'}
GOOD = ("| F51 | closed | `api/x_test.py`: `test_a` |\n"
        "| S01 | 403 | `api/x_test.py`: `test_a`; `unit/server/y_test.cpp`: `a rule: kept` |\n")


class Attacks(lint_test.LintTest):
    def index(self, rows):
        return self.findings(attacks.check, {**TESTS, attacks.INDEX: HEAD + rows + "\nAn epilogue.\n"})

    def test_a_row_whose_tests_exist_is_clean(self):
        self.assertEqual([], self.index(GOOD))

    def test_a_missing_index_is_reported(self):
        self.assertEqual(["test/attacks.md:1: is missing, write a row for each attack and fault that a test proves"],
                         self.findings(attacks.check, TESTS))

    def test_a_test_that_does_not_exist_is_reported_with_its_row(self):
        cases = (
            ("`api/z_test.py`: `test_a`", "test/api/z_test.py does not exist, name the file that proves S01"),
            ("`api/x_test.py`: `test_b`", "test/api/x_test.py has no test `test_b`, name the one that proves S01"),
            ("`api/x_test.py`: `test_a`, `test_`", "test/api/x_test.py has no test `test_`, name the one that proves S01"),
            ("`unit/server/y_test.cpp`: `a rule`",
             "test/unit/server/y_test.cpp has no test `a rule`, name the one that proves S01"),
        )
        for where, what in cases:
            with self.subTest(where):
                self.assertEqual([f"test/attacks.md:3: {what}"], self.index(f"| S01 | 403 | {where} |\n"))

    def test_a_row_of_another_form_is_reported(self):
        for row in ("| S01 | 403 | |", "| S01 | 403 |", "| S01 | 403 | nowhere |", "| S01 | 403 | `api/x_test.py` |",
                    "| S1 | 403 | `api/x_test.py`: `test_a` |", "| S01 | 403 | `api/x_test.py`: `test_a`, and more |"):
            with self.subTest(row):
                findings = self.index(row + "\n")

                self.assertEqual(1, len(findings), findings)
                self.assertTrue(findings[0].startswith("test/attacks.md:3: is not a row of the index, write `| S01 |"), findings)

    def test_rows_are_sorted_and_named_once(self):
        row = "| {} | 403 | `api/x_test.py`: `test_a` |\n"
        for first, second in (("S02", "S01"), ("S01", "S01")):
            with self.subTest(first + second):
                self.assertEqual([f"test/attacks.md:4: {second} comes after {first}, sort the rows and name each once"],
                                 self.index(row.format(first) + row.format(second)))


if __name__ == "__main__":
    unittest.main()
