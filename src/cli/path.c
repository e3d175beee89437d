/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which file a command name means: the search of execvp(3), made before anything is started so that
 * 126 and 127 come with the reason and without a namespace.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cli/cli.h"

#define DEFAULT_PATH "/bin:/usr/bin" /* confstr(_CS_PATH) of the C libraries */

/* 0, or why the kernel would not execute it. *ret_seen: it is a regular file at least. */
static int executable(const char *path, const char **ret_why, bool *ret_seen)
{
	struct statvfs fs;
	struct stat st;

	*ret_why = NULL;
	*ret_seen = false;
	if (stat(path, &st) < 0)
		return errno;
	if (S_ISDIR(st.st_mode)) {
		*ret_why = "is a directory";
		return EACCES;
	}
	if (!S_ISREG(st.st_mode)) {
		*ret_why = "is not a regular file";
		return EACCES;
	}
	*ret_seen = true;
	if (access(path, X_OK) == 0)
		return 0;
	if (errno == EACCES && statvfs(path, &fs) == 0 && fs.f_flag & ST_NOEXEC)
		*ret_why = "is on a file system that is mounted noexec";
	else
		*ret_why = NULL;
	return EACCES;
}

static int search(const char *name, char **ret_path, const char **ret_why)
{
	const char *dir = getenv("PATH");
	bool denied = false, seen;

	for (dir = dir ? dir : DEFAULT_PATH;;) {
		size_t len = strcspn(dir, ":");
		size_t size = len + strlen(name) + 3;
		char *path = malloc(size);
		int err;

		if (!path)
			return ENOMEM;
		/* An empty element is the working directory. */
		snprintf(path, size, "%.*s%s%s", (int)len, dir, len ? "/" : "./", name);
		err = executable(path, ret_why, &seen);
		if (err == 0) {
			*ret_path = path;
			return 0;
		}
		free(path);
		/*
		 * Found but forbidden is remembered; a later directory may still have it. A directory
		 * that we may not search has not shown that the file exists.
		 */
		denied |= err == EACCES && seen;
		if (!dir[len])
			break;
		dir += len + 1;
	}
	*ret_why = denied ? NULL : "command not found";
	return denied ? EACCES : ENOENT;
}

int cli_find_program(const char *name, char **ret_path, const char **ret_why)
{
	bool seen;
	int err;

	if (!*name || !strchr(name, '/')) {
		err = *name ? search(name, ret_path, ret_why) : ENOENT;
		if (!*name)
			*ret_why = "command not found";
	} else {
		err = executable(name, ret_why, &seen);
		if (err == 0) {
			*ret_path = strdup(name);
			err = *ret_path ? 0 : ENOMEM;
		}
	}
	if (err && !*ret_why)
		*ret_why = strerror(err);
	return err;
}
