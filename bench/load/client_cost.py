"""The hot paths of Weir's AMQP and Redis clients beside the bare libraries: starts the servers for weir_bench_clients."""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test"))
from support import RabbitMQ, Redis  # noqa: E402

QUEUES = 100
LENGTH = 42  # what weir_bench_clients expects of the list


def run():
    binary = os.environ.get("WEIR_BENCH_CLIENTS") or ROOT / "build" / "release" / "bench" / "weir_bench_clients"
    with tempfile.TemporaryDirectory(prefix="weir-bench-") as name:
        folder = Path(name)
        with Redis(folder / "redis") as redis:
            redis.ask("RPUSH", "bench", *range(LENGTH))
            subprocess.run([binary, "redis", str(redis.port)], check=True)
        with RabbitMQ(folder / "rabbitmq") as broker:
            for number in range(QUEUES):
                broker.declare(f"bench-{number}")
            login = {"username": broker.user, "password": broker.password}
            for key, text in login.items():
                (folder / key).write_text(text)
            subprocess.run([binary, "rabbitmq", str(broker.port), *(folder / key for key in login)], check=True)
