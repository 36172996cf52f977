"""Tokens that the backend refuses before they end: which refusals renew them, and what that costs."""
import time
import unittest

from support import ScriptedServer, vector
from support.identities import OAuth2Server
from support.identities.case import TokenTest

FRONT = "metric ml-inference/x: prometheus x: "


class RevokedTest(TokenTest):
    """Tokens that the backend refuses before they end."""

    def setUp(self):
        self.valid = 1

    def accepted(self, provider):
        return range(self.valid, provider.granted + 1)

    def serve(self, weir):
        """Reads until the token is old enough to be renewed after a refusal: 30 s."""
        end = time.monotonic() + 31

        def old():
            self.assert_values(weir.metric("ml-inference", "x"), "42")
            return time.monotonic() > end

        self.wait_for(old, 60)

    def test_a_revoked_token_costs_one_read(self):
        provider = self.start_in_test(OAuth2Server())
        weir = self.weir(self.guard(provider), self.oauth2(provider))
        self.serve(weir)
        self.valid = 2

        refused = weir.metric("ml-inference", "x")

        self.assert_status(refused, 503, "ServiceUnavailable", FRONT + "the credentials are refused (HTTP 401): no such "
                           "token")
        self.wait_for(lambda: provider.granted == 2, 10)  # without another read
        self.wait_for(lambda: weir.metric("ml-inference", "x").status == 200, 10)

    def test_a_403_of_a_tenant_renews_nothing(self):
        provider = self.start_in_test(OAuth2Server())
        is_locked = False

        def answer(turn):
            turn.answer(*(("this tenant is locked", "403 Forbidden") if is_locked else (vector(42),)))
        weir = self.weir(self.start_in_test(ScriptedServer(answer)), self.oauth2(provider))
        self.serve(weir)
        is_locked = True

        for _ in range(3):
            self.assertIn("(HTTP 403): this tenant is locked", self.message_of(weir.metric("ml-inference", "x")))

        self.assertEqual(1, len(provider.requests))


if __name__ == "__main__":
    unittest.main()
