/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Doing something to a container: signal, wait, rename, remove.
 */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "lib/internal.h"
#include "supervisor/util.h"

#define END_POLL_MSEC 5

static int ask_simply(subpid *s, const char *name, enum sv_op op, int x, int y, const char *text)
{
	lib_auto_box b = LIB_BOX_NONE;
	int r = lib_box_open(s, name, &b);

	if (r < 0)
		return r;
	r = lib_ask(&b, op, x, y, text, NULL, NULL, 0, NULL);
	if (r == -ECONNREFUSED)
		return lib_failed(s, 0, "container '%s' has ended", name), -ECONNREFUSED;
	if (r == -ETIMEDOUT)
		return lib_failed(s, 0, "container '%s' does not answer", name), -ETIMEDOUT;
	return r;
}

int subpid_signal(subpid *s, const char *name, int pid, int sig)
{
	int r = ask_simply(s, name, SV_OP_SIGNAL, pid, sig, NULL);

	if (r == -ESRCH)
		return lib_failed(s, 0, "no process %d in container '%s'", pid, name), -ESRCH;
	if (r == -EINVAL)
		return lib_failed(s, 0, "there is no signal %d", sig), -EINVAL;
	if (r < 0 && r != -ECONNREFUSED && r != -ETIMEDOUT && r != -ENOENT && r != -EPERM)
		return lib_failed(s, r, "%s", name);
	return r;
}

static int to_status(int code, int sig)
{
	return sig ? sig & 0x7f : (code & 0xff) << 8;
}

/* Nobody to ask: the record, once nobody holds it any more. */
static int status_of_record(subpid *s, const struct lib_box *b, long long until, int *status)
{
	struct sv_state state;
	int r;

	for (;;) {
		r = sv_state_read(b->dir, &state);
		sv_state_free(&state);
		if ((r == 0 && state.ended_msec) || sv_record_held(b->dir) != 1)
			break;
		if (until >= 0 && sv_now_msec() >= until)
			return -ETIMEDOUT;
		poll(NULL, 0, END_POLL_MSEC);
	}
	r = sv_state_read(b->dir, &state);
	sv_state_free(&state);
	if (r == -ENOENT)
		return lib_failed(s, 0, "container '%s' has ended and left no record", b->name),
		       -ENOENT;
	/* Its supervisor and its front were killed, and all of it with them. */
	if (r < 0 || !state.ended_msec) {
		if (status)
			*status = to_status(0, 9);
		return 0;
	}
	if (status)
		*status = to_status(state.code, state.sig);
	return 0;
}

int subpid_wait(subpid *s, const char *name, int64_t msec, int *status)
{
	long long until = msec < 0 ? -1 : sv_now_msec() + msec;
	struct sv_ask ask = {.magic = SV_WIRE_MAGIC, .op = SV_OP_WAIT};
	lib_auto_box b = LIB_BOX_NONE;
	struct sv_reply answer;
	struct pollfd p;
	int r = lib_box_open(s, name, &b);

	if (r < 0)
		return r;
	p = (struct pollfd){.fd = b.ctl, .events = POLLIN};
	if (b.ctl < 0 || send(b.ctl, &ask, sizeof(ask), MSG_NOSIGNAL) < 0)
		return status_of_record(s, &b, until, status);
	do {
		long long left = until < 0 ? -1 : until - sv_now_msec();

		if (until >= 0 && left < 0)
			left = 0;
		r = poll(&p, 1, left > INT_MAX ? INT_MAX : (int)left);
		if (r < 0 && errno == EINTR)
			return -EINTR;
	} while (r < 0 || (r == 0 && (until < 0 || sv_now_msec() < until)));
	if (r == 0)
		return -ETIMEDOUT;
	if (recv(b.ctl, &answer, sizeof(answer), 0) != sizeof(answer) || answer.status < 0)
		return status_of_record(s, &b, until, status);
	if (status)
		*status = to_status(answer.a, answer.b);
	return 0;
}

int subpid_rename(subpid *s, const char *name, const char *new_name)
{
	const char *wrong = sv_name_wrong(new_name);
	int r;

	if (wrong)
		return lib_failed(s, 0, "'%.40s%s': %s", new_name,
				  strlen(new_name) > 40 ? "..." : "", wrong),
		       -EINVAL;
	r = ask_simply(s, name, SV_OP_RENAME, 0, 0, new_name);
	if (r == -ECONNREFUSED) {
		lib_auto_box b = LIB_BOX_NONE;
		struct sv_record rec = {.root = s->root.fd, .dir = -1, .lock = -1, .ctl = -1};

		r = lib_box_open(s, name, &b);
		if (r < 0)
			return r;
		memcpy(rec.name, b.name, sizeof(rec.name));
		r = sv_record_rename(&rec, new_name);
	}
	if (r == -EEXIST || r == -ENOTDIR)
		return lib_failed(s, 0, "the name '%s' is taken", new_name), -EEXIST;
	if (r < 0 && r != -ENOENT && r != -EPERM && r != -ETIMEDOUT)
		return lib_failed(s, r, "cannot rename '%s'", name);
	return r;
}

int subpid_log(subpid *s, const char *name)
{
	lib_auto_box b = LIB_BOX_NONE;
	int fd, r = lib_box_open(s, name, &b);

	if (r < 0)
		return r;
	fd = openat(b.dir, "log", O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return lib_failed(s, 0, "container '%s' has no log: it was not started with run -d",
				  name),
		       -ENOENT;
	return fd < 0 ? lib_failed(s, sv_errno(), "the log of '%s'", name) : fd;
}

/* Ended, as far as anybody can tell: by its record, or because nobody holds its lock. */
static bool is_over(const struct lib_box *b)
{
	struct sv_state state;
	bool over = sv_state_read(b->dir, &state) == 0 && state.ended_msec;

	sv_state_free(&state);
	return over || sv_record_held(b->dir) == 0;
}

int subpid_remove(subpid *s, const char *name)
{
	lib_auto_box b = LIB_BOX_NONE;
	int r = lib_box_open(s, name, &b);

	if (r < 0)
		return r;
	if (!is_over(&b))
		return lib_failed(s, 0, "container '%s' is running; see subpid stop, or rm -f", name),
		       -EBUSY;
	r = sv_record_remove(s->root.fd, name, b.dir);
	if (r == -ENOENT)
		return lib_failed(s, 0, "no container '%s'", name), -ENOENT;
	return r < 0 ? lib_failed(s, r, "cannot remove '%s'", name) : 0;
}
