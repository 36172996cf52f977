"""Runs a program as the container would: in ROOT, read-only, as uid 65532 without privileges. Started in a mount namespace
of its own (`unshare --mount`), as root.

    inside.py ROOT [SOURCE=TARGET...] -- PROGRAM ARGUMENT...     each SOURCE is mounted at TARGET, read-only
    inside.py ROOT [SOURCE=TARGET...] -- try-to-write            prints, for each folder, what writing there came to

A mount point that ROOT lacks is made before ROOT turns read-only, as a container runtime does.
"""
import ctypes
import os
import subprocess
import sys
from pathlib import Path

USER = 65532
PR_SET_NO_NEW_PRIVS = 38


def mount(*arguments):
    subprocess.run(["mount", *map(str, arguments)], check=True)


def bind(source, target):
    if os.path.isdir(source):
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    mount("--bind", source, target)
    mount("-o", "remount,bind,ro,nosuid,nodev", target)


def enter(root, mounts):
    mount("--bind", root, root)
    for source, target in mounts:
        bind(source, root / target.lstrip("/"))
    (root / "proc").mkdir(exist_ok=True)
    mount("--rbind", "/proc", root / "proc")
    mount("-o", "remount,bind,ro,nosuid,nodev", root)
    os.chdir(root)
    os.chroot(".")
    os.setgroups([])
    os.setresgid(USER, USER, USER)
    os.setresuid(USER, USER, USER)  # leaves no capability
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def try_to_write(folder):
    try:
        with open(os.path.join(folder, "written"), "w"):
            return "written"
    except OSError as error:
        return os.strerror(error.errno)


def main(arguments):
    split = arguments.index("--")
    root, *mounts = arguments[:split]
    program = arguments[split + 1:]
    enter(Path(root), [mount.split("=", 1) for mount in mounts])
    if program == ["try-to-write"]:
        for folder, _, _ in os.walk("/"):
            if folder.split("/")[1] != "proc":
                print(f"{folder}: {try_to_write(folder)}")
        return
    os.execve(program[0], program, {})


main(sys.argv[1:])
