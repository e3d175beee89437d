#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The recogniser of call sites against a disassembler: for each file every `syscall` of its code, found by
objdump from the symbols on, is given to tests/patch/census.c together with all places where the bytes only look like one.
A site that the recogniser takes and the disassembler does not is an error.

usage: census.py RECOGNISER FILE...
"""
import re
import subprocess
import sys

LINE = re.compile(r"^\s*([0-9a-f]+):\t([0-9a-f ]+?)\s*\t(\S+)\s*(.*)$")
MOV = re.compile(r"^\$0x([0-9a-f]+),%eax$")


def disassembled(path):
    """(address of the syscall, the number that a mov of five bytes in front of it loads, or None)"""
    run = subprocess.Popen(["objdump", "-d", "--insn-width=16", path], stdout=subprocess.PIPE, text=True)
    before = None
    for line in run.stdout:
        m = LINE.match(line)
        if not m:
            before = None
            continue
        at, raw, name, args = int(m[1], 16), m[2].split(), m[3], m[4].split("#")[0].strip()
        if name == "syscall":
            yield at, before
        value = MOV.match(args) if name == "mov" and raw[0] == "b8" and len(raw) == 5 else None
        before = int(value[1], 16) if value else None
    if run.wait():
        raise SystemExit(f"objdump failed: {path}")


def taken(recogniser, path):
    """(address, number) of what the recogniser takes, of all bytes 0f 05 in executable sections."""
    out = subprocess.run([recogniser, path], capture_output=True, text=True, check=True).stdout
    return {int(a, 16): int(n) for a, n in (line.split() for line in out.splitlines())}


def main():
    wrong = 0
    for path in sys.argv[2:]:
        known = dict(disassembled(path))
        seen = taken(sys.argv[1], path)
        movs = {at: n for at, n in known.items() if n is not None}
        # Bytes that are no instruction are never executed, so they never trap: only real ones count.
        bad = [at for at, n in seen.items() if at in known and movs.get(at) != n]
        missed = [at for at in movs if at not in seen]
        wrong += len(bad)
        print(f"{path}: {len(known)} syscalls, {len(movs)} behind a mov, {len(movs) - len(missed)} taken, "
              f"{len(missed)} refused, {len(bad)} wrong" + "".join(f" {at:#x}" for at in bad[:8]))
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main())
