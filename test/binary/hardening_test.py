"""The release binary is hardened, and the generated page is what it prints."""
import subprocess
import unittest
from pathlib import Path

from support.weir import weir_binary

ROOT = Path(__file__).resolve().parents[2]


def readelf(*flags):
    return subprocess.run(["readelf", *flags, weir_binary()], check=True, capture_output=True, text=True).stdout


class Hardening(unittest.TestCase):
    def test_the_binary_is_position_independent(self):
        self.assertRegex(readelf("-dW"), r"FLAGS_1\).*\bPIE\b")

    def test_relocations_are_read_only_before_main(self):
        self.assertIn("GNU_RELRO", readelf("-lW"))
        self.assertRegex(readelf("-dW"), r"\bBIND_NOW\b")

    def test_the_stack_is_not_executable(self):
        self.assertRegex(readelf("-lW"), r"GNU_STACK .* RW +0x")

    def test_the_stack_is_protected_and_libc_calls_are_checked(self):
        symbols = readelf("--dyn-syms", "-W")
        self.assertIn("__stack_chk_fail", symbols)
        self.assertRegex(symbols, r"__(mem|str|v?snprintf|read|fread|poll|fdelt)\w*_chk")

    def test_the_binary_sets_no_library_path(self):
        self.assertNotRegex(readelf("-dW"), r"RPATH|RUNPATH")


class GeneratedPage(unittest.TestCase):
    def test_the_configuration_page_is_the_output_of_describe(self):
        page_text = subprocess.run([weir_binary(), "describe", "-o", "markdown"],
                                   check=True, capture_output=True, text=True).stdout
        page = (ROOT / "docs" / "configuration.md").read_text()
        self.assertEqual(page_text, page, "run: build/release/weir describe -o markdown > docs/configuration.md")


if __name__ == "__main__":
    unittest.main()
