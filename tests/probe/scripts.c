/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scripts: how the first line is read, what the interpreter is given, how deep interpreters may nest,
 * and what is refused. The interpreter is this program, which prints its arguments.
 */
#include "probe.h"
#include <sys/auxv.h>

static char self[512];
static char *show_env[] = {(char *)"SHOW=1", NULL};

static int show(int argc, char **argv)
{
	char comm[32] = "", line[8192], exe[256];
	const char *execfn = (const char *)getauxval(AT_EXECFN);
	size_t at = 0;
	ssize_t n;

	prctl(PR_GET_NAME, comm);
	for (int i = 0; i < argc; i++) {
		const char *a = argv[i];

		if (!strncmp(a, "/dev/fd/", 8))
			a = "/dev/fd/...";
		at += (size_t)snprintf(line + at, sizeof(line) - at, "[%.300s]", a);
	}
	n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	exe[n > 0 ? n : 0] = 0;
	say("  %s of %s comm \"%s\" execfn \"%.100s\" exe \"%s\"", rc(SC(SYS_getpid)),
	    rc(SC(SYS_getppid)), comm,
	    execfn && strncmp(execfn, "/dev/fd/", 8) ? execfn : "/dev/fd/...", exe);
	say("  argv %s", line);
	return 33;
}

static void write_file(const char *name, const char *data, size_t len, mode_t mode)
{
	int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0700);

	if (fd < 0 || write(fd, data, len) != (ssize_t)len)
		die("cannot write %s", name);
	close(fd);
	chmod(name, mode);
}

static void run(const char *name, const char *path, char *const argv[])
{
	pid_t pid = fork_or_die();

	if (!pid) {
		long r = SC(SYS_execve, path, argv, show_env);

		say("%s: %s", name, rc(r));
		_exit(1);
	}
	say("%s = %s", name, reap(pid));
}

static char *const args[] = {(char *)"zero", (char *)"one", (char *)"two words", NULL};

/* TEXT may say %s where the interpreter's path goes. */
static void script(const char *name, const char *text)
{
	char data[4096];
	int len;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	len = snprintf(data, sizeof(data), text, self);
#pragma GCC diagnostic pop
	write_file("script", data, (size_t)len, 0755);
	run(name, "script", args);
}

static void lines(void)
{
	static const struct {
		const char *name, *text;
	} rows[] = {
		{"plain", "#!%s\nrest\n"},
		{"root of number 1", "#!/proc/1/root%s -a\n"},
		{"root of the same", "#!/proc/self/root%s\n"},
		{"root of nobody", "#!/proc/999/root%s\n"},
		{"itself", "#!/proc/self/exe -a\n"},
		{"number 1 itself", "#!/proc/1/exe\n"},
		{"no newline", "#!%s"},
		{"space", "#! %s\n"},
		{"tabs", "#!\t\t%s\t\n"},
		{"argument", "#!%s -a\n"},
		{"argument, spaces", "#!%s   -a  -b   c  \n"},
		{"argument, tab", "#!%s\t-a\tb\t\n"},
		{"argument, no newline", "#!%s -a b"},
		{"argument quoted", "#!%s \"a b\" c\n"},
		{"carriage return", "#!%s\r\n"},
		{"argument, carriage return", "#!%s -a\r\n"},
		{"only blanks after", "#!%s    \n"},
		{"nothing", "#!\n"},
		{"nothing, no newline", "#!"},
		{"blanks only", "#!   \t \n"},
		{"blanks only, no newline", "#!    "},
		{"one #", "#\n"},
		{"space before !", "# !%s\n"},
		{"blank before #", " #!%s\n"},
		{"missing interpreter", "#!/nonexistent/interpreter\n"},
		{"directory", "#!/\n"},
		{"not executable", "#!/etc/passwd\n"},
		{"not a program", "#!./text\n"},
		{"dangling", "#!./dangling\n"},
		{"loop", "#!./loop\n"},
		{"relative", "#!./interp\n"},
		{"relative, bare", "#!interp -x\n"},
		{"relative, missing", "#!missing\n"},
		{"itself", "#!./script\n"},
		{"shell", "#!/bin/sh\nexit 3\n"},
		{"env", "#!/usr/bin/env -S SHOW=1 %s a b\n"},
	};

	write_file("text", "no program\n", 11, 0755);
	if (symlink(self, "interp") || symlink("nowhere", "dangling") || symlink("loop", "loop"))
		die("symlink");
	for (size_t i = 0; i < COUNT(rows); i++)
		script(rows[i].name, rows[i].text);
}

/* The kernel looks at 256 bytes; an interpreter that is cut is refused, an argument is cut. */
static void lengths(void)
{
	static const int lens[] = {100, 200, 252, 253, 254, 255, 256, 257, 300};
	char data[1024], name[64];

	for (size_t i = 0; i < COUNT(lens); i++) {
		int len = lens[i], at;

		/* The interpreter's path is as long as asked for. */
		memset(data, '/', sizeof(data));
		memcpy(data, "#!", 2);
		at = len - (int)strlen(self);
		if (at >= 2) {
			memcpy(data + at, self, strlen(self));
			data[len] = '\n';
			write_file("script", data, (size_t)len + 1, 0755);
			snprintf(name, sizeof(name), "interpreter line of %d", len);
			run(name, "script", args);
			write_file("script", data, (size_t)len, 0755);
			snprintf(name, sizeof(name), "interpreter line of %d, file ends", len);
			run(name, "script", args);
		}
		/* The argument is. */
		memset(data, 'a', sizeof(data));
		at = snprintf(data, sizeof(data), "#!%s ", self);
		data[at] = 'a';
		data[len] = '\n';
		write_file("script", data, (size_t)len + 1, 0755);
		snprintf(name, sizeof(name), "argument line of %d", len);
		run(name, "script", args);
	}
	memset(data, 0, sizeof(data));
	snprintf(data, sizeof(data), "#!%s", self);
	write_file("script", data, 300, 0755);
	run("zeroes after the interpreter", "script", args);
	snprintf(data, sizeof(data), "#!%s a", self);
	memcpy(data + strlen(data) + 1, "b\n", 2);
	write_file("script", data, 300, 0755);
	run("zero in the argument", "script", args);
}

static void nesting(void)
{
	char data[600], name[32];
	int len = snprintf(data, sizeof(data), "#!%s 0\n", self);

	write_file("s0", data, (size_t)len, 0755);
	for (int i = 1; i < 8; i++) {
		len = snprintf(data, sizeof(data), "#!./s%d %d\n", i - 1, i);
		snprintf(name, sizeof(name), "s%d", i);
		write_file(name, data, (size_t)len, 0755);
		snprintf(data, sizeof(data), "nested %d", i);
		run(data, name, args);
	}
	/* One without rights in the middle. */
	chmod("s1", 0644);
	run("nested, one is not executable", "s3", args);
	chmod("s1", 0755);
	unlink("s0");
	run("nested, one is missing", "s3", args);
}

static void ways(void)
{
	char data[600];
	static char *const none[] = {NULL};
	static char *const empty[] = {(char *)"", (char *)"", NULL};
	int len = snprintf(data, sizeof(data), "#!%s opt\n", self), fd, dir;
	pid_t pid;

	write_file("way", data, (size_t)len, 0755);
	write_file("no-x", data, (size_t)len, 0644);
	mkdir("sub", 0755);
	if (symlink("../way", "sub/link"))
		die("symlink");
	run("relative", "./way", args);
	run("link", "sub/link", args);
	run("no arguments", "way", none);
	run("null arguments", "way", NULL);
	run("empty arguments", "way", empty);
	run("not executable", "no-x", args);
	fd = open("way", O_RDONLY);
	dir = open("sub", O_RDONLY | O_DIRECTORY);
	pid = fork_or_die();
	if (!pid) {
		say("at: %s", rc(SC(SYS_execveat, dir, "../way", args, show_env, 0)));
		_exit(1);
	}
	say("at a directory = %s", reap(pid));
	pid = fork_or_die();
	if (!pid) {
		say("empty: %s", rc(SC(SYS_execveat, fd, "", args, show_env, AT_EMPTY_PATH)));
		_exit(1);
	}
	say("by descriptor = %s", reap(pid));
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	pid = fork_or_die();
	if (!pid) {
		say("cloexec: %s", rc(SC(SYS_execveat, fd, "", args, show_env, AT_EMPTY_PATH)));
		_exit(1);
	}
	say("by descriptor that exec closes = %s", reap(pid));
	pid = fork_or_die();
	if (!pid) {
		fcntl(dir, F_SETFD, FD_CLOEXEC);
		say("at cloexec: %s", rc(SC(SYS_execveat, dir, "../way", args, show_env, 0)));
		_exit(1);
	}
	say("at a directory that exec closes = %s", reap(pid));
	/* libc's own idea of a file without a first line. */
	write_file("bare", "echo bare; exit 7\n", 18, 0755);
	run("bare, kernel", "bare", args);
	pid = fork_or_die();
	if (!pid) {
		setenv("PATH", ".", 1);
		execlp("bare", "bare", (char *)NULL);
		say("execlp: %s", err(errno));
		_exit(1);
	}
	say("bare, libc = %s", reap(pid));
	pid = fork_or_die();
	if (!pid) {
		setenv("PATH", "/nonexistent:./sub:.:/bin", 1);
		setenv("SHOW", "1", 1);
		execlp("way", "way", "x", (char *)NULL);
		_exit(1);
	}
	say("by PATH = %s", reap(pid));
}

int main(int argc, char **argv)
{
	ssize_t n;

	if (getenv("SHOW"))
		return show(argc, argv);
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n <= 0)
		die("no /proc/self/exe");
	lines();
	lengths();
	nesting();
	ways();
	/* And as process 1. */
	SC(SYS_execve, "way", args, show_env);
	return 1;
}
