"""The rule about the names of kinds fails when it is broken."""

import unittest

import kinds
import lint_test


class Kinds(lint_test.LintTest):
    def test_a_kind_is_named_in_its_folder_alone(self):
        registry = {"scalers/catalog.def": "WEIR_SCALER(nats)\nWEIR_SCALER(redis)\n"}
        bad = (("its key", "server/a.cpp", 'x.find("redis");', '"redis"', "redis"),
               ("a text with its key", "scalers/read/a.cpp", 'say("write redis: {key: k}");', '"write redis: {key: k}"', "redis"),
               ("another kind", "scalers/backends/nats/a.cpp", 'x == "redis";', '"redis"', "redis"))
        good = (("its folder", "scalers/backends/redis/a.cpp", 'x == "redis";'),
                ("a comment", "server/a.cpp", '// "redis"'),
                ("an include", "server/a.cpp", '#include "redis"'),
                ("a sentence", "server/a.cpp", 'say("as redis does");'),
                ("a url", "server/a.cpp", 'say("redis://host");'),
                ("a longer name", "server/a.cpp", 'x == "redis-exporter: y";'),
                ("a protocol", "scalers/clients/redis/a.cpp", 'x == "redis";'))
        for name, path, line, literal, kind in bad:
            with self.subTest(name):
                self.assertEqual([f"{path}:1: {literal} names the kind {kind}, take what it is for from ScalerKind"
                                  " (scalers/kind.hpp)"], self.findings(kinds.check, {**registry, path: line + "\n"}))
        for name, path, line in good:
            with self.subTest(name):
                self.assertEqual([], self.findings(kinds.check, {**registry, path: line + "\n"}))


if __name__ == "__main__":
    unittest.main()
