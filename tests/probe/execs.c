/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What execve and execveat refuse, in which order, and what they start: formats, rights, links,
 * directories, sizes, relative and deleted files, descriptors; and what the started program is told
 * about itself. The program that is started is this one, under other names.
 *
 * args: errors starts sizes writers noexec
 * noexec: noexec
 */
#include "probe.h"
#include <sys/auxv.h>

static char self[512];
static char *show_env[] = {(char *)"SHOW=1", NULL};

static void write_file(const char *name, mode_t mode, const void *data, size_t len)
{
	int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0700);

	if (fd < 0 || write(fd, data, len) != (ssize_t)len)
		die("cannot write %s", name);
	close(fd);
	chmod(name, mode);
}

static void copy_self(const char *name, mode_t mode)
{
	char buf[65536];
	int in = open(self, O_RDONLY | O_CLOEXEC),
	    out = open(name, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0700);
	ssize_t n;

	while ((n = read(in, buf, sizeof(buf))) > 0)
		if (write(out, buf, (size_t)n) != n)
			die("cannot write %s", name);
	close(in);
	close(out);
	chmod(name, mode);
}

/* What a program that was started sees. */
static int show(int argc, char **argv)
{
	char comm[32] = "", line[4096], exe[256];
	const char *execfn = (const char *)getauxval(AT_EXECFN);
	int fd = open("/proc/self/cmdline", O_RDONLY);
	ssize_t n;
	size_t at = 0;

	prctl(PR_GET_NAME, comm);
	say("  %s of %s: argc %d comm \"%s\" execfn \"%s\"", rc(SC(SYS_getpid)),
	    rc(SC(SYS_getppid)), argc, comm,
	    execfn && strncmp(execfn, "/dev/fd/", 8) ? execfn
	    : execfn				     ? "/dev/fd/..."
						     : "null");
	for (int i = 0; i < argc; i++)
		at += (size_t)snprintf(line + at, sizeof(line) - at, "[%.200s]",
				       strncmp(argv[i], "/dev/fd/", 8) ? argv[i] : "/dev/fd/...");
	say("  argv %s", line);
	n = read(fd, line, sizeof(line));
	close(fd);
	at = 0;
	for (int i = 0; i < argc && n >= 0; i++) {
		size_t len = strlen(argv[i]) + 1;

		if (at + len > (size_t)n || memcmp(line + at, argv[i], len))
			say("  cmdline differs at %d", i);
		at += len;
	}
	say("  cmdline %s", n == (ssize_t)at ? "is argv" : "is longer or shorter");
	n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	exe[n > 0 ? n : 0] = 0;
	say("  exe \"%s\"", exe);
	return 55;
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

static void simple(const char *name, const char *path)
{
	char *argv[] = {(char *)"zero", (char *)"one", NULL};

	run(name, path, argv);
}

static void errors(void)
{
	static const struct {
		const char *name, *data;
		size_t len;
	} formats[] = {
		{"empty", "", 0},
		{"one-byte", "x", 1},
		{"text", "echo hello\n", 11},
		{"elf-magic-only", "\177ELF", 4},
		{"elf-half", "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\076\0", 20},
		{"elf-32", "\177ELF\1\1\1\0\0\0\0\0\0\0\0\0\2\0\003\0\1\0\0\0\0\0\0\0\0\0\0\0", 32},
		{"elf-big-endian", "\177ELF\2\2\1\0\0\0\0\0\0\0\0\0\0\2\0\026", 20},
		{"zeroes", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16},
	};
	char elf[64], path[PATH_MAX + 64], deep[6000];

	for (size_t i = 0; i < COUNT(formats); i++) {
		write_file(formats[i].name, 0755, formats[i].data, formats[i].len);
		simple(formats[i].name, formats[i].name);
	}
	/* A whole header that leads nowhere. */
	int fd = open(self, O_RDONLY);

	if (read(fd, elf, 64) != 64)
		die("no header");
	close(fd);
	write_file("elf-header-only", 0755, elf, 64);
	simple("elf-header-only", "elf-header-only");
	elf[18] = 3;
	write_file("elf-other-machine", 0755, elf, 64);
	simple("elf-other-machine", "elf-other-machine");
	elf[18] = 62;
	elf[16] = 1;
	write_file("elf-object", 0755, elf, 64);
	simple("elf-object", "elf-object");
	elf[16] = 3;
	elf[54] = 13;
	write_file("elf-bad-phentsize", 0755, elf, 64);
	simple("elf-bad-phentsize", "elf-bad-phentsize");

	write_file("no-x", 0644, "#!/bin/sh\n", 10);
	write_file("no-r", 0311, "#!/bin/sh\n", 10);
	copy_self("no-x-elf", 0644);
	mkdir("dir", 0755);
	mkdir("closed", 0700);
	write_file("closed/x", 0755, "#!/bin/sh\n", 10);
	chmod("closed", 0);
	mkfifo("fifo", 0777);
	if (symlink("loop", "loop") || symlink("nowhere", "dangling") || symlink("dir", "link-to-dir"))
		die("symlink");
	simple("missing", "missing");
	simple("missing dir", "missing/x");
	simple("not a directory", "no-x/x");
	simple("trailing slash", "no-x/");
	simple("directory", "dir");
	simple("directory/", "dir/");
	simple("root", "/");
	simple("dot", ".");
	simple("link to a directory", "link-to-dir");
	simple("empty path", "");
	simple("no x", "no-x");
	simple("no x elf", "no-x-elf");
	simple("closed directory", "closed/x");
	simple("fifo", "fifo");
	simple("device", "/dev/null");
	simple("proc file", "/proc/self/status");
	simple("proc number", "/proc/1/environ");
	simple("loop", "loop");
	simple("dangling", "dangling");
	memset(path, 'a', sizeof(path));
	path[300] = 0;
	simple("long name", path);
	path[300] = 'a';
	path[PATH_MAX + 10] = 0;
	simple("too long", path);
	deep[0] = 0;
	for (int i = 0; i < 1200; i++)
		strcat(deep, "./");
	strcat(deep, "missing");
	simple("long but fine", deep);
	simple("null", NULL);
	/* A failed exec leaves everything as it was. */
	say("still %d of %d", getpid(), getppid());
}

static void at(const char *name, int dirfd, const char *path, int flags)
{
	char *argv[] = {(char *)"zero", (char *)"one", NULL};
	pid_t pid = fork_or_die();

	if (!pid) {
		long r = SC(SYS_execveat, dirfd, path, argv, show_env, flags);

		say("%s: %s", name, rc(r));
		_exit(1);
	}
	say("%s = %s", name, reap(pid));
}

static void starts(void)
{
	static char *const none[] = {NULL};
	static char *const odd[] = {(char *)"", (char *)"", (char *)"a b", (char *)"", NULL};
	static char *const long0[] = {(char *)"a-very-long-program-name-that-is-cut", NULL};
	int dir, fd, file;
	pid_t pid;

	copy_self("prog", 0755);
	copy_self("a-name-longer-than-fifteen", 0755);
	mkdir("sub", 0755);
	if (symlink("prog", "link") || symlink("../prog", "sub/link"))
		die("symlink");
	simple("relative", "prog");
	simple("dot relative", "./prog");
	simple("through a directory", "sub/../prog");
	simple("link", "link");
	simple("link in a directory", "sub/link");
	simple("absolute", self);
	simple("slashes", "sub//..///prog");
	simple("long name", "a-name-longer-than-fifteen");
	/* A program that may be executed but not read cannot be equal: a loader outside the kernel reads it. */
	run("no arguments", "prog", none);
	run("null arguments", "prog", NULL);
	run("odd arguments", "prog", odd);
	run("long argument 0", "prog", long0);

	dir = open("sub", O_RDONLY | O_DIRECTORY);
	fd = open("prog", O_RDONLY | O_CLOEXEC);
	file = open("prog", O_RDONLY);
	at("at a directory", dir, "../prog", 0);
	at("at a directory, link", dir, "link", 0);
	at("at a directory, link not followed", dir, "link", AT_SYMLINK_NOFOLLOW);
	at("at cwd", AT_FDCWD, "prog", 0);
	at("at cwd, not followed", AT_FDCWD, "prog", AT_SYMLINK_NOFOLLOW);
	at("at anything, absolute", 999, self, 0);
	at("at a bad descriptor", 999, "prog", 0);
	at("at a file", fd, "prog", 0);
	at("empty", file, "", AT_EMPTY_PATH);
	at("empty, cloexec", fd, "", AT_EMPTY_PATH);
	at("empty without the flag", fd, "", 0);
	at("empty of a directory", dir, "", AT_EMPTY_PATH);
	at("empty of cwd", AT_FDCWD, "", AT_EMPTY_PATH);
	at("empty of a bad descriptor", 999, "", AT_EMPTY_PATH);
	at("path with the flag", dir, "link", AT_EMPTY_PATH);
	at("bad flags", AT_FDCWD, "prog", 0x4);
	at("missing at a directory", dir, "missing", 0);
	pid = fork_or_die();
	if (!pid) {
		char *argv[] = {(char *)"zero", NULL};

		fexecve(fd, argv, show_env);
		_exit(1);
	}
	say("fexecve = %s", reap(pid));
	/* A path descriptor and a deleted file. */
	close(file);
	file = open("prog", O_PATH | O_CLOEXEC);
	at("O_PATH", file, "", AT_EMPTY_PATH);
	unlink("prog");
	simple("deleted by name", "prog");
	at("deleted", fd, "", AT_EMPTY_PATH);
	at("deleted, O_PATH", file, "", AT_EMPTY_PATH);
	close(fd);
	close(file);
	/* By the link that /proc has for a descriptor, and for oneself. */
	copy_self("prog", 0755);
	fd = open("prog", O_RDONLY | O_CLOEXEC);
	pid = fork_or_die();
	if (!pid) {
		char path[64], *argv[] = {(char *)"zero", NULL};

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		SC(SYS_execve, path, argv, show_env);
		_exit(1);
	}
	say("by /proc/self/fd = %s", reap(pid));
	simple("by /proc/self/exe", "/proc/self/exe");
	/* From another directory and after the directory has gone. */
	if (chdir("sub"))
		die("chdir");
	simple("from another directory", "../prog");
	rename("../prog", "../renamed");
	simple("renamed", "../renamed");
}

static char *filled(size_t len, char c)
{
	char *s = malloc(len + 1);

	memset(s, c, len);
	s[len] = 0;
	return s;
}

static void sized(const char *name, char *const argv[], char *const envp[])
{
	pid_t pid = fork_or_die();

	if (!pid) {
		long r = SC(SYS_execve, self, argv, envp);

		say("%s: %s", name, rc(r));
		_exit(1);
	}
	say("%s = %s", name, reap(pid));
}

static void sizes(void)
{
	struct rlimit stack = {8 << 20, RLIM_INFINITY};
	char **many = calloc(400000, sizeof(char *));
	char *few[] = {(char *)"zero", (char *)"--count", NULL, NULL, NULL};
	char *count_env[] = {(char *)"COUNT=1", NULL};
	char *env[] = {(char *)"COUNT=1", NULL, NULL};

	setrlimit(RLIMIT_STACK, &stack);
	few[2] = filled(131071, 'a');
	sized("one argument of 131071", few, count_env);
	few[2] = filled(131072, 'a');
	sized("one argument of 131072", few, count_env);
	few[2] = NULL;
	env[1] = filled(131071, 'a');
	sized("one variable of 131071", few, env);
	env[1] = filled(131072, 'a');
	sized("one variable of 131072", few, env);
	for (int i = 0; i < 15; i++)
		many[i] = filled(100000, 'b');
	sized("1500000 in 15", many, count_env);
	for (int i = 0; i < 25; i++)
		many[i] = filled(100000, 'b');
	sized("2500000 in 25", many, count_env);
	for (int i = 0; i < 150000; i++)
		many[i] = (char *)"c";
	sized("150000 short ones", many, count_env);
	for (int i = 0; i < 350000; i++)
		many[i] = (char *)"c";
	sized("350000 short ones", many, count_env);
	many[20000] = NULL;
	many[0] = count_env[0];
	sized("20000 variables", few, many);
	/* With a small stack the smallest guaranteed size counts. */
	stack.rlim_cur = 1 << 20;
	setrlimit(RLIMIT_STACK, &stack);
	for (int i = 0; i < 350000; i++)
		many[i] = NULL;
	many[0] = filled(100000, 'd');
	sized("100000 with a small stack", many, count_env);
	for (int i = 0; i < 4; i++)
		many[i] = filled(100000, 'd');
	sized("400000 with a small stack", many, count_env);
}

static int count(int argc, char **argv, char **envp)
{
	size_t bytes = 0;
	int vars = 0;

	for (int i = 0; i < argc; i++)
		bytes += strlen(argv[i]) + 1;
	for (; envp[vars]; vars++)
		bytes += strlen(envp[vars]) + 1;
	say("  argc %d vars %d bytes %zu", argc, vars, bytes);
	return 44;
}

/* A file that somebody has open for writing. */
static void writers(void)
{
	int fd;

	copy_self("prog", 0755);
	fd = open("prog", O_RDWR | O_CLOEXEC);
	simple("open for writing", "prog");
	close(fd);
	simple("closed again", "prog");
	write_file("script", 0755, "#!prog\n", 7);
	fd = open("script", O_WRONLY | O_CLOEXEC);
	simple("script open for writing", "script");
	close(fd);
	fd = open("prog", O_WRONLY | O_CLOEXEC);
	simple("script whose interpreter is open for writing", "script");
	close(fd);
	simple("script", "script");
}

/* A mount that forbids it, for the program, the script, and the interpreter of a script. */
static void noexec(void)
{
	char line[600];
	int fd;

	if (access("../noexec", F_OK)) {
		say("no such file system");
		return;
	}
	copy_self("../noexec/prog", 0755);
	copy_self("prog", 0755);
	write_file("../noexec/script", 0755, "#!./prog\n", 9);
	snprintf(line, sizeof(line), "#!../noexec/prog\n");
	write_file("script", 0755, line, strlen(line));
	write_file("../noexec/text", 0755, "text\n", 5);
	simple("program", "../noexec/prog");
	simple("script", "../noexec/script");
	simple("interpreter", "script");
	simple("text", "../noexec/text");
	fd = open("../noexec/prog", O_RDONLY | O_CLOEXEC);
	at("by descriptor", fd, "", AT_EMPTY_PATH);
	close(fd);
	say("access %s", lrc(access("../noexec/prog", X_OK)));
	simple("elsewhere", "prog");
}

int main(int argc, char **argv, char **envp)
{
	const char *what = argc > 1 ? argv[1] : "";
	ssize_t n;

	if (getenv("SHOW"))
		return show(argc, argv);
	if (getenv("COUNT"))
		return count(argc, argv, envp);
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n <= 0)
		die("no /proc/self/exe");
	if (!strcmp(what, "errors"))
		errors();
	else if (!strcmp(what, "starts"))
		starts();
	else if (!strcmp(what, "sizes"))
		sizes();
	else if (!strcmp(what, "noexec"))
		noexec();
	else
		writers();
	return 0;
}
