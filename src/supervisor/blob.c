/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the resident is executed from. A file beside the program is best (shared page cache, and exec
 * of a memfd may be forbidden by vm.memfd_noexec), but only if it is byte for byte what this program
 * carries: versions never mix. Then a sealed memfd, then a temporary file without a name. Each
 * candidate is executed once: mount flags, modes and security modules refuse exec in ways that no
 * check of ours would foresee.
 */
#include "supervisor/blob.h"

#include <fcntl.h>
#include <linux/memfd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "base/ids.h"
#include "supervisor/fault.h"
#include "supervisor/util.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010u
#endif
#define PROBE_SECONDS 5

extern const char rs_blob_start[] __attribute__((visibility("hidden")));
extern const char rs_blob_end[] __attribute__((visibility("hidden")));

static size_t blob_size(void)
{
	return (size_t)(rs_blob_end - rs_blob_start);
}

/*
 * Executes fd with arguments that are no hand-over; the resident then ends at once. 0, the error of
 * exec, or -EADDRINUSE when the image was accepted and could not live (its addresses are taken).
 */
static int exec_probe(int fd)
{
	static volatile int failed;
	static char name[] = "subpid-probe";
	char *argv[] = {name, NULL}, *envp[] = {NULL};
	struct timespec limit = {.tv_sec = PROBE_SECONDS};
	siginfo_t si = {0};
	sigset_t chld;
	sp_hpid child;

	failed = 0;
	child = sp_hpid_of(vfork());
	if (child.n < 0)
		return sv_errno();
	if (child.n == 0) {
		/* What it may want to say about its arguments concerns nobody. */
		for (int i = 0; i < 3; i++)
			if (i != fd)
				close(i);
		syscall(SYS_execveat, fd, "", argv, envp, AT_EMPTY_PATH);
		failed = errno;
		_exit(127);
	}
	/* Every signal is blocked here, SIGCHLD is default: a wait with a limit. */
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	while (waitid(P_PID, (id_t)child.n, &si, WEXITED | WNOHANG) == 0 && si.si_pid == 0)
		if (sigtimedwait(&chld, NULL, &limit) < 0 && errno == EAGAIN) {
			kill(child.n, SIGKILL);
			waitid(P_PID, (id_t)child.n, &si, WEXITED);
			return -ETIME;
		}
	if (failed)
		return -failed;
	return si.si_code == CLD_EXITED ? 0 : -EADDRINUSE;
}

static bool same_as_blob(int fd)
{
	struct stat st;
	bool same;
	void *map;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (size_t)st.st_size != blob_size())
		return false;
	map = mmap(NULL, blob_size(), PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return false;
	same = memcmp(map, rs_blob_start, blob_size()) == 0;
	munmap(map, blob_size());
	return same;
}

/* The file beside the program, or where `make install` puts it. */
static int from_file(void)
{
	static const char *const places[] = {"subpid-resident",
					     "../libexec/subpid/subpid-resident"};
	char self[4096], path[4096 + 64];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (n <= 0 || sv_fault(SV_FAULT_NOFILE))
		return -ENOENT;
	self[n] = '\0';
	slash = strrchr(self, '/');
	if (!slash)
		return -ENOENT;
	slash[1] = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		sv_auto_fd fd = -1;

		snprintf(path, sizeof(path), "%s%s", self, places[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		if (fd >= 0 && same_as_blob(fd) && exec_probe(fd) == 0)
			return sv_fd_steal(&fd);
	}
	return -ENOENT;
}

static int write_blob(int fd)
{
	size_t done = 0;

	while (done < blob_size()) {
		ssize_t n = write(fd, rs_blob_start + done, blob_size() - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? sv_errno() : -EIO;
		done += (size_t)n;
	}
	return 0;
}

static int from_memfd(void)
{
	unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	sv_auto_fd fd = -1;
	int r;

	if (sv_fault(SV_FAULT_NOMEMFD))
		return -EACCES;
	fd = (int)syscall(SYS_memfd_create, "subpid-resident", flags | MFD_EXEC);
	if (fd < 0 && errno == EINVAL) /* Linux before 6.3 */
		fd = (int)syscall(SYS_memfd_create, "subpid-resident", flags);
	if (fd < 0)
		return sv_errno();
	r = write_blob(fd);
	if (r < 0)
		return r;
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return sv_errno();
	r = exec_probe(fd);
	return r < 0 ? r : sv_fd_steal(&fd);
}

/* A file in dir that has lost its name before it has content. */
static int from_temporary(const char *dir)
{
	char path[4096];
	sv_auto_fd out = -1;
	sv_auto_fd in = -1;
	struct stat a, b;
	uint64_t random;
	int r;

	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -EIO;
	if (snprintf(path, sizeof(path), "%s/.subpid-%016llx", dir, (unsigned long long)random) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	out = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0700);
	if (out < 0)
		return sv_errno();
	in = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	r = in < 0 ? sv_errno() : 0;
	unlink(path);
	if (r < 0)
		return r;
	if (fstat(out, &a) < 0 || fstat(in, &b) < 0 || a.st_ino != b.st_ino || a.st_dev != b.st_dev)
		return -ESTALE;
	r = write_blob(out);
	if (r == 0 && fchmod(out, 0500) < 0)
		r = sv_errno();
	/* Open for writing it could not be executed. */
	sv_fd_done(&out);
	if (r == 0)
		r = exec_probe(in);
	return r < 0 ? r : sv_fd_steal(&in);
}

int sv_resident_open_from(const char **ret_from, struct sv_fail *fail)
{
	const char *dirs[] = {getenv("XDG_RUNTIME_DIR"), "/tmp", "/dev/shm", getenv("HOME")};
	int fd = from_file(), memfd, r = -ENOENT;

	*ret_from = "its file beside subpid";
	if (fd >= 0)
		return fd;
	memfd = from_memfd();
	*ret_from = "memory (memfd)";
	if (memfd >= 0)
		return memfd;
	*ret_from = "a temporary file";
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		if (!dirs[i] || dirs[i][0] != '/' || sv_fault(SV_FAULT_NOTEMP))
			continue;
		fd = from_temporary(dirs[i]);
		if (fd >= 0)
			return fd;
		r = fd;
	}
	if (memfd == -EADDRINUSE || r == -EADDRINUSE)
		return sv_failed(fail, 0,
				 "the resident cannot be loaded: its addresses are taken, or the "
				 "limit of address space is too low");
	return sv_failed(fail, memfd,
			 "nothing can be executed here: no subpid-resident beside subpid, no "
			 "memfd, no temporary file (last: %s); memfd",
			 strerror(-r));
}

int sv_resident_open(struct sv_fail *fail)
{
	const char *from;

	return sv_resident_open_from(&from, fail);
}
