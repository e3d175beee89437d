/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls and requests of which one might think that they carry a number: they do not, or the kernel shows the
 * machine's inside a namespace too. And requests of devices that are not there.
 */
#include "probe.h"
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <sys/times.h>

#define HIGH(v) (0xdeadbeef00000000ul | (v))

static void requests(const char *what, int fd)
{
	static const struct {
		const char *name;
		unsigned long request;
	} all[] = {
		{"BLKTRACESETUP", 0xc0481273},
		{"BLKTRACESETUP2", 0xc068128e},
		{"BINDER_FREEZE", 0x400c620e},
		{"BINDER_GET_FROZEN_INFO", 0xc00c620f},
		{"BINDER_WRITE_READ", 0xc0306201},
		{"DRM_IOCTL_GET_CLIENT", 0xc0286405},
		{"AMDKFD_IOC_DBG_TRAP", 0xc0204b26},
		{"AMDKFD_IOC_CRIU_OP", 0xc0384b22},
		{"DRM_IOCTL_VMW_MKSSTAT_ADD", 0xc0386462},
		{"SNDRV_CTL_IOCTL_ELEM_INFO", 0xc1105511},
		{"SNDRV_SEQ_IOCTL_GET_CLIENT_INFO", 0xc0bc5310},
		{"SNDRV_SEQ_IOCTL_QUERY_NEXT_CLIENT", 0xc0bc5351},
		{"AUTOFS_DEV_IOCTL_SETPIPEFD", 0xc0189377},
		{"AUTOFS_DEV_IOCTL_CATATONIC", 0xc0189379},
		{"USBDEVFS_DISCSIGNAL", 0x8010550e},
		{"KDSIGACCEPT", 0x4b4e},
		{"VT_SETMODE", 0x5602},
		{"EVIOCGRAB", 0x40044590},
	};
	unsigned char buf[512];

	for (size_t i = 0; i < COUNT(all); i++) {
		memset(buf, 1, sizeof(buf));
		say("%s: %s %s %s %s", what, all[i].name, rc(SC(SYS_ioctl, fd, all[i].request, buf)),
		    rc(SC(SYS_ioctl, fd, HIGH(all[i].request), WILD)),
		    rc(SC(SYS_ioctl, fd, all[i].request, NULL)));
	}
}

static void machine(void)
{
	struct sysinfo si;
	struct tms tms;
	struct rusage ru;
	char c;
	long r = SC(SYS_sysinfo, &si);

	say("sysinfo %s, tasks of the machine: %d, bad %s", rc(r), si.procs > 1,
	    rc(SC(SYS_sysinfo, WILD)));
	say("times %d, bad %s", SC(SYS_times, &tms) >= 0, rc(SC(SYS_times, WILD)));
	for (int who = -3; who < 3; who++)
		say("getrusage %d %s", who, rc(SC(SYS_getrusage, HIGH((uint32_t)who), &ru)));
	r = SC(SYS_syslog, 10, NULL, 0);
	say("syslog size %s, read %s, bad %s", r > 0 ? "some" : rc(r), rc(SC(SYS_syslog, 3, &c, 0)),
	    rc(SC(SYS_syslog, 99, NULL, 0)));
	say("vhangup %s", rc(SC(SYS_vhangup)));
}

static void restricts(void)
{
	SC(SYS_prctl, 38, 1, 0, 0, 0);
	say("  %s, flags %s", rc(SC(446, -1, 0)), rc(SC(446, -1, 0xf0000000)));
}

static void checked(void)
{
	uint64_t word = 0, attr[3] = {0};
	long *address = NULL;

	say("getrandom %s", rc(SC(318, &word, 8, 0)));
	say("membarrier %d", SC(324, 0, 0, 0) >= 0);
	say("landlock %s %s", rc(SC(444, attr, 0, 0)), rc(SC(445, -1, 1, attr, 0)));
	say("  without no_new_privs %s, flags %s", rc(SC(446, -1, 0)), rc(SC(446, -1, 0xf0000000)));
	in_child("  with it", restricts);
	say("keyctl %s", rc(SC(SYS_keyctl, 99, 0, 0, 0, 0)));
	say("quotactl %s", rc(SC(SYS_quotactl, 0, NULL, 0, NULL)));
	say("futex2 %s %s %s %s", rc(SC(454, &word, 1, 1, 2)), rc(SC(455, &word, 1, 1, 2, NULL, 99)),
	    rc(SC(456, NULL, 0, 0, 0)), rc(SC(449, NULL, 0, 0, NULL, 0)));
	say("rseq %s, shadow stack %s", rc(SC(334, NULL, 32, 0, 0)), rc(SC(453, 0, 0, 0)));
	say("tid address %s", rc(SC(SYS_prctl, 40, &address, 0, 0, 0)));
	say("perf events %s %s", rc(SC(SYS_prctl, 31, 0, 0, 0, 0)), rc(SC(SYS_prctl, 32, 0, 0, 0, 0)));
	say("mm %s", rc(SC(SYS_prctl, 35, 99, 0, 0, 0)));
	say("core scheduling %s %s", rc(SC(SYS_prctl, 62, 0, 999, 0, &word)),
	    rc(SC(SYS_prctl, 62, 0, 0, 9, &word)));
}

int main(void)
{
	struct gate g = gate_new();
	int null = open("/dev/null", O_RDWR);
	long self = SC(SYS_pidfd_open, getpid(), 0), again = SC(SYS_pidfd_open, getpid(), 0);
	struct stat a, b;
	int version = 0;

	machine();
	checked();
	requests("pipe", g.r);
	requests("null", null);
	requests("closed", 999);
	requests("pidfd", (int)self);
	say("generation of a pidfd %s", rc(SC(SYS_ioctl, self, 0x80087601, &version)));
	say("inode %s", fstat((int)self, &a) || fstat((int)again, &b)  ? err(errno)
			: a.st_ino == b.st_ino && a.st_dev == b.st_dev ? "the same"
								       : "another");
	return 0;
}
