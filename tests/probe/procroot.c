/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sandbox's way to an empty root directory: a part of procfs without files (/proc/self/fdinfo with few descriptors)
 * becomes the root, by a thread or by the process, and the working directory after it.
 *
 * privileged: yes
 */
#include "probe.h"

static void *enter(void *path)
{
	say("chroot %s", lrc(chroot(path)));
	return NULL;
}

static void look(const char *name)
{
	struct stat st;
	int fd = open(name, O_RDONLY | O_CLOEXEC);

	say("%s: open %s", name, fd < 0 ? lrc(fd) : "works");
	close(fd);
	say("%s: stat %s", name, lrc(stat(name, &st)));
	say("%s: access %s", name, lrc(access(name, R_OK)));
	say("%s: chdir %s", name, lrc(chdir(name)));
}

static void child(const char *path, int by_thread)
{
	char cwd[256];
	pthread_t t;
	pid_t pid = fork();

	if (pid) {
		waitpid(pid, NULL, 0);
		return;
	}
	say("root %s, by %s", path, by_thread ? "a thread" : "the process");
	if (!by_thread)
		enter((void *)path);
	else if (!pthread_create(&t, NULL, enter, (void *)path))
		pthread_join(t, NULL);
	look("/");
	look("//");
	look(".");
	look("..");
	look("/etc");
	say("cwd %s", getcwd(cwd, sizeof(cwd)) ? cwd : lrc(-1));
	_exit(0);
}

int main(void)
{
	static const char *const roots[] = {"/proc/self/fdinfo", "/proc/self"};

	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
		for (int by_thread = 0; by_thread < 2; by_thread++)
			child(roots[i], by_thread);
	return 0;
}
