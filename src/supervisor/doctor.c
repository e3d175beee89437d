/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The findings of doctor.h. What would change this process is tried in a child, which answers with its exit
 * status: 0, or the errno.
 */
#include "supervisor/doctor.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/map.h"
#include "supervisor/blob.h"
#include "supervisor/landlock.h"
#include "supervisor/probe.h"
#include "supervisor/procs.h"
#include "supervisor/signals.h"
#include "supervisor/util.h"

#ifndef PR_SET_MM_MAP_SIZE
#define PR_SET_MM_MAP_SIZE 15
#endif

struct report {
	struct sv_finding *to;
	size_t n;
};

static void __attribute__((format(printf, 5, 6)))
found(struct report *r, const char *name, enum sv_health health, const char *fix, const char *fmt, ...)
{
	struct sv_finding *f = &r->to[r->n];
	va_list ap;

	if (r->n == SV_FINDINGS_MAX)
		return;
	r->n++;
	f->name = name;
	f->health = health;
	f->fix = fix;
	va_start(ap, fmt);
	vsnprintf(f->meaning, sizeof(f->meaning), fmt, ap);
	va_end(ap);
}

/* The child's exit status; EINTR when it was killed, which only a filter does. */
static int in_child(int (*try)(void))
{
	siginfo_t si;
	sp_hpid pid = sp_hpid_of(fork());

	if (pid.n < 0)
		return errno;
	if (pid.n == 0)
		_exit(try());
	while (waitid(P_PID, (id_t)pid.n, &si, WEXITED) < 0)
		if (errno != EINTR)
			return errno;
	return si.si_code == CLD_EXITED ? si.si_status : EINTR;
}

static int try_no_new_privs(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? errno : 0;
}

static int try_subreaper(void)
{
	return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 ? errno : 0;
}

static int try_mm_map(void)
{
	unsigned int size = 0;

	return prctl(PR_SET_MM, PR_SET_MM_MAP_SIZE, &size, 0, 0) < 0 ? errno : 0;
}

/* What patching a program's text takes: write to a private page of it, then execute it again. */
static int try_patching(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	/* Of this function: a page of a file, mapped privately. */
	char *text = (char *)((uintptr_t)&try_patching & ~(page - 1)); /* NOLINT */
	char *copy = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (copy == MAP_FAILED)
		return errno;
	memcpy(copy, text, page);
	return mprotect(copy, page, PROT_READ | PROT_EXEC) < 0 ? errno : 0;
}

static void look_at_seccomp(struct report *r, struct sv_features *features)
{
	static const char fix[] = "allow seccomp(2) and prctl(PR_SET_SECCOMP), as Docker's and "
				  "Podman's default profiles do";
	struct sv_fail fail = {.text = ""};
	int err = sv_probe_seccomp(features, &fail);

	if (err < 0)
		found(r, "seccomp", SV_BAD, fix,
		      "%s; nothing else can send a program's calls to subpid", fail.text);
	else if (features->inside)
		found(r, "seccomp", SV_GOOD, NULL,
		      "this is inside a namespace of subpid, which has its filter");
	else
		found(r, "seccomp", SV_GOOD, NULL, "a program's calls can be sent to subpid");
}

static void look_at_privileges(struct report *r)
{
	int err = in_child(try_no_new_privs);

	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		found(r, "no_new_privs", SV_GOOD, NULL,
		      "is set already; set-user-ID programs have no effect here anyway");
	else if (err)
		found(r, "no_new_privs", SV_BAD, "allow prctl(PR_SET_NO_NEW_PRIVS)",
		      "cannot be set (%s), and without it no filter can be installed", strerror(err));
	else
		found(r, "no_new_privs", SV_GOOD, NULL,
		      "can be set; inside, set-user-ID programs run without their privileges");
}

static void look_at_addresses(struct report *r)
{
	struct sv_fail fail = {.text = ""};

	if (sv_probe_window(&fail) < 0)
		found(r, "addresses", SV_BAD,
		      "raise ulimit -v, or run subpid from an ordinary program", "%s", fail.text);
	else
		found(r, "addresses", SV_GOOD, NULL, "%#lx to %#lx are free for subpid's own use",
		      SP_SEGMENT_ADDR, SP_WINDOW_END);
}

static void look_at_memory(struct report *r)
{
	int fd = (int)syscall(SYS_memfd_create, "subpid", 0);

	if (fd < 0) {
		found(r, "memfd", SV_BAD, "allow memfd_create(2)",
		      "cannot be made (%s): there is no memory to share", strerror(errno));
		return;
	}
	close(fd);
	found(r, "memfd", SV_GOOD, NULL, "processes of a namespace can share its table");
}

static void look_at_resident(struct report *r)
{
	struct sv_fail fail = {.text = ""};
	const char *from;
	int fd = sv_resident_open_from(&from, &fail);

	if (fd < 0) {
		found(r, "resident", SV_BAD,
		      "install subpid-resident in ../libexec/subpid of subpid, on a file system "
		      "that is "
		      "not mounted noexec",
		      "%s", fail.text);
		return;
	}
	close(fd);
	found(r, "resident", SV_GOOD, NULL, "can be executed from %s", from);
}

static void look_at_pidfs(struct report *r, const struct sv_features *features)
{
	int fd = sv_pidfd(sp_hpid_of(getpid()));

	if (fd < 0) {
		found(r, "pidfs", SV_LESS, "allow pidfd_open(2), or Linux 5.3 or newer",
		      "there are no pidfds (%s); processes are told apart by when they started",
		      strerror(-fd));
		return;
	}
	close(fd);
	if (features->pidfs || features->inside)
		found(r, "pidfs", SV_GOOD, NULL,
		      "a recycled number is never taken for its predecessor");
	else
		found(r, "pidfs", SV_LESS, "Linux 6.9 or newer",
		      "pidfds have no identity; processes are told apart by when they started");
}

static void look_at_landlock(struct report *r)
{
	int abi = sv_scope_abi();

	if (abi >= SV_SCOPE_ABI)
		found(r, "landlock", SV_GOOD, NULL,
		      "ABI %d: hostile code cannot signal the outside, and an end is one step", abi);
	else if (abi > 0)
		found(r, "landlock", SV_LESS, "Linux 6.12 or newer",
		      "ABI %d has no signal scope: accidents are contained, hostile code is not; "
		      "an end "
		      "takes longer",
		      abi);
	else
		found(r, "landlock", SV_LESS,
		      "Linux 6.12 or newer with lsm=landlock,..., and a profile "
		      "that allows landlock_create_ruleset(2)",
		      "is not there (%s): accidents are contained, hostile code is not; an end "
		      "takes "
		      "longer",
		      strerror(-abi));
}

static void look_at_rest(struct report *r, const struct sv_features *features)
{
	int err = in_child(try_mm_map);

	if (err)
		found(r, "PR_SET_MM_MAP", SV_LESS,
		      "allow prctl(PR_SET_MM), in a kernel with CONFIG_CHECKPOINT_RESTORE", "is refused (%s): from outside, ps shows subpid's words in front of a program's",
		      strerror(err));
	else
		found(r, "PR_SET_MM_MAP", SV_GOOD, NULL, "ps shows programs' own command lines");
	err = in_child(try_subreaper);
	if (err)
		found(r, "subreaper", SV_BAD, "allow prctl(PR_SET_CHILD_SUBREAPER)",
		      "cannot be had (%s): orphans would escape", strerror(err));
	else
		found(r, "subreaper", SV_GOOD, NULL, "orphans stay below subpid, nothing escapes");
	err = in_child(try_patching);
	if (err)
		found(r, "patching", SV_LESS, "allow mprotect(2) to make written memory executable",
		      "is refused (%s): every call that carries a number costs a microsecond",
		      strerror(err));
	else
		found(r, "patching", SV_GOOD, NULL, "frequent calls can be made cheap");
	if (features->proc || (features->inside && sv_proc_usable()))
		found(r, "procfs", SV_GOOD, NULL,
		      "/proc is there and can be shown with a namespace's numbers");
	else
		found(r, "procfs", SV_LESS,
		      "mount procfs on /proc", "/proc is not there: ps and its like see nothing, and some look-ups are slower");
}

size_t sv_doctor(struct sv_finding ret[SV_FINDINGS_MAX])
{
	struct report r = {ret, 0};
	struct sv_features features = {0};
	/* Trials of the resident wait for SIGCHLD with a limit. */
	uint64_t mask = sv_sigmask(SIG_BLOCK, sv_sig_bit(SIGCHLD));
	void (*chld)(int) = signal(SIGCHLD, SIG_DFL);

	look_at_seccomp(&r, &features);
	look_at_privileges(&r);
	if (!features.inside) {
		look_at_addresses(&r);
		look_at_memory(&r);
		look_at_resident(&r);
	}
	features.proc = sv_probe_proc();
	look_at_pidfs(&r, &features);
	look_at_landlock(&r);
	look_at_rest(&r, &features);
	signal(SIGCHLD, chld);
	sv_sigmask(SIG_SETMASK, mask);
	return r.n;
}
