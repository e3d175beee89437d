#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Finds recursion in an ELF file: the resident's stacks are bounded, so its calls must not cycle.

usage: calls.py FILE    one line per cycle; indirect calls are not seen
"""
import re
import subprocess
import sys


def edges(path):
    """caller -> {callee: is a call, not only a tail jump}"""
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", path], check=True,
                          capture_output=True, text=True).stdout
    graph = {}
    name = None
    for line in text.split("\n"):
        m = re.match(r"[0-9a-f]+ <([^>]+)>:", line)
        if m:
            name = m.group(1)
            graph.setdefault(name, {})
            continue
        m = re.search(r"\t(call|j[a-z]+)\s+[0-9a-f]+ <([^>+]+)>", line)
        if m and name:
            call = m.group(1) == "call"
            graph[name][m.group(2)] = graph[name].get(m.group(2), False) or call
    return graph


def reach(graph, start):
    seen, todo = set(), [start]
    while todo:
        for callee in graph.get(todo.pop(), {}):
            if callee not in seen:
                seen.add(callee)
                todo.append(callee)
    return seen


def main():
    graph = edges(sys.argv[1])
    below = {name: reach(graph, name) for name in graph}
    shown = set()
    for name, callees in graph.items():
        for callee, call in callees.items():
            if call and (callee == name or name in below.get(callee, ())):
                cycle = frozenset(n for n in below[name] if name in below.get(n, ()))
                if cycle not in shown:
                    shown.add(cycle)
                    print(f"{name} calls {callee}, which comes back:", " ".join(sorted(cycle)[:8]))


if __name__ == "__main__":
    main()
