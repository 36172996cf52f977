"""The broker that all rows share, with a vhost of the row's own, over AMQP or over its management API."""
import re

from servers.real import OTHER_PASSWORD, PASSWORD, USER, Real
from support import quoted, wait_until

QUERY = {"queue": "jobs$(n)"}


def kill_broker(broker):
    """As a crash ends it, once what the row has declared is on disk: the broker writes up to two seconds late."""
    broker.control("eval", "mnesia:sync_log().")
    broker.kill()


def alarm(broker):
    """The memory alarm: the broker blocks publishers."""
    broker.control("set_vm_memory_high_watermark", "absolute", "1MB")
    wait_until(lambda: broker.call("GET", "/api/nodes")[0].get("mem_alarm"), "the memory alarm is set", 20)


def no_alarm(broker):
    broker.control("set_vm_memory_high_watermark", "absolute", "512MB")
    wait_until(lambda: not broker.call("GET", "/api/nodes")[0].get("mem_alarm"), "the memory alarm is over", 20)


class RealBroker(Real):
    """The broker that all rows share, with a vhost of the row's own: three messages in the queue `jobs`.

    `api` is what Weir asks: "amqp" or "management".
    """
    query_settings = QUERY

    def __init__(self, api, place, *arguments, **options):
        self.api = api
        super().__init__(place, *arguments, **options)
        self.vhost = place.name

    def start(self):
        self.server = self.place.world.broker
        self.user, self.password = self.server.user, self.server.password
        self.fill(self.server)
        self.backend_settings = self.settings_for(self.user, self.password)

    def settings_for(self, user, password):
        url = self.server.url if self.api == "amqp" else self.server.management_url
        return {"url": f"{url}/{quoted(self.vhost)}", "username": self.place.secret("user", user),
                "password": self.place.secret("password", password)}

    def stop(self):
        super().stop()
        if any(vhost["name"] == self.vhost for vhost in self.server.call("GET", "/api/vhosts")):
            self.server.call("DELETE", f"/api/vhosts/{quoted(self.vhost)}")

    def connections(self):
        """What the broker lists of Weir's connections."""
        return [connection for connection in self.server.connections() if connection.get("vhost") == self.vhost]

    def fill(self, _):
        """The vhost and its queue, as they are at the start."""
        self.server.add_vhost(self.vhost)
        self.server.filled("jobs", 3, self.vhost)

    def refusals(self):
        """How many logins of the row's user the broker has logged as refused."""
        log = self.server.process.log.read_text(errors="replace")
        return len(re.findall(rf"(?:refused|denied): user '{re.escape(self.user)}'", log))


class QueueDeleted(RealBroker):
    def __init__(self, api, place):
        super().__init__(api, place, lambda broker: broker.delete("jobs", self.vhost), self.fill)


class VhostDeleted(RealBroker):
    def __init__(self, api, place):
        super().__init__(api, place, self._delete, self.fill)

    def _delete(self, broker):
        broker.call("DELETE", f"/api/vhosts/{quoted(self.vhost)}")


class LeaderMissing(RealBroker):
    """A quorum queue whose only replica is stopped: nobody leads it."""

    def __init__(self, api, place):
        super().__init__(api, place, lambda broker: self._order(broker, "stop_server"),
                         lambda broker: self._order(broker, "restart_server"))

    def fill(self, _):
        self.server.add_vhost(self.vhost)
        self.server.declare("jobs", self.vhost, arguments={"x-queue-type": "quorum"})
        self.server.publish("jobs", 3, self.vhost)

    def _order(self, broker, order):
        broker.control("eval", f"ra:{order}(quorum_queues, {{'{self.vhost}_jobs', node()}}).")


class BrokerOtherPassword(RealBroker):
    """The password of the row's own user is changed and its connections are ended."""

    def __init__(self, api, place):
        super().__init__(api, place, self._change_password, self._update_secret)

    def start(self):
        super().start()
        self.user = f"{USER}-{self.api}"
        self.server.add_user(self.user, PASSWORD, self.vhost, tags="management")
        self.backend_settings = self.settings_for(self.user, PASSWORD)

    def logins(self):
        return self.refusals()

    def _change_password(self, broker):
        broker.add_user(self.user, OTHER_PASSWORD, tags="management")
        if self.api == "amqp":
            for connection in wait_until(self.connections, "the broker lists the connection"):
                broker.call("DELETE", f"/api/connections/{quoted(connection['name'])}")
            wait_until(lambda: not self.connections(), "the connection has ended")

    def _update_secret(self, _):
        self.place.secret("password", OTHER_PASSWORD)
