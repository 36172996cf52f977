"""A scripted management API of RabbitMQ."""
import json

from servers.http import HttpScript
from servers.rabbitmq import QUERY


def page(*counts, pages=1):
    """An answer of the management API: a queue for each of `counts`."""
    items = [{"name": f"jobs{n or ''}", "vhost": "/", "messages": count} for n, count in enumerate(counts)]
    return json.dumps({"page_count": pages, "items": items})


class ManagementScript(HttpScript):
    """It has three messages in every queue."""
    query_settings = QUERY

    def healthy_reply(self, turn):
        name = turn.request.form["name"].removeprefix(r"^(?:\Q").removesuffix(r"\E)$")
        turn.answer(json.dumps({"page_count": 1, "filtered_count": 1, "items": [{"name": name, "messages": 3}]}))
