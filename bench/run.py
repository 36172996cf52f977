"""Behind ./dev bench: runs the benches that are named, or all. bench/results holds what was seen, and where.

Compare ratios of one run, not microseconds: machines differ, and so does one machine from minute to minute.
"""
import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "load"))
import client_cost  # noqa: E402
import isolation  # noqa: E402
import request_cost  # noqa: E402

BENCHES = {"clients": client_cost, "requests": request_cost, "isolation": isolation}


def main():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("bench", nargs="*", choices=[[], *BENCHES], help="which; default: all")
    for name in parser.parse_args().bench or BENCHES:
        print(f"\n{name}: {BENCHES[name].__doc__.splitlines()[0]}", flush=True)
        BENCHES[name].run()


if __name__ == "__main__":
    main()
