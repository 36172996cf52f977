"""Prometheus: the real one that all rows share, and a scripted one."""
from servers.http import HttpScript, OtherPassword
from servers.real import Real
from support import vector

QUERY = {"query": 'label_replace(vector(3), "n", "$(n)", "", "")'}


class RealPrometheus(Real):
    """The Prometheus that all rows share."""
    query_settings = QUERY

    def start(self):
        self.server = self.place.world.prometheus
        self.backend_settings = {"url": self.server.url}


class PrometheusScript(HttpScript):
    query_settings = QUERY

    def healthy_reply(self, turn):
        turn.answer(vector(3))


class PrometheusOtherPassword(OtherPassword, PrometheusScript):
    pass
