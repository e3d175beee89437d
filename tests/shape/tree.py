#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rules that can be read off the text of the tree: who may include whom, and house style.

usage: tree.py ROOT    one TAP-like line per rule; status 1 if one is broken
"""
import os
import re
import sys

FREESTANDING = {
    "float.h", "limits.h", "stdalign.h", "stdarg.h", "stdatomic.h", "stdbool.h", "stddef.h",
    "stdint.h", "stdnoreturn.h", "elf.h",
}
# layer: (layers it may include besides itself, single headers above that, may include libc)
LAYERS = {
    "base": ([], [], False),
    "arch": (["base"], [], False),
    "core": (["base", "arch"], [], False),
    "boundary": (["base", "core"], [], False),
    "resident": (["base", "arch", "core", "boundary"], [], False),
    "supervisor": (["base", "arch", "core", "boundary"], ["resident/handover.h"], True),
    "checkpoint": (["base", "core", "supervisor"], [], True),
    "lib": (["base", "supervisor"], [], True),
    "cli": (["base", "core", "supervisor", "checkpoint", "lib"], [], True),
}
C_LIKE = (".c", ".h", ".S", ".def")
CODE = C_LIKE + (".py", ".sh", ".ld")
MAX_LINES = 600


def files(root):
    """Every file of the tree, relative: no build folders, nothing hidden but .ci."""
    for folder, dirs, names in os.walk(root):
        dirs[:] = [d for d in dirs
                   if (d == ".ci" or not d.startswith(".")) and d != "__pycache__"
                   and not (folder == root and (d == "build" or d.startswith("build-")))]
        for name in names:
            path = os.path.join(folder, name)
            if not os.path.islink(path) and not name.endswith((".pyc", ".log", ".png")):
                yield os.path.relpath(path, root)


def read(root, path):
    with open(os.path.join(root, path), "rb") as f:
        return f.read().decode("utf-8", "replace")


def is_script(text):
    return text.startswith("#!")


def without_strings_and_comments(text):
    """C text in which only code and // comments are left."""
    pattern = r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    return re.sub(pattern, lambda m: m.group(0) if m.group(0).startswith("//") else
                  "\n" * m.group(0).count("\n"), text, flags=re.S)


def includes(root):
    """No include goes up or sideways; below the supervisor none reaches into the C library."""
    for path in files(root):
        part = path.split(os.sep)
        if part[0] != "src" or not path.endswith(C_LIKE):
            continue
        if part[1] not in LAYERS:
            yield f"{path}: src/{part[1]} is no layer"
            continue
        allowed, single, libc = LAYERS[part[1]]
        for n, line in enumerate(read(root, path).split("\n"), 1):
            m = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
            if not m:
                continue
            name = m.group(2)
            if m.group(1) == '"':
                if not os.path.exists(os.path.join(root, "src", name)):
                    yield f"{path}:{n}: {name} is not a path below src"
                elif name.split("/")[0] not in allowed + [part[1]] and name not in single:
                    yield f"{path}:{n}: {part[1]} may not include {name}"
            elif not libc and name not in FREESTANDING and not name.startswith(("linux/", "asm/")):
                yield f"{path}:{n}: {part[1]} may not include <{name}>"


def bare_pids(root):
    """Below the resident no pid_t: a number there is a vpid or an hpid."""
    for path in files(root):
        if re.match(r"src/(base|core|boundary)/", path) and path.endswith(C_LIKE):
            text = without_strings_and_comments(read(root, path))
            for n, line in enumerate(text.split("\n"), 1):
                if re.search(r"\bpid_t\b", line):
                    yield f"{path}:{n}: pid_t"


def licence_lines(root):
    """Every source file names the licence in its first lines."""
    for path in files(root):
        text = read(root, path)
        if path.endswith(CODE) or is_script(text) or path in ("Makefile", "meson.build"):
            if "SPDX-License-Identifier: Apache-2.0" not in "\n".join(text.split("\n")[:4]):
                yield f"{path}: no SPDX line"


def unfinished(root):
    """Nothing is marked as still to be done."""
    # Spelled so that this file does not find itself.
    mark = re.compile("TO" + r"DO|FIX" + r"ME|\bXX" + r"X\b")
    for path in files(root):
        for n, line in enumerate(read(root, path).split("\n"), 1):
            if mark.search(line) and "mktemp" not in line and path != "LICENSE":
                yield f"{path}:{n}: {line.strip()[:60]}"


def lengths(root):
    """A file has at most 600 lines; tables are exempt."""
    for path in files(root):
        text = read(root, path)
        if path.endswith((".c", ".h", ".S", ".py", ".sh")) or is_script(text):
            if text.count("\n") > MAX_LINES:
                yield f"{path}: {text.count(chr(10))} lines"


def comments(root):
    """Comments in C are /* */; // is visibly temporary."""
    for path in files(root):
        if path.endswith(C_LIKE):
            text = without_strings_and_comments(read(root, path))
            for n, line in enumerate(text.split("\n"), 1):
                if "//" in line:
                    yield f"{path}:{n}: // comment"


def blanks(root):
    """No trailing blanks, no invisible characters, a newline at the end."""
    hidden = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad]")
    for path in files(root):
        text = read(root, path)
        if path == "LICENSE" or "\0" in text or path.endswith((".txt", ".bin", ".out")):
            continue
        if text and not text.endswith("\n"):
            yield f"{path}: no newline at the end"
        for n, line in enumerate(text.split("\n"), 1):
            if line != line.rstrip():
                yield f"{path}:{n}: trailing blank"
            if hidden.search(line):
                yield f"{path}:{n}: invisible character"


def machine_paths(root):
    """No path of somebody's machine."""
    pattern = re.compile(r"(?<![\w$}/.])/(?:work|Users|home/[a-z]\w*|root/[a-z]\w*)(?:/|\b)")
    for path in files(root):
        for n, line in enumerate(read(root, path).split("\n"), 1):
            if pattern.search(line) and not path.startswith("tests/shape/"):
                yield f"{path}:{n}: {line.strip()[:80]}"


def numbered(root, doc, define, cite, where):
    if not os.path.exists(os.path.join(root, doc)):
        return
    known = set(re.findall(define, read(root, doc), flags=re.M))
    if not known:
        yield f"{doc}: defines nothing"
    for path in files(root):
        if path.endswith(C_LIKE) and path.startswith(where):
            for n, line in enumerate(read(root, path).split("\n"), 1):
                for m in re.findall(cite, line):
                    if m not in known:
                        yield f"{path}:{n}: {m} is not in {doc}"


def invariants(root):
    """Every invariant and ordering rule that code cites exists; each invariant is audited."""
    yield from numbered(root, "docs/INVARIANTS.md", r"^\W*(I[0-9]+)\b", r"\b(I[0-9]+)\b",
                        ("src/", "tests/unit/"))
    yield from numbered(root, "docs/ORDERING.md", r"^\W*([A-Z][0-9]+)\b",
                        r"ORDERING ([A-Z][0-9]+)", ("src/", "tests/unit/"))
    audit = os.path.join(root, "src/core/audit.c")
    if os.path.exists(audit) and os.path.exists(os.path.join(root, "docs/INVARIANTS.md")):
        cited = set(re.findall(r"\bI[0-9]+\b", read(root, "src/core/audit.c")))
        for line in read(root, "docs/INVARIANTS.md").split("\n"):
            m = re.match(r"\W*(I[0-9]+)\b", line)
            if m and m.group(1) not in cited and "not audited" not in line:
                yield f"docs/INVARIANTS.md: {m.group(1)} is not checked in audit.c"


def sources_listed(root):
    """Every source file is in a list of the build, and every listed one exists."""
    build = read(root, "meson.build")
    for path in files(root):
        if re.match(r"src/.*\.[cS]$", path) and f"'{path}'" not in build:
            yield f"{path}: not in meson.build"
    for name in re.findall(r"'(src/[^']*\.[cS])'", build):
        if not os.path.exists(os.path.join(root, name)):
            yield f"meson.build: {name} does not exist"


def links(root):
    """Links between the documents lead somewhere."""
    for path in files(root):
        if not path.endswith(".md"):
            continue
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", read(root, path)):
            if not os.path.exists(os.path.join(root, os.path.dirname(path), target)):
                yield f"{path}: link to {target}"


RULES = [includes, bare_pids, licence_lines, unfinished, lengths, comments, blanks, machine_paths,
         invariants, sources_listed, links]


def main():
    root = sys.argv[1]
    wanted = sys.argv[2:]
    status = 0
    for rule in RULES:
        if wanted and rule.__name__ not in wanted:
            continue
        bad = list(rule(root))
        title = rule.__doc__.split("\n")[0].rstrip(".")
        print(f"{'not ' if bad else ''}ok - shape: {title}")
        for line in bad[:40]:
            print(f"# {line}")
        if len(bad) > 40:
            print(f"# and {len(bad) - 40} more")
        status |= bool(bad)
    return status


if __name__ == "__main__":
    sys.exit(main())
