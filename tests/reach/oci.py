#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""oci.py VARIANT PROFILE ROOTFS STAGE CMD...: prints an OCI configuration of a container.

PROFILE is a seccomp profile as Docker and Podman ship it, resolved here for the machine's
architecture, its kernel and the container's capabilities as their own loaders resolve it. STAGE is
seen as /reach. VARIANT is one of VARIANTS.
"""
import json
import platform
import re
import sys

DOCKER_CAPS = [
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID",
    "CAP_SETUID", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_NET_RAW", "CAP_SYS_CHROOT",
    "CAP_MKNOD", "CAP_AUDIT_WRITE", "CAP_SETFCAP",
]
ARCHES = {"x86_64": ("amd64", "SCMP_ARCH_X86_64"), "aarch64": ("arm64", "SCMP_ARCH_AARCH64")}

# uid, bounding set, restricted. The last is Kubernetes' "restricted" pod standard: no capabilities,
# no_new_privs, and (what usually goes with it) a read-only root with an empty /tmp.
VARIANTS = {
    "docker-default": (1000, DOCKER_CAPS, False),
    "docker-root": (0, DOCKER_CAPS, False),
    "podman-default": (1000, DOCKER_CAPS, False),
    "k8s-restricted": (1000, [], True),
}

MASKED = [
    "/proc/asound", "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
    "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
]
READONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]


def mount(target, kind, *options, source=None):
    return {"destination": target, "type": kind, "source": source or kind, "options": list(options)}


MOUNTS = [
    mount("/proc", "proc", "nosuid", "noexec", "nodev"),
    mount("/dev", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
    mount("/sys", "sysfs", "nosuid", "noexec", "nodev", "ro"),
    mount("/dev/pts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620",
          "gid=5"),
    mount("/dev/mqueue", "mqueue", "nosuid", "noexec", "nodev"),
    mount("/dev/shm", "tmpfs", "nosuid", "noexec", "nodev", "mode=1777", "size=65536k",
          source="shm"),
]


def kernel_at_least(wanted):
    here = tuple(int(n) for n in re.findall(r"\d+", platform.release())[:2])
    return here >= tuple(int(n) for n in wanted.split("."))


def applies(rule, arch, caps):
    """A rule counts if all its includes hold and none of its excludes does."""
    includes, excludes = rule.get("includes") or {}, rule.get("excludes") or {}
    if arch in excludes.get("arches", []) or set(caps) & set(excludes.get("caps", [])):
        return False
    if "minKernel" in excludes and kernel_at_least(excludes["minKernel"]):
        return False
    if includes.get("arches") and arch not in includes["arches"]:
        return False
    if not set(includes.get("caps", [])) <= set(caps):
        return False
    return "minKernel" not in includes or kernel_at_least(includes["minKernel"])


def seccomp(profile, caps):
    arch, native = ARCHES[platform.machine()]
    subs = [m["subArchitectures"] for m in profile["archMap"] if m["architecture"] == native]
    rules = []
    for rule in profile["syscalls"]:
        if not applies(rule, arch, caps):
            continue
        made = {"names": rule["names"], "action": rule["action"]}
        made.update({key: rule[key] for key in ("errnoRet", "args") if rule.get(key)})
        rules.append(made)
    made = {"defaultAction": profile["defaultAction"], "architectures": [native] + subs[0],
            "syscalls": rules}
    if "defaultErrnoRet" in profile:
        made["defaultErrnoRet"] = profile["defaultErrnoRet"]
    return made


def config(variant, profile, rootfs, stage, command):
    uid, caps, restricted = VARIANTS[variant]
    # Of the bounding set, root has all and nobody else any.
    effective = caps if uid == 0 else []
    mounts = MOUNTS + [mount("/reach", "bind", "bind", "ro", source=stage)]
    if restricted:
        mounts.append(mount("/tmp", "tmpfs", "nosuid", "nodev", "mode=1777"))
    return {
        "ociVersion": "1.0.2",
        "hostname": variant,
        "root": {"path": rootfs, "readonly": restricted},
        "mounts": mounts,
        "process": {
            "terminal": False,
            "user": {"uid": uid, "gid": uid},
            "cwd": "/",
            "env": ["PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/tmp"],
            "args": command,
            "noNewPrivileges": restricted,
            "capabilities": {"bounding": caps, "effective": effective, "permitted": effective,
                             "inheritable": []},
        },
        "linux": {
            "namespaces": [{"type": t} for t in ("pid", "mount", "ipc", "uts", "network")],
            "maskedPaths": MASKED,
            "readonlyPaths": READONLY,
            "seccomp": seccomp(profile, caps),
        },
    }


def main():
    if len(sys.argv) < 6:
        sys.exit(__doc__)
    variant, path, rootfs, stage, *command = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        profile = json.load(file)
    json.dump(config(variant, profile, rootfs, stage, command), sys.stdout, indent=1)


main()
