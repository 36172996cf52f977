"""Behind ./dev bench: runs the benches that are named, or all. bench/results holds what was seen, and where.

Compare ratios of one run, not microseconds: machines differ, and so does one machine from minute to minute.
"""
import argparse
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "load"), str(HERE.parent / "test")]
import client_cost  # noqa: E402
import footprint  # noqa: E402
import isolation  # noqa: E402
import load  # noqa: E402
import request_cost  # noqa: E402
from mixes import mixes  # noqa: E402
from peers import FORM, parse_peer  # noqa: E402

BENCHES = {"clients": client_cost, "requests": request_cost, "isolation": isolation, "load": load, "footprint": footprint}


def main():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("bench", nargs="*", choices=[[], *BENCHES], help="which; default: all")
    parser.add_argument("--peer", type=parse_peer, action="append", default=[],
                        help=f"load: another adapter beside Weir and nginx; {FORM}")
    parser.add_argument("--mix", choices=[one.name for one in mixes()], action="append", default=[], help="load: only this one")
    parser.add_argument("--out", type=Path, help="load: a file for the table as JSON")
    options = parser.parse_args()
    for name in options.bench or BENCHES:
        print(f"\n{name}: {BENCHES[name].__doc__.splitlines()[0]}", flush=True)
        if name == "load":
            load.run(names=options.mix, peers=options.peer, out=options.out)
        else:
            BENCHES[name].run()


if __name__ == "__main__":
    main()
