#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes tables and plots of a run.

usage: report.py JSON FOLDER
Reads core.tsv there, if it is there. Writes micro.tsv, macro.tsv, scale.tsv, memory.tsv and table.md, and where there is gnuplot micro, macro,
scale and memory as .svg and .png.
"""
import json
import os
import shutil
import subprocess
import sys

TITLES = {"native": "native", "floor": "floor", "patched": "subpid, patched", "inside": "subpid, unpatched",
          "first": "subpid, as number 1", "unshare": "kernel namespace", "bwrap": "bwrap",
          "proot": "proot", "strace": "strace --seccomp-bpf"}


def columns(rows):
    found = {side for r in rows for side in r["sides"]}
    return [side for side in TITLES if side in found]


def tsv(path, rows):
    names = columns(rows)
    with open(path, "w", encoding="utf-8") as f:
        f.write("row\trounds\tnative_us\t" + "\t".join(names[1:]) + "\tinside_cpu\tlimit\tagainst\n")
        for r in rows:
            values = [f"{r['sides'][n]['ratio']:.3f}" if n in r["sides"] else "" for n in names[1:]]
            f.write(f"{r['row']}\t{r['rounds']}\t{r['sides']['native']['ns'] / 1000:.2f}\t"
                    + "\t".join(values) + f"\t{r['sides']['inside']['cpu']:.3f}"
                    + f"\t{r['limit'] or ''}\t{r['against']}\n")


def verdict(r):
    if not r["limit"]:
        return ""
    side = r["sides"].get("patched") or r["sides"]["inside"]
    value = side.get("floor") if r["against"] == "floor" else side["ratio"]
    if value is None:
        return ""
    word = "within" if value <= r["limit"] else "**above**"
    of = " of the floor" if r["against"] == "floor" else ""
    return f"{value:.2f}{of}, {word} {r['limit']:g}"


def table(f, rows):
    names = columns(rows)[1:]
    f.write("| | " + " | ".join(TITLES[n] for n in names) + " | limit |\n")
    f.write("|---|" + "---|" * (len(names) + 1) + "\n")
    for r in rows:
        cells = [f"{r['sides'][n]['ratio']:.2f}" if n in r["sides"] else "" for n in names]
        f.write(f"| {r['row']} | " + " | ".join(cells) + f" | {verdict(r)} |\n")


def scale_table(f, scale):
    points = scale.get("points", [])
    if not points:
        return
    f.write("\n## Many live tasks\n\nRatio to native of the same number; in brackets ratio to the first column.\n\n")
    f.write("| | " + " | ".join(f"{p['tasks']:,}" for p in points) + " |\n")
    f.write("|---|" + "---|" * len(points) + "\n")
    for row in points[0]["ns"]:
        side = "patched" if "patched" in scale["sides"] else "inside"
        base = points[0]["ns"][row][side]
        cells = [f"{p['ns'][row][side] / p['ns'][row]['native']:.2f} ({p['ns'][row][side] / base:.1f})"
                 for p in points]
        f.write(f"| {row} | " + " | ".join(cells) + " |\n")
    cells = [f"{p['registry'] / (p['tasks'] + 2):.0f}" for p in points]
    f.write("| registry, bytes a task | " + " | ".join(cells) + " |\n")
    cells = [f"{p['pss']['inside'] - p['pss']['native']:.0f}" for p in points]
    f.write("| PSS a task, KiB more | " + " | ".join(cells) + " |\n")
    if scale.get("depths"):
        base = scale["depths"][0]["ns"]
        f.write("\n| depth | " + " | ".join(base) + " |\n|---|" + "---|" * len(base) + "\n")
        for d in scale["depths"]:
            f.write(f"| {d['depth']} | " + " | ".join(f"{d['ns'][op] / base[op]:.2f}" for op in base) + " |\n")


def memory_table(f, rows):
    if not rows:
        return
    f.write("\n## Memory\n\n| | | limit | |\n|---|---|---|---|\n")
    for name, value, limit, note in rows:
        f.write(f"| {name} | {value:,.0f} | {limit or ''} | {note} |\n")


def core_table(f, path):
    """OPERATION, LIVE, COUNT lines of `instructions`."""
    try:
        with open(path, encoding="utf-8") as g:
            cells = [line.split("\t") for line in g.read().splitlines()]
    except OSError:
        cells = []
    if not cells:
        return
    live = sorted({int(c[1]) for c in cells})
    f.write("\n## Instructions of the registry's operations\n\n| live tasks | "
            + " | ".join(f"{n:,}" for n in live) + " |\n|---|" + "---|" * len(live) + "\n")
    for op in dict.fromkeys(c[0] for c in cells):
        counts = {int(c[1]): int(c[2]) for c in cells if c[0] == op}
        f.write(f"| {op} | " + " | ".join(f"{counts[n]:,}" for n in live) + " |\n")


def bars(plot, path, rows, title):
    names = columns(rows)[1:]
    with open(path + ".dat", "w", encoding="utf-8") as f:
        for r in rows:
            values = [f"{r['sides'][n]['ratio']:.3f}" if n in r["sides"] else "NaN" for n in names]
            f.write(f'"{r["row"]}" ' + " ".join(values) + "\n")
    series = ", ".join(f"'{path}.dat' using {i + 2}{':xtic(1)' if not i else ''} title '{TITLES[n]}'"
                       for i, n in enumerate(names))
    plot(path, f"""
set title '{title}'
set ylabel 'time, native = 1'
set logscale y
set grid ytics
set style data histogram
set style histogram clustered gap 2
set style fill solid 0.8 noborder
set xtics rotate by -40 left
set key outside top center horizontal
set bmargin 8
plot {series}, 1 notitle with lines lc rgb 'black'
""", 1400, 620)
    os.unlink(path + ".dat")


def lines(plot, path, scale):
    points = scale["points"]
    rows, side = list(points[0]["ns"]), "patched" if "patched" in scale["sides"] else "inside"
    with open(path + ".dat", "w", encoding="utf-8") as f:
        for p in points:
            f.write(f"{p['tasks']} " + " ".join(
                f"{p['ns'][r][side] / 1000:.3f} {p['ns'][r]['native'] / 1000:.3f}" for r in rows) + "\n")
    series = ", ".join(
        f"'{path}.dat' using 1:{2 * i + 2} with linespoints lc {i + 1} title '{r}', "
        f"'{path}.dat' using 1:{2 * i + 3} with lines dt 2 lc {i + 1} title '{r}, native'"
        for i, r in enumerate(rows))
    plot(path, f"""
set title 'Cost with many live tasks'
set xlabel 'live tasks'
set ylabel 'us'
set logscale xy
set grid
set key outside right
plot {series}
""", 1000, 560)
    os.unlink(path + ".dat")


def memory_lines(plot, path, scale):
    with open(path + ".dat", "w", encoding="utf-8") as f:
        for p in scale["points"]:
            f.write(f"{p['tasks']} {p['registry'] / (p['tasks'] + 2):.1f} {p['registry'] / 1024:.1f} "
                    f"{p['pss']['inside'] - p['pss']['native']:.1f} "
                    f"{p['pte']['inside'] - p['pte']['native']:.1f}\n")
    plot(path, f"""
set title 'Memory'
set xlabel 'live tasks'
set logscale xy
set grid
set key outside right
plot '{path}.dat' using 1:2 with linespoints title 'registry, bytes a task', \
'{path}.dat' using 1:3 with linespoints title 'registry, KiB a namespace', \
'{path}.dat' using 1:4 with linespoints title 'PSS, KiB a task, more than native', \
'{path}.dat' using 1:5 with linespoints title 'page tables, KiB a task, more than native'
""", 1000, 480)
    os.unlink(path + ".dat")


def gnuplot(path, script, width, height):
    for ext, terminal in (("svg", f"svg noenhanced size {width},{height} background rgb 'white'"),
                          ("png", f"pngcairo noenhanced size {width},{height}")):
        text = f"set terminal {terminal}\nset output '{path}.{ext}'\n{script}"
        subprocess.run(["gnuplot"], input=text.encode(), check=True, stderr=subprocess.DEVNULL)
    with open(path + ".svg", encoding="utf-8") as f:
        drawn = "\n".join(line.rstrip() for line in f.read().rstrip().split("\n")) + "\n"
    with open(path + ".svg", "w", encoding="utf-8") as f:
        f.write(drawn)


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        run = json.load(f)
    out = sys.argv[2]
    os.makedirs(out, exist_ok=True)
    for key in ("micro", "macro"):
        if run[key]:
            tsv(os.path.join(out, key + ".tsv"), run[key])
    scale = run["scale"]
    if scale:
        with open(os.path.join(out, "scale.tsv"), "w", encoding="utf-8") as f:
            f.write("tasks\trow\t" + "\t".join(s + "_us" for s in scale["sides"]) + "\n")
            for p in scale["points"]:
                for row, ns in p["ns"].items():
                    f.write(f"{p['tasks']}\t{row}\t"
                            + "\t".join(f"{ns[s] / 1000:.2f}" for s in scale["sides"]) + "\n")
        with open(os.path.join(out, "memory.tsv"), "w", encoding="utf-8") as f:
            f.write("what\tvalue\tlimit\tnote\n")
            for name, value, limit, note in scale["memory"]:
                f.write(f"{name}\t{value:.1f}\t{limit or '-'}\t{note or '-'}\n")
    with open(os.path.join(out, "table.md"), "w", encoding="utf-8") as f:
        f.write("# One run\n\nMade by `make bench`. Ratios to native, medians of rounds in turns, "
                f"{run['cpus']} processors, Linux {run['kernel'].split('-')[0]}, load average "
                f"{run['load'][0]:.1f} before and {run['load'][-1]:.1f} after.\n")
        for name, why in run["not"].items():
            f.write(f"\nWithout {TITLES.get(name, name)}: {why}.\n")
        for key, title in (("micro", "Single operations"), ("macro", "Whole programs")):
            if run[key]:
                f.write(f"\n## {title}\n\n")
                table(f, run[key])
        scale_table(f, scale)
        memory_table(f, scale.get("memory", []))
        core_table(f, os.path.join(out, "core.tsv"))
    if not shutil.which("gnuplot"):
        print("report: no plots without gnuplot", file=sys.stderr)
        return
    if run["micro"]:
        bars(gnuplot, os.path.join(out, "micro"), run["micro"], "Single operations")
    if run["macro"]:
        bars(gnuplot, os.path.join(out, "macro"), run["macro"], "Whole programs")
    if scale:
        lines(gnuplot, os.path.join(out, "scale"), scale)
        memory_lines(gnuplot, os.path.join(out, "memory"), scale)


if __name__ == "__main__":
    main()
