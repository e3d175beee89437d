/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's directory: made, renamed and removed in single steps; see record.h.
 */
#include "supervisor/record.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#include "base/mem.h"
#include "supervisor/state.h"
#include "supervisor/util.h"

#define BACKLOG 128
#define MADE_UP 20 /* letters of a program's name in a name that is made up */
#define TRIES 16
#define FRESH_SECONDS 60 /* a hidden directory may be somebody's in the making */

static const char *const files_of[] = {"ctl", "state", "state.new", "log", "lock"};

static void random_id(char ret[SV_ID_LEN + 1])
{
	uint64_t random[2] = {0, 0};

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
		random[0] = (uint64_t)sv_now_msec() << 22 ^ (uint64_t)getpid();
		random[1] = (uint64_t)(uintptr_t)ret;
	}
	snprintf(ret, SV_ID_LEN + 1, "%016" PRIx64 "%016" PRIx64, random[0], random[1]);
}

static int64_t wall_msec(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * (int64_t)1000 + t.tv_nsec / 1000000;
}

int sv_ctl_path(char ret[SV_CTL_PATH], int dir, const char *path_of_dir)
{
	if (snprintf(ret, SV_CTL_PATH, "%s/ctl", path_of_dir) < SV_CTL_PATH)
		return 0;
	/* Longer than a socket's address may be. */
	snprintf(ret, SV_CTL_PATH, "/proc/self/fd/%d/ctl", dir);
	return access("/proc/self/fd", X_OK) < 0 ? -ENAMETOOLONG : 0;
}

static int make_lock(struct sv_record *r)
{
	r->lock = openat(r->dir, "lock", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (r->lock < 0 || fchmod(r->lock, 0600) < 0 || flock(r->lock, LOCK_EX | LOCK_NB) < 0)
		return sv_errno();
	return 0;
}

static int make_socket(struct sv_record *r, const char *path_of_dir)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int err = sv_ctl_path(addr.sun_path, r->dir, path_of_dir);

	if (err < 0)
		return err;
	r->ctl = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (r->ctl < 0 || bind(r->ctl, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    fchmodat(r->dir, "ctl", 0600, 0) < 0 || listen(r->ctl, BACKLOG) < 0)
		return sv_errno();
	return 0;
}

static char **copy_words(char *const *words)
{
	size_t n = 0;
	char **copy;

	while (words[n])
		n++;
	copy = calloc(n + 1, sizeof(*copy));
	for (size_t i = 0; copy && i < n; i++) {
		copy[i] = strdup(words[i]);
		if (!copy[i])
			return NULL;
	}
	return copy;
}

static void remove_files(int dir)
{
	for (size_t i = 0; i < sizeof(files_of) / sizeof(files_of[0]); i++)
		unlinkat(dir, files_of[i], 0);
}

/* The complete directory under a hidden name. */
static int make_hidden(struct sv_record *r, const struct sv_root *root, char hidden[64])
{
	char path[PATH_MAX];
	int err;

	snprintf(hidden, 64, ".new-%s", r->state.id);
	snprintf(path, sizeof(path), "%.*s/%s", PATH_MAX - 80, root->path, hidden);
	if (mkdirat(root->fd, hidden, 0700) < 0)
		return sv_errno();
	r->dir = openat(root->fd, hidden, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (r->dir < 0 || fchmod(r->dir, 0700) < 0)
		return sv_errno();
	err = make_lock(r);
	if (err == 0)
		err = make_socket(r, path);
	if (err == 0)
		err = sv_state_write(r->dir, &r->state);
	return err;
}

/* "bash-3f2a": what it runs, and something that tells it from the others. */
static void make_up_name(char *ret, const char *program, const char *random)
{
	const char *slash = strrchr(program, '/');
	size_t n = 0;

	for (const char *c = slash ? slash + 1 : program; *c && n < MADE_UP; c++)
		if (isascii(*c) && (isalnum(*c) || (n && strchr("_.-", *c))))
			ret[n++] = *c;
	snprintf(ret + n, SV_NAME_MAX + 1 - n, "%s%.4s", n ? "-" : "c", random);
}

static int taken(const struct sv_root *root, const char *name, struct sv_fail *fail)
{
	sv_auto_fd dir = sv_record_open(root->fd, name);
	struct sv_state s;
	bool over;

	if (dir < 0)
		return sv_failed(fail, 0, "the name '%.40s' is taken by something else in %.80s",
				 name, root->path);
	over = sv_state_read(dir, &s) == 0 && s.ended_msec;
	sv_state_free(&s);
	if (over || sv_record_held(dir) == 0)
		return sv_failed(
			fail, 0,
			"the name '%.40s' is taken by a container that has ended; see subpid rm",
			name);
	return sv_failed(fail, 0, "the name '%.40s' is taken by a container that is running", name);
}

/* A record that nobody wanted to be kept, of a supervisor that was killed, is in nobody's way. */
static void forget_dead(int root, const char *name)
{
	sv_auto_fd dir = sv_record_open(root, name);
	struct sv_state s;
	bool keep;

	if (dir < 0 || sv_record_held(dir) != 0)
		return;
	keep = sv_state_read(dir, &s) < 0 || s.keep;
	sv_state_free(&s);
	if (!keep && sv_record_remove(root, name, dir) < 0)
		return;
}

/* Over an existing directory that is not empty, rename(2) fails: a name is given once. */
static int publish(struct sv_record *r, const struct sv_root *root, const char *hidden,
		   const struct sv_listing *want, struct sv_fail *fail)
{
	char random[SV_ID_LEN + 1];
	int err = -EEXIST;

	snprintf(random, sizeof(random), "%s", r->state.id);
	for (int i = 0; i < TRIES; i++) {
		if (want->name)
			snprintf(r->name, sizeof(r->name), "%s", want->name);
		else
			make_up_name(r->name, r->state.command[0], random);
		if (renameat(root->fd, hidden, root->fd, r->name) == 0)
			return 0;
		err = sv_errno();
		if (err != -EEXIST && err != -ENOTEMPTY && err != -ENOTDIR)
			break;
		if (want->name && i)
			return taken(root, r->name, fail);
		forget_dead(root->fd, r->name);
		random_id(random);
	}
	return sv_failed(fail, err, "cannot create a container in %.100s", root->path);
}

/* The container that this process is in: the one in which its number is what it says. */
static void find_parent(const struct sv_root *root, char ret[SV_ID_LEN + 1])
{
	int copy = openat(root->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), peer;
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	char path[PATH_MAX];
	struct sv_info info;
	struct dirent *e;

	while (d && !ret[0] && (e = readdir(d))) {
		sv_auto_fd dir = sv_name_wrong(e->d_name) ? -1 : sv_record_open(root->fd, e->d_name);

		snprintf(path, sizeof(path), "%.*s/%.*s", PATH_MAX - SV_NAME_MAX - 2, root->path,
			 SV_NAME_MAX, e->d_name);
		if (dir >= 0 && sv_info_ask(dir, path, &info, &peer) == 0 && info.peer == getpid())
			snprintf(ret, SV_ID_LEN + 1, "%.*s", SV_ID_LEN, info.id);
	}
	if (d)
		closedir(d);
}

int sv_record_create(struct sv_record *r, const struct sv_job *job, bool inside, struct sv_fail *fail)
{
	const struct sv_listing *want = job->listing;
	const char *wrong = want->name ? sv_name_wrong(want->name) : NULL;
	struct sv_root root;
	char hidden[64];
	int err;

	*r = SV_RECORD_NONE;
	if (wrong)
		return sv_failed(fail, 0, "'%.40s%s': %s", want->name,
				 strlen(want->name) > 40 ? "..." : "", wrong);
	r->state = (struct sv_state){
		.created_msec = wall_msec(),
		.supervisor = getpid(),
		.stop_signal = job->stop_signal,
		.stop_timeout_msec = job->stop_patience_msec,
		.keep = want->keep,
		.detached = want->detached,
		.command = copy_words(want->command),
	};
	if (!r->state.command)
		return sv_failed(fail, -ENOMEM, "cannot create a container");
	random_id(r->state.id);
	err = sv_root_open(&root, want->root, true, fail);
	if (err < 0)
		return err;
	r->root = root.fd;
	if (inside)
		find_parent(&root, r->state.parent);
	err = make_hidden(r, &root, hidden);
	if (err < 0)
		err = sv_failed(fail, err, "cannot create a container in %.100s", root.path);
	else
		err = publish(r, &root, hidden, want, fail);
	if (err < 0) {
		if (r->dir >= 0)
			remove_files(r->dir);
		unlinkat(root.fd, hidden, AT_REMOVEDIR);
		sv_record_close(r);
	}
	return err;
}

int sv_record_log(const struct sv_record *r, struct sv_fail *fail)
{
	sv_auto_fd log = openat(r->dir, "log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (log < 0 || fchmod(log, 0600) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
		return sv_failed(fail, sv_errno(), "cannot make a log");
	return 0;
}

void sv_record_close(struct sv_record *r)
{
	sv_fd_done(&r->ctl);
	sv_fd_done(&r->lock);
	sv_fd_done(&r->dir);
	sv_fd_done(&r->root);
}

void sv_record_end(struct sv_record *r, const struct sv_outcome *outcome, bool ran)
{
	int err;

	if (r->dir < 0)
		return;
	if (!ran || !r->state.keep) {
		err = sv_record_remove(r->root, r->name, r->dir);
	} else {
		r->state.ended_msec = wall_msec();
		r->state.code = outcome->code;
		r->state.sig = outcome->sig;
		err = sv_state_write(r->dir, &r->state);
	}
	(void)err; /* then it is found without an end, and nobody holds its lock */
}

int sv_record_rename(struct sv_record *r, const char *name)
{
	if (sv_name_wrong(name))
		return -EINVAL;
	if (strcmp(name, r->name) == 0)
		return 0;
	if (renameat(r->root, r->name, r->root, name) < 0)
		return errno == ENOTEMPTY ? -EEXIST : sv_errno();
	snprintf(r->name, sizeof(r->name), "%s", name);
	return 0;
}

int sv_record_open(int root, const char *name)
{
	struct stat st;
	int dir;

	if (root < 0)
		return -ENOENT;
	dir = openat(root, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return sv_errno();
	if (fstat(dir, &st) == 0 && st.st_uid == geteuid() && !(st.st_mode & 077))
		return dir;
	close(dir);
	return -EPERM;
}

int sv_record_held(int dir)
{
	sv_auto_fd lock = openat(dir, "lock", O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

	if (lock < 0)
		return errno == ENOENT ? 0 : sv_errno();
	/* Shared, so that two who ask do not take each other for the supervisor. */
	if (flock(lock, LOCK_SH | LOCK_NB) == 0)
		return 0;
	return errno == EWOULDBLOCK ? 1 : sv_errno();
}

int sv_record_remove(int root, const char *name, int dir)
{
	struct stat named, ours;
	char hidden[64], id[SV_ID_LEN + 1];

	if (fstatat(root, name, &named, AT_SYMLINK_NOFOLLOW) < 0 || fstat(dir, &ours) < 0)
		return sv_errno();
	if (named.st_ino != ours.st_ino || named.st_dev != ours.st_dev)
		return -ENOENT;
	random_id(id);
	snprintf(hidden, sizeof(hidden), ".gone-%s", id);
	if (renameat(root, name, root, hidden) < 0)
		return sv_errno();
	remove_files(dir);
	unlinkat(root, hidden, AT_REMOVEDIR);
	return 0;
}

/* What is new may be in the making, and then nobody may even try its lock. */
static bool abandoned(int dir, bool removed)
{
	struct stat st;

	if (!removed && (fstat(dir, &st) < 0 || time(NULL) - st.st_mtime <= FRESH_SECONDS))
		return false;
	return removed || sv_record_held(dir) == 0;
}

void sv_root_sweep(int root)
{
	int copy = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *e;

	if (!d) {
		sv_fd_done(&copy);
		return;
	}
	while ((e = readdir(d))) {
		bool removed = sp_has_prefix(e->d_name, ".gone-");

		if (!removed && !sp_has_prefix(e->d_name, ".new-"))
			continue;
		sv_auto_fd dir = sv_record_open(root, e->d_name);

		if (dir >= 0 && abandoned(dir, removed)) {
			remove_files(dir);
			unlinkat(root, e->d_name, AT_REMOVEDIR);
		}
	}
	closedir(d);
}
