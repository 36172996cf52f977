"""What ./dev bench runs: runs the benches that are named, or all. bench/results holds what was seen, and where.

Compare ratios of one run, not microseconds: machines differ, and so does one machine from minute to minute.
"""
import argparse
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "load"), str(HERE / "micro"), str(HERE.parent / "test")]
import broker_cost  # noqa: E402
import client_cost  # noqa: E402
import counts  # noqa: E402
import footprint  # noqa: E402
import hanging  # noqa: E402
import isolation  # noqa: E402
import load  # noqa: E402
import page  # noqa: E402
import path_cost  # noqa: E402
import process_cost  # noqa: E402
import request_cost  # noqa: E402
import results  # noqa: E402
from mixes import mixes  # noqa: E402
from peers import FORM, parse_peer  # noqa: E402

BENCHES = {"paths": path_cost, "process": process_cost, "clients": client_cost, "requests": request_cost,
           "isolation": isolation, "discovery": hanging, "broker": broker_cost, "load": load, "footprint": footprint}


def main():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("bench", nargs="*", choices=[[], *BENCHES], help="which; default: all")
    parser.add_argument("--record", action="store_true",
                        help="write what they show to bench/results, and the page of it")
    parser.add_argument("--limits", action="store_true",
                        help="make the instruction counts of paths the limits of ./dev test")
    parser.add_argument("--profile", metavar="PATH", help="show where the instructions of one hot path go, and end")
    parser.add_argument("--peer", type=parse_peer, action="append", default=[],
                        help=f"load: another adapter beside Weir and nginx; {FORM}")
    parser.add_argument("--mix", choices=[mix.name for mix in mixes()], action="append", default=[], help="load: only this one")
    parser.add_argument("--out", type=Path, help="load: a file for the table as JSON")
    options = parser.parse_args()
    if options.record and options.mix:
        parser.error("--record: a recorded result has every mix, leave out --mix")
    arguments = {"load": {"names": options.mix, "peers": options.peer, "out": options.out}}
    build = results.ROOT / "build" / "release"
    if options.profile:
        return path_cost.profile(options.profile)
    for name in options.bench or BENCHES:
        print(f"\n{name}: {BENCHES[name].__doc__.splitlines()[0]}", flush=True)
        result = BENCHES[name].run(**arguments.get(name, {}))
        if options.limits and name == "paths":
            path_cost.state_limits(result, results.compiler(build))
            print(f"stated in {counts.LIMITS}")
        if result and options.record:
            print(f"written to {results.record(result, ' '.join(['./dev bench', *sys.argv[1:]]), build)}")
            print(f"written to {page.write()}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except counts.NotMeasured as problem:
        sys.exit(f"./dev bench: {problem}")
