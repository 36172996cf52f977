"""What a server's process has cost so far: processor time and memory, as the kernel counts them."""
from pathlib import Path


def _with_children(pid):
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            yield from _with_children(int(child))


def cpu_seconds(pid):
    """User and system, to the nanosecond, of all threads that run, the children's too."""
    return sum(int(file.read_text().split()[0]) for process in _with_children(pid)
               for file in Path(f"/proc/{process}/task").glob("*/schedstat")) / 1e9


def memory_mib(pid):
    """(resident, anonymous of it), the children's too; pages that two share count twice."""
    out = []
    for field in ("VmRSS:", "RssAnon:"):
        lines = [line for process in _with_children(pid) for line in Path(f"/proc/{process}/status").read_text().splitlines()]
        out.append(sum(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024)
    return tuple(out)
