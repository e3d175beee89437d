/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preparations in the process that becomes the front. They are made here, not in the supervisor, so
 * that the front has the segment mapped as well: when the supervisor is killed and there is no signal
 * scope, the front needs the registry to end the tree.
 */
#include "supervisor/boot.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/fmt.h"
#include "core/pid.h"
#include "supervisor/blob.h"
#include "supervisor/probe.h"
#include "supervisor/procs.h"
#include "supervisor/segment.h"
#include "supervisor/tty.h"
#include "supervisor/util.h"

#define OWN_FDS 64
#define ROOT_LAYERS 3	 /* Landlock: the front's, the supervisor's, the namespace's own */
#define HIDDEN_FD 1000	 /* up to 1023 a descriptor costs nothing visible at fork */
#define HIDDEN_SEARCH 64 /* numbers looked at when the caller uses the one we would take */

/* Standard descriptors that the caller closed must not be ours by accident. */
static void fill_standard_fds(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			sv_fd_blank(fd);
}

static int make_segment(struct sv_boot *b, struct sv_fail *fail)
{
	int r = sv_segment_create(&b->segment_fd, &b->seg,
				  b->job->pid_max ? b->job->pid_max : SP_PID_MAX_DEFAULT);

	if (r < 0)
		return sv_failed(fail, r,
				 r == -EFBIG ? "cannot prepare shared memory (ulimit -f)"
					     : "cannot create shared memory");
	if (b->job->first_pid >= b->seg->seq_end)
		return sv_failed(fail, -EINVAL, "the first number %d", b->job->first_pid);
	b->seg->pids_limit = b->job->pids_limit;
	return 0;
}

static bool fds_free(rlim_t first, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (fcntl((int)(first + i), F_GETFD) >= 0)
			return false;
	return true;
}

/*
 * The first of n neighbouring numbers for hidden descriptors: above the program's soft limit where the
 * hard limit leaves room, so that the program's own descriptors never meet them; otherwise as high
 * as possible.
 */
static int hidden_numbers(const struct rlimit *nofile, unsigned int n)
{
	rlim_t hard = nofile->rlim_max, want = nofile->rlim_cur;

	if (want > HIDDEN_FD)
		want = HIDDEN_FD;
	if (hard < 3 + n)
		return -EMFILE;
	if (want + n > hard)
		want = hard - n;
	for (rlim_t fd = want; fd + n <= hard && fd < want + HIDDEN_SEARCH; fd++)
		if (fds_free(fd, n))
			return (int)fd;
	for (rlim_t fd = want; fd >= 3; fd--)
		if (fds_free(fd, n))
			return (int)fd;
	return -EMFILE;
}

static void random_name(struct sp_segment *seg)
{
	uint64_t random[2] = {0, 0};
	struct sp_text t;

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
		random[0] = (uint64_t)sv_now_msec();
		random[1] = (uint64_t)getpid();
	}
	sp_text_init(&t, seg->sock_name, sizeof(seg->sock_name));
	sp_text_str(&t, "subpid-");
	sp_text_hex(&t, random[0]);
	sp_text_hex(&t, random[1]);
	seg->sock_len = (uint32_t)t.len;
}

/* Asked once, here; inside nothing depends on the environment. */
static uint32_t patching(void)
{
	const char *s = getenv("SUBPID_PATCH");

	if (s && strcmp(s, "on") == 0)
		return SP_SEG_PATCH;
	return s && strcmp(s, "eager") == 0 ? SP_SEG_PATCH | SP_SEG_PATCH_EAGER : 0;
}

/* The header's part that exec hands on from image to image. */
static int fill_header(struct sv_boot *b, const struct sv_features *f, struct sv_fail *fail)
{
	struct sp_segment *seg = b->seg;
	struct stat st;
	uint32_t flags = 0;
	int fd = hidden_numbers(&b->nofile, 2);

	if (fd < 0)
		return sv_failed(fail, fd, "no room for two hidden descriptors (ulimit -n)");
	seg->segment_fd = fd;
	seg->resident_fd = fd + 1;
	if (fstat(b->segment_fd, &st) < 0)
		return sv_failed(fail, sv_errno(), "cannot look at the shared memory");
	seg->segment_ino = st.st_ino;
	seg->segment_dev = st.st_dev;
	if (fstat(b->resident_fd, &st) < 0)
		return sv_failed(fail, sv_errno(), "cannot look at the resident");
	seg->resident_ino = st.st_ino;
	seg->resident_dev = st.st_dev;
	if (stat("/proc/self/ns/pid", &st) == 0) {
		seg->pidns_ino = seg->ns_ino = st.st_ino;
		seg->pidns_dev = st.st_dev;
	}
	if (!f->proc)
		flags |= SP_SEG_NOPROC;
	flags |= patching();
	if (f->pidfs)
		flags |= SP_SEG_PIDFS;
	if (b->job->strict)
		flags |= SP_SEG_STRICT;
	if (b->foreground)
		flags |= SP_SEG_FOREGROUND;
	atomic_store(&seg->flags, flags);
	seg->layers = ROOT_LAYERS;
	random_name(seg);
	return 0;
}

/* Writing, or the death of the one who may write, continues a front that is stopped. */
static int make_wake(struct sv_boot *b)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC | O_NONBLOCK) < 0)
		return sv_errno();
	b->wake_r = p[0];
	b->wake_w = p[1];
	if (fcntl(b->wake_r, F_SETOWN, getpid()) < 0 || fcntl(b->wake_r, F_SETSIG, SIGCONT) < 0 ||
	    fcntl(b->wake_r, F_SETFL, O_NONBLOCK | O_ASYNC) < 0)
		return sv_errno();
	return 0;
}

static int make_links(struct sv_boot *b, struct sv_fail *fail)
{
	int p[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, p) < 0)
		return sv_failed(fail, sv_errno(), "cannot create a socket");
	b->ctl_front = p[0];
	b->ctl_super = p[1];
	r = make_wake(b);
	if (r < 0)
		return sv_failed(fail, r, "cannot create a pipe");
	b->shared = mmap(NULL, sizeof(*b->shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (b->shared == MAP_FAILED)
		return sv_failed(fail, sv_errno(), "cannot get memory");
	return 0;
}

/*
 * Our own needs are small and fixed; the program gets what its caller set. Above the hard limit only
 * root can go, and does so only as far as needed.
 */
static int raise_limit(int which, rlim_t need, struct rlimit *ret_old)
{
	struct rlimit raised;

	if (getrlimit((__rlimit_resource_t)which, ret_old) < 0)
		return sv_errno();
	raised = *ret_old;
	if (raised.rlim_max < need)
		raised.rlim_max = need;
	raised.rlim_cur = raised.rlim_max;
	if (setrlimit((__rlimit_resource_t)which, &raised) == 0)
		return 0;
	raised.rlim_cur = raised.rlim_max = ret_old->rlim_max;
	setrlimit((__rlimit_resource_t)which, &raised);
	return 0;
}

static int make_links_inside(struct sv_boot *b, struct sv_fail *fail)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC | O_NONBLOCK) < 0)
		return sv_failed(fail, sv_errno(), "cannot create a pipe");
	b->link_r = p[0];
	b->link_w = p[1];
	return make_links(b, fail);
}

static int make_record(struct sv_boot *b, struct sv_fail *fail)
{
	const struct sv_listing *listing = b->job->listing;
	int r;

	/* Being found takes descriptors. Where there are few, what needs no name does without. */
	if (!listing || (!listing->required && b->nofile.rlim_max < OWN_FDS))
		return 0;
	r = sv_record_create(&b->record, b->job, b->inside, fail);
	if (r == 0 && listing->detached)
		r = sv_record_log(&b->record, fail);
	fail->wish = r < 0;
	/* Where nothing can be written down, what needs no name runs all the same. */
	return listing->required ? r : 0;
}

int sv_boot(struct sv_boot *b, const struct sv_job *job, struct sv_fail *fail)
{
	struct sv_features features;
	int r;

	memset(b, 0, sizeof(*b));
	b->job = job;
	b->record = SV_RECORD_NONE;
	b->front = sp_hpid_of(getpid());
	sv_signals_take(&b->caller);
	b->no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) > 0;
	fill_standard_fds();
	if (raise_limit(RLIMIT_NOFILE, OWN_FDS, &b->nofile) < 0 ||
	    raise_limit(RLIMIT_FSIZE, SP_SEGMENT_SIZE, &b->fsize) < 0)
		return sv_failed(fail, sv_errno(), "cannot read the limits of resources");
	sv_strangers_record(&b->strangers);
	r = sv_probe(&features, fail);
	if (r < 0)
		return r;
	b->inside = features.inside;
	b->foreground = sv_tty_controls();
	if (b->inside && (job->pid_max || job->first_pid || job->pids_limit || job->strict))
		return sv_failed(
			fail, 0,
			"--pid-max, --first-pid, --pids-limit and --strict are not to be had "
			"inside a namespace in this version");
	if (b->inside) {
		r = make_links_inside(b, fail);
		return r < 0 ? r : make_record(b, fail);
	}
	b->resident_fd = sv_resident_open(fail);
	if (b->resident_fd < 0)
		return b->resident_fd;
	r = make_segment(b, fail);
	if (r == 0)
		r = make_links(b, fail);
	if (r == 0)
		r = fill_header(b, &features, fail);
	return r < 0 ? r : make_record(b, fail);
}
