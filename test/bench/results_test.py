"""The page of the benches is what the recorded results make it, fetches nothing, and a result has what it needs."""
import datetime
import json
import re
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "bench")]
import page  # noqa: E402
import results  # noqa: E402

RESULT = {"bench": "paths", "about": "a <bench>", "units": {"instructions": "instructions"}, "rows": {"head": {"instructions": 90}}}
AT = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)


def write_cmake_cache(folder):
    Path(folder, "CMakeCache.txt").write_text("CMAKE_CXX_COMPILER:FILEPATH=/usr/bin/clang++-19\nCMAKE_BUILD_TYPE:STRING=\n")
    return folder


class Page(unittest.TestCase):
    def test_the_page_is_made_of_the_results(self):
        self.assertEqual(page.PAGE.read_text(), page.page(results.load()), "run bench/page.py")

    def test_the_page_fetches_nothing(self):
        self.assertIsNone(re.search(r"\b(src|href|url\(|@import|https?:)", page.PAGE.read_text()))

    def test_new_and_removed_rows_are_shown(self):
        first = whole() | {"rows": {"old": {"instructions": 5}}}
        text = page.page([first, whole()])

        self.assertIn(">old 100 %<", text)
        self.assertIn(">head 100 %<", text)
        self.assertIn("a &lt;bench&gt;", text)

    def test_rows_that_were_always_zero_are_shown_without_a_history(self):
        none = whole() | {"rows": {"head": {"instructions": 0}}}
        text = page.page([none, none])

        self.assertIn(">0 <", text)
        self.assertNotIn("From the first result on", text)

    def test_a_unit_without_a_row_has_no_chart(self):
        text = page.page([whole() | {"units": RESULT["units"] | {"queries": "queries a read"}}])

        self.assertNotIn("queries a read", text)

    def test_a_commit_that_was_rebased_is_shown_with_what_it_became(self):
        self.assertIn("commit abcdef012345 (now fedcba543210), ", page.page([whole() | {"became": "fedcba543210"}]))
        self.assertIn("commit abcdef012345, ", page.page([whole()]))

    def test_many_rows_with_long_names_stay_within_their_charts(self):
        rows = {f"passive declare, rabbitmq-c, one by one, {n:02}": {"instructions": 90} for n in range(20)}
        text = page.page([whole() | {"rows": rows}] * 2)

        charts = re.findall(r'<svg viewBox="0 0 (\d+) (\d+)"(.*?)</svg>', text, re.S)
        self.assertEqual([outside(int(wide), int(high), chart) for wide, high, chart in charts], [[], []])


def outside(wide, high, chart):
    """The texts of a chart that do not fit, at seven pixels a letter: DejaVu Sans, which most Linux systems have."""
    texts = re.findall(r'<text x="(\d+)" y="(\d+)" text-anchor="(\w+)">([^<]*)<', chart)
    return [words for x, y, anchor, words in texts
            if 7 * len(words) > {"start": wide - int(x), "end": int(x), "middle": wide}[anchor] or int(y) > high]


def whole():
    return RESULT | {"date": "2026-01-02T03:04Z", "commit": "abcdef012345", "machine": "m", "compiler": "c", "command": "./dev"}


class Record(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        write_cmake_cache(self.folder)

    def test_a_result_has_its_origin(self):
        file = results.record(RESULT, "./dev bench paths", self.folder, self.folder, AT)

        self.assertEqual(file.name, "2026-01-02-030405-paths.json")
        record = json.loads(file.read_text())
        self.assertEqual(record["date"], "2026-01-02T03:04:05Z")
        self.assertEqual(record["command"], "./dev bench paths")
        self.assertRegex(record["commit"], r"^[0-9a-f]{12}\+?$")
        self.assertRegex(record["compiler"], r"^clang\+\+-19 19\.[0-9.]+, RelWithDebInfo$")
        self.assertNotIn("previous", record["rows"]["head"])

    def test_a_result_contains_the_previous_values(self):
        results.record(RESULT, "", self.folder, self.folder, AT)
        rows = {"head": {"instructions": 80}, "new": {"instructions": 1}}
        file = results.record(RESULT | {"rows": rows}, "", self.folder, self.folder, AT + datetime.timedelta(days=1))

        self.assertEqual(json.loads(file.read_text())["rows"],
                         {"head": {"instructions": 80, "previous": {"instructions": 90}}, "new": {"instructions": 1}})

    def test_the_previous_values_are_of_the_same_machine_and_compiler(self):
        for key in ("machine", "compiler"):
            with self.subTest(key):
                folder = self.folder / key
                folder.mkdir()
                first = json.loads(results.record(RESULT, "", self.folder, folder, AT).read_text())
                other = first | {key: "another", "date": "2026-01-03T00:00:00Z", "rows": {"head": {"instructions": 7}}}
                (folder / "other.json").write_text(json.dumps(other))
                file = results.record(RESULT, "", self.folder, folder, AT + datetime.timedelta(days=2))

                self.assertEqual(json.loads(file.read_text())["rows"]["head"]["previous"], {"instructions": 90})

    def test_a_result_never_replaces_another(self):
        results.record(RESULT, "", self.folder, self.folder, AT)

        with self.assertRaises(FileExistsError):
            results.record(RESULT, "", self.folder, self.folder, AT)

    def test_every_committed_result_is_whole(self):
        keys = {"bench", "about", "date", "commit", "machine", "compiler", "command", "units", "rows"}
        for result in results.load():
            with self.subTest(date=result["date"]):
                self.assertEqual(set(result) - {"became"}, keys)
                self.assertFalse(result["commit"].endswith("+"), "record from a clean checkout")
