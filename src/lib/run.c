/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting a container for another program: by way of the command, whose processes have one thread and are
 * ours, whatever the caller's are.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/internal.h"
#include "supervisor/util.h"

#define OWN_WORDS 12

static int spawn(const char *const *argv, const char *const *envp, int out, int err, pid_t *ret)
{
	posix_spawn_file_actions_t actions;
	int r = posix_spawn_file_actions_init(&actions);

	if (r)
		return -r;
	r = posix_spawn_file_actions_adddup2(&actions, out, 1);
	if (!r)
		r = posix_spawn_file_actions_adddup2(&actions, err, 2);
	if (!r)
		r = posix_spawnp(ret, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv,
				 (char *const *)(uintptr_t)envp);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

/* A line, without its end; what follows is read and dropped. */
static void read_line(int fd, char *buf, size_t size)
{
	size_t got = 0;
	char more[256];
	ssize_t n;

	while ((n = read(fd, more, sizeof(more))) != 0) {
		if (n < 0 && errno != EINTR)
			break;
		for (ssize_t i = 0; i < n && got < size - 1; i++)
			buf[got++] = more[i];
	}
	buf[got] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
}

static const char **words_of(const subpid *s, const char *name, const struct subpid_command *c)
{
	size_t n = 0, k = 0;
	const char **w;

	while (c->argv[n])
		n++;
	w = calloc(n + OWN_WORDS, sizeof(*w));
	if (!w)
		return NULL;
	w[k++] = "subpid";
	w[k++] = "--root";
	w[k++] = s->root.path;
	w[k++] = "run";
	w[k++] = "--detach";
	if (name) {
		w[k++] = "--name";
		w[k++] = name;
	}
	if (c->cwd) {
		w[k++] = "--workdir";
		w[k++] = c->cwd;
	}
	w[k++] = "--";
	memcpy(w + k, c->argv, n * sizeof(*w));
	return w;
}

/* 0 and the name, or what the command said. */
static int listen_to(subpid *s, int out, int err, pid_t pid, char *name, size_t size)
{
	char text[sizeof(s->fail.text)];
	int w = 0;

	read_line(out, name, size);
	read_line(err, text, sizeof(text));
	while (waitpid(pid, &w, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(w) && WEXITSTATUS(w) == 0 && *name)
		return 0;
	return lib_failed(s, 0, "%.200s", strncmp(text, "subpid: ", 8) == 0 ? text + 8 : text), -ECHILD;
}

int subpid_run(subpid *s, const char *name, const struct subpid_command *command, char **ret_name)
{
	const char **words = words_of(s, name, command);
	int out[2] = {-1, -1}, err[2] = {-1, -1}, r;
	char got[SV_NAME_MAX + 2];
	pid_t pid;

	if (!words || pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
		r = lib_failed(s, sv_errno(), "cannot start a container");
	else if ((r = spawn(words, command->envp, out[1], err[1], &pid)) < 0)
		r = lib_failed(s, r, "cannot execute subpid");
	sv_fd_done(&out[1]);
	sv_fd_done(&err[1]);
	if (r == 0)
		r = listen_to(s, out[0], err[0], pid, got, sizeof(got));
	sv_fd_done(&out[0]);
	sv_fd_done(&err[0]);
	free(words);
	if (r == 0 && s->root.fd < 0)
		s->root.fd = open(s->root.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (r == 0 && ret_name) {
		*ret_name = strdup(got);
		r = *ret_name ? 0 : lib_failed(s, -ENOMEM, "%s", got);
	}
	return r;
}
