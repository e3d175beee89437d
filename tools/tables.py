# SPDX-License-Identifier: Apache-2.0
"""Reads the boundary's tables: src/boundary/*.def as rows of strings."""
import re
from collections import namedtuple
from pathlib import Path

# Headings of the kinds of crossings, in the order of the table.
KINDS = {
    "syscall": "In arguments and results of system calls",
    "syscall-op": "In single operations of system calls",
    "ioctl": "In ioctl requests",
    "sockopt": "In socket options",
    "cmsg": "In control messages of sockets",
    "signal": "In signals",
    "prctl": "In prctl operations",
    "ptrace": "In ptrace requests",
    "proc-dir": "In names of /proc",
    "proc-file": "In texts of /proc",
    "fs-file": "In other files",
    "memory": "In memory that the kernel shares with programs",
}

Crossing = namedtuple("Crossing", "kind name field direction id level probe note")
Syscall = namedtuple("Syscall", "nr name support when handler note")


def text_of(root, name):
    text = (Path(root) / "src/boundary" / name).read_text()
    return re.sub(r"/\*.*?\*/", "", text, flags=re.S) if "crossings" not in name else text


def fields_of(call):
    """The arguments of one macro call: split at commas outside of strings and parentheses."""
    fields, depth, field = [], 0, ""
    for part in re.findall(r'"(?:[^"\\]|\\.)*"|.', call, flags=re.S):
        if part == "," and depth == 0:
            fields.append(field.strip())
            field = ""
            continue
        depth += (part == "(") - (part == ")")
        field += part
    return fields + [field.strip()]


def joined(field):
    """Adjacent strings as one; anything else as it is."""
    strings = re.findall(r'"((?:[^"\\]|\\.)*)"', field)
    return "".join(strings) if strings else field


def rows_of(text, macro):
    """The fields of each macro(...)."""
    for start in re.finditer(r"^%s\(" % macro, text, flags=re.M):
        depth, pos, quoted = 1, start.end(), False
        while depth:
            c = text[pos]
            if c == '"':
                quoted = not quoted
            elif not quoted:
                depth += (c == "(") - (c == ")")
            pos += 1
        fields = fields_of(text[start.end() : pos - 1])
        yield [joined(f) for f in fields]


def syscalls(root):
    return [Syscall(int(r[0]), *r[1:]) for r in rows_of(text_of(root, "syscalls.def"), "SC")]


def unknown_syscalls(root):
    (row,) = rows_of(text_of(root, "syscalls.def"), "SC_UNKNOWN")
    return row


def crossings(root):
    """The rows of crossings.def; one with a wrong number of fields is a ValueError."""
    rows = []
    for fields in rows_of(text_of(root, "crossings.def"), "CX"):
        if len(fields) != len(Crossing._fields):
            raise ValueError("a row of %d fields: %s" % (len(fields), " ".join(fields[:3])))
        rows.append(Crossing(*fields))
    return rows


def numbers_of(crossing):
    """The system call numbers in the parentheses that end the name of a crossing."""
    found = []
    m = re.search(r"\(([0-9, -]+)\)$", crossing.name)
    for part in m.group(1).split(",") if m else ():
        first, _, last = part.strip().partition("-")
        found += range(int(first), int(last or first) + 1)
    return found
