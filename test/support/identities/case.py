"""The base of tests of bearer tokens."""
from support import ScriptedServer, ServerTest, Weir, config, metric, prometheus_backend, vector


class TokenTest(ServerTest):
    """A backend that answers only to the last token of a provider."""

    def file(self, name, text):
        folder = getattr(self, "files_", None)
        if folder is None:
            folder = self.files_ = self.folder()
        beside = folder / f"{name}.new"
        beside.write_text(text)
        beside.replace(folder / name)
        return {"file": str(folder / name)}

    def guard(self, provider):
        def answer(turn):
            if turn.request.headers.get("authorization") in {f"Bearer {provider.token(n)}" for n in self.accepted(provider)}:
                turn.answer(vector(42))
            else:
                turn.answer("no such token", "401 Unauthorized")
        return self.start_in_test(ScriptedServer(answer))

    def accepted(self, provider):
        return range(1, provider.granted + 1)

    def weir(self, server, auth, env=None, name="x", **settings):
        backend = prometheus_backend(server.url, auth=auth, **settings)
        text = config({name: backend}, metric(name, "up", backend=name, freshness="1ms"))
        return self.start_in_test(Weir(self.folder() / "weir", text, env=env))

    def oauth2(self, provider, **settings):
        return {"oauth2": {"tokenUrl": provider.url + "/token", "clientId": provider.client, "scope": provider.scope,
                           "clientSecret": self.file("secret", provider.secret + "\n"), **settings}}
