"""What Weir counts of itself, from its /metrics."""
import re

from support.weir import HPA_USER

QUERIES = re.compile(r"^weir_query_duration_seconds_count\{[^}]*\} (\S+)$", re.M)


def scrape(weir):
    """The page. RuntimeError when the scrape was rejected."""
    answer = weir.get("/metrics", {"X-Remote-User": HPA_USER})
    if answer.status != 200:
        raise RuntimeError(f"/metrics: {answer.status} {answer.text}")
    return answer.text


def query_count(weir):
    """The number of queries that all backends have answered so far."""
    return sum(map(float, QUERIES.findall(scrape(weir))))
