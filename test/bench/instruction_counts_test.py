"""No hot path exceeds its limit of instructions in bench/micro/limits.json, and the gate reports a path that does."""
import sys
import tempfile
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "bench" / "micro")]
import counts  # noqa: E402

LIMITS = {"date": "2026-01-02", "compiler": "a compiler", "margin_percent": 3, "instructions": {"head": 1000, "json": 200}}


class InstructionCounts(unittest.TestCase):
    def test_every_path_is_within_its_limit(self):
        with tempfile.TemporaryDirectory(prefix="weir-bench-") as folder:
            measured = counts.instructions(counts.binary(), folder)

        faults = counts.faults(measured, counts.read_limits())
        self.assertFalse(faults, "".join("\n" + fault for fault in faults))

    def test_a_single_path_can_be_counted(self):
        with tempfile.TemporaryDirectory(prefix="weir-bench-") as folder:
            measured = counts.instructions(counts.binary(), folder, ("count", "json"))

        self.assertEqual(list(measured), ["json"])
        self.assertGreater(measured["json"], 221, "at least one for each byte of the document")


class Faults(unittest.TestCase):
    def test_a_count_within_the_margin_is_not_a_problem(self):
        self.assertEqual(counts.faults({"head": 1030, "json": 100}, LIMITS), [])

    def test_a_count_beyond_the_margin_names_path_count_limit_and_what_to_do(self):
        self.assertEqual(counts.faults({"head": 1031, "json": 200}, LIMITS), [
            "head: 1,031 instructions an operation, 3.1 % above the limit of 1,000 (margin 3 %; stated 2026-01-02 for a "
            "compiler). Look for what costs more: ./dev bench paths --profile head, on this commit and on the one before. "
            "If it is worth it, state the new limit (./dev bench paths --limits) and say why in the commit"])

    def test_a_path_without_a_limit_is_a_fault(self):
        self.assertEqual(counts.faults({"head": 1, "json": 1, "yaml": 1234}, LIMITS),
                         ["yaml: 1,234 instructions an operation and no limit; state one: ./dev bench paths --limits"])

    def test_a_limit_without_a_path_is_a_fault(self):
        self.assertEqual(counts.faults({"head": 1}, LIMITS),
                         ["json: limits.json has a limit and weir_bench_paths no such path; remove the limit"])


class Dumps(unittest.TestCase):
    def test_the_counts_of_a_dump_are_of_one_operation(self):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "dump.10").write_text("desc: Trigger: Client Request: head\nsummary: 9\ntotals: 1000\n")
            Path(folder, "dump.2").write_text("desc: Trigger: Client Request: json\ntotals: 500\n")

            self.assertEqual(list(counts.per_operation(Path(folder), 100).items()), [("json", 5), ("head", 10)])

    def test_a_dump_that_cannot_be_read_is_an_error(self):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "dump.1").write_text("totals: 1000\n")

            with self.assertRaisesRegex(counts.NotMeasured, "dump.1 is not a dump of a path"):
                counts.per_operation(Path(folder), 100)

    def test_a_program_that_fails_is_an_error(self):
        with tempfile.TemporaryDirectory() as folder, self.assertRaisesRegex(counts.NotMeasured, "false .* exit code 1"):
            counts.instructions("/bin/false", folder)
