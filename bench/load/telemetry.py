"""What Weir counts of itself, from its /metrics."""
import re

from support.weir import HPA_USER

QUESTIONS = re.compile(r"^weir_query_duration_seconds_count\{[^}]*\} (\S+)$", re.M)


def scrape(weir):
    """The page. RuntimeError when it was refused."""
    answer = weir.get("/metrics", {"X-Remote-User": HPA_USER})
    if answer.status != 200:
        raise RuntimeError(f"/metrics: {answer.status} {answer.text}")
    return answer.text


def questions(weir):
    """How many questions all backends have answered so far."""
    return sum(map(float, QUESTIONS.findall(scrape(weir))))
