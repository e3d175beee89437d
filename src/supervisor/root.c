/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding and checking the state directory; see root.h. /tmp is everybody's: what lies there under our
 * name may have been put there by somebody else, so nothing is used before its owner and its
 * permissions are known by descriptor.
 */
#include "supervisor/root.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "supervisor/util.h"
#include "supervisor/wire.h"

const char *sv_name_wrong(const char *name)
{
	bool digits = true;

	if (!*name)
		return "a name cannot be empty";
	if (strlen(name) > SV_NAME_MAX)
		return "a name has at most 128 characters";
	for (const char *c = name; *c; c++) {
		bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z');
		bool digit = *c >= '0' && *c <= '9';

		digits &= digit;
		if (!letter && !digit && (c == name || !strchr("_.-", *c)))
			return "a name consists of letters, digits, '_', '.' and '-', and begins "
			       "with a letter or digit";
	}
	/* `kill NAME PID` could not be understood. */
	return digits ? "a name cannot consist of digits only" : NULL;
}

static bool usable_runtime_dir(const char *path)
{
	struct stat st;

	return path[0] == '/' && stat(path, &st) == 0 && S_ISDIR(st.st_mode) &&
	       st.st_uid == geteuid() && faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) == 0;
}

static void choose(struct sv_root *r, const char *given)
{
	const char *env = getenv("SUBPID_ROOT"), *xdg = getenv("XDG_RUNTIME_DIR");

	r->passed_over[0] = '\0';
	if (!given && env && *env)
		given = env;
	if (given) {
		snprintf(r->path, sizeof(r->path), "%s", given);
		return;
	}
	if (xdg && *xdg) {
		if (usable_runtime_dir(xdg)) {
			snprintf(r->path, sizeof(r->path), "%s/subpid", xdg);
			return;
		}
		snprintf(r->passed_over, sizeof(r->passed_over), "%s", xdg);
	}
	snprintf(r->path, sizeof(r->path), "/tmp/subpid-%u", geteuid());
}

static int check(const struct sv_root *r, struct sv_fail *fail)
{
	struct stat st;

	if (fstat(r->fd, &st) < 0)
		return sv_failed(fail, sv_errno(), "%.100s", r->path);
	if (st.st_uid != geteuid())
		return sv_failed(
			fail,
			0, "%.100s: belongs to another user (%u); choose another directory with --root",
			r->path, st.st_uid);
	if (st.st_mode & 077)
		return sv_failed(fail, 0, "%.100s: is open to other users; chmod 700 it", r->path);
	return 0;
}

int sv_root_open(struct sv_root *r, const char *given, bool create, struct sv_fail *fail)
{
	int err;

	choose(r, given);
	r->fd = -1;
	if (strlen(r->path) > PATH_MAX - 2 * SV_NAME_MAX)
		return sv_failed(fail, -ENAMETOOLONG, "%.60s...", r->path);
	if (create && mkdir(r->path, 0700) == 0) {
		/* Whatever the umask says. */
		if (chmod(r->path, 0700) < 0)
			return sv_failed(fail, sv_errno(), "%.100s", r->path);
	} else if (create && errno != EEXIST) {
		return sv_failed(fail, sv_errno(), "cannot create the directory %.100s", r->path);
	}
	r->fd = open(r->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (r->fd < 0 && errno == ENOENT && !create)
		return 0;
	if (r->fd < 0) {
		err = sv_errno();
		if (err == -ELOOP || err == -ENOTDIR)
			return sv_failed(fail, 0, "%.100s: is not a directory but a link or a file",
					 r->path);
		return sv_failed(fail, err, "%.100s", r->path);
	}
	err = check(r, fail);
	if (err < 0)
		sv_fd_done(&r->fd);
	return err;
}
