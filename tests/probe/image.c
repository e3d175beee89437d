/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program is told about itself and its memory when it starts, as process 1 and after exec: the
 * auxiliary vector, the heap right behind its data, its arguments and environment in /proc, its name,
 * and that it may change them.
 *
 * args: first again
 */
#include "probe.h"
#include <elf.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#ifndef AT_RSEQ_FEATURE_SIZE
#define AT_RSEQ_FEATURE_SIZE 27
#define AT_RSEQ_ALIGN 28
#endif
#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

extern char **environ;
extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern char _end[], etext[];
extern void _start(void);

static size_t slurp(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t at = 0;
	ssize_t n;

	if (fd < 0)
		return 0;
	while (at < size && (n = read(fd, buf + at, size - at)) > 0)
		at += (size_t)n;
	close(fd);
	return at;
}

static void auxv(void)
{
	const Elf64_Ehdr *eh = (const void *)__ehdr_start;
	unsigned long phdr = getauxval(AT_PHDR), entry = getauxval(AT_ENTRY),
		      base = getauxval(AT_BASE);
	const Elf64_Phdr *ph = (const void *)phdr;
	static char file[4096];
	char line[512] = "";
	size_t at = 0, n, len;
	Elf64_auxv_t *av;
	char **e = environ;
	int interp = 0;

	while (*e)
		e++;
	av = (Elf64_auxv_t *)(e + 1);
	for (n = 0; av[n].a_type; n++)
		at += (size_t)snprintf(line + at, sizeof(line) - at, " %lu",
				       (unsigned long)av[n].a_type);
	say("entries%s", line);
	len = slurp("/proc/self/auxv", file, sizeof(file));
	say("file %s",
	    len == (n + 1) * sizeof(*av) && !memcmp(file, av, len) ? "is the same" : "differs");
	say("phdr %s num %s ent %lu",
	    phdr == (unsigned long)__ehdr_start + eh->e_phoff ? "mine" : "not mine",
	    getauxval(AT_PHNUM) == eh->e_phnum ? "mine" : "not mine", getauxval(AT_PHENT));
	for (unsigned long i = 0; i < getauxval(AT_PHNUM); i++)
		interp |= ph[i].p_type == PT_INTERP;
	say("entry %s", entry == (unsigned long)_start ? "mine" : "not mine");
	say("base %s, interpreter %s",
	    !base				 ? "null"
	    : memcmp((void *)base, "\177ELF", 4) ? "not ELF"
						 : "ELF",
	    interp ? "yes" : "no");
	say("base is %s", base && base == (unsigned long)__ehdr_start ? "mine" : "not mine");
	say("pagesz %lu clktck %lu secure %lu flags %lx", getauxval(AT_PAGESZ),
	    getauxval(AT_CLKTCK), getauxval(AT_SECURE), getauxval(AT_FLAGS));
	say("ids %s", getauxval(AT_UID) == getuid() && getauxval(AT_EUID) == geteuid() &&
				      getauxval(AT_GID) == getgid() && getauxval(AT_EGID) == getegid()
			      ? "mine"
			      : "not mine");
	say("random %s platform %s vdso %s", getauxval(AT_RANDOM) ? "yes" : "no",
	    getauxval(AT_PLATFORM) ? (char *)getauxval(AT_PLATFORM) : "null",
	    getauxval(AT_SYSINFO_EHDR) ? "yes" : "no");
	say("hwcap %lx hwcap2 %lx minsigstksz %lu rseq %lu %lu", getauxval(AT_HWCAP),
	    getauxval(AT_HWCAP2), getauxval(AT_MINSIGSTKSZ), getauxval(AT_RSEQ_FEATURE_SIZE),
	    getauxval(AT_RSEQ_ALIGN));
	{
		const char *fn = (const char *)getauxval(AT_EXECFN),
			   *slash = fn ? strrchr(fn, '/') : NULL;

		say("execfn %s", slash ? slash + 1 : fn ? fn : "null");
	}
}

static void heap(void)
{
	char *start = (char *)SC(SYS_brk, 0), *p;
	static char maps[65536];
	size_t n;
	int bad = 0;

	say("heap %s the data, %s", start >= _end ? "behind" : "before",
	    (size_t)(start - _end) < (1ul << 30) ? "near" : "far");
	p = (char *)SC(SYS_brk, start + 100000);
	say("grows %s", p == start + 100000 ? "as asked" : "not");
	for (size_t i = 0; i < 100000; i++)
		bad += start[i] != 0 && i >= 0 &&
		       start + i >= (char *)(((uintptr_t)start + 4095) & ~4095ul);
	say("zeroed %s", bad ? "no" : "yes");
	memset(start, 7, 100000);
	say("shrinks %s", (char *)SC(SYS_brk, start) == start ? "as asked" : "not");
	say("too low %s", (char *)SC(SYS_brk, 4096) == start ? "refused" : "taken");
	say("below the start %s", (char *)SC(SYS_brk, start - 1) == start - 1 ? "taken" : "refused");
	SC(SYS_brk, start);
	say("wild %s", (char *)SC(SYS_brk, WILD) == start ? "refused" : "taken");
	p = (char *)SC(SYS_brk, start + (64 << 20));
	say("64 MiB %s", p == start + (64 << 20) ? "taken" : "refused");
	SC(SYS_brk, start + 8192);
	n = slurp("/proc/self/maps", maps, sizeof(maps) - 1);
	maps[n] = 0;
	say("maps name a heap %s, a stack %s", strstr(maps, "[heap]") ? "yes" : "no",
	    strstr(maps, "[stack]") ? "yes" : "no");
	p = malloc(1 << 20);
	memset(p, 1, 1 << 20);
	free(p);
	SC(SYS_brk, start);
}

static void heap_child(void)
{
	heap();
}

static void texts(int argc, char **argv)
{
	static char buf[65536];
	size_t n, at = 0, env = 0;
	char **e, name[32];

	n = slurp("/proc/self/cmdline", buf, sizeof(buf));
	for (int i = 0; i < argc; i++) {
		size_t len = strlen(argv[i]) + 1;

		if (at + len > n || memcmp(buf + at, argv[i], len))
			say("cmdline differs at %d", i);
		at += len;
	}
	say("cmdline %s", at == n ? "is argv" : "has another length");
	n = slurp("/proc/self/environ", buf, sizeof(buf));
	for (e = environ; *e; e++) {
		size_t len = strlen(*e) + 1;

		if (env + len > n || memcmp(buf + env, *e, len))
			say("environ differs at %d", (int)(e - environ));
		env += len;
	}
	say("environ %s", env == n ? "is the environment" : "has another length");
	/* In one piece, in this order, as programs that rewrite their arguments rely on. */
	for (int i = 1; i < argc; i++)
		if (argv[i] != argv[i - 1] + strlen(argv[i - 1]) + 1)
			say("argv[%d] does not follow", i);
	if (environ[0] && environ[0] != argv[argc - 1] + strlen(argv[argc - 1]) + 1)
		say("the environment does not follow the arguments");
	say("nothing below argv: argc %s", ((long *)argv)[-1] == argc ? "yes" : "no");
	prctl(PR_GET_NAME, name);
	n = slurp("/proc/self/comm", buf, sizeof(buf));
	say("comm \"%s\" file \"%.*s\"", name, (int)(n ? n - 1 : 0), buf);
	argv[0][0] = '@';
	n = slurp("/proc/self/cmdline", buf, sizeof(buf));
	say("rewritten %s", n && buf[0] == '@' ? "seen" : "not seen");
	prctl(PR_SET_NAME, "a new name of it");
	prctl(PR_GET_NAME, name);
	n = slurp("/proc/self/comm", buf, sizeof(buf));
	say("comm \"%s\" file \"%.*s\"", name, (int)(n ? n - 1 : 0), buf);
}

static void state(void)
{
	struct rlimit r;
	int fds = 0;

	say("dumpable %d keepcaps %d timerslack %d", prctl(PR_GET_DUMPABLE), prctl(PR_GET_KEEPCAPS),
	    prctl(PR_GET_TIMERSLACK) > 0);
	say("pdeathsig %d subreaper %d", ({
		    int s = -1;
		    prctl(PR_GET_PDEATHSIG, &s);
		    s;
	    }),
	    ({
		    int s = -1;
		    prctl(PR_GET_CHILD_SUBREAPER, &s);
		    s;
	    }));
	for (int i = 0; i < 512; i++)
		fds += fcntl(i, F_GETFD) >= 0;
	say("descriptors %d, next is %d", fds, ({
		    int f = dup(0);
		    close(f);
		    f;
	    }));
	getrlimit(RLIMIT_NOFILE, &r);
	say("nofile %lu %lu", (unsigned long)r.rlim_cur, (unsigned long)r.rlim_max);
	getrlimit(RLIMIT_STACK, &r);
	say("stack %lu", (unsigned long)r.rlim_cur);
	getrlimit(RLIMIT_CORE, &r);
	say("core %lu", (unsigned long)r.rlim_cur);
	say("umask %o nice %d", umask(022), getpriority(PRIO_PROCESS, 0));
	say("personality %lx", SC(SYS_personality, 0xffffffff));
	say("groups %d uid %s", getgroups(0, NULL), getuid() == geteuid() ? "one" : "two");
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	auxv();
	heap();
	in_child("heap in a child", heap_child);
	state();
	if (!strcmp(what, "again")) {
		char *av[] = {(char *)"", (char *)"x", (char *)"", (char *)"a b\n", NULL};
		char *ev[] = {(char *)"A=1", (char *)"B=", (char *)"noequals", (char *)"A=2", NULL};
		pid_t pid = fork_or_die();

		if (!pid) {
			SC(SYS_execve, argv[0], av, ev);
			_exit(127);
		}
		say("%s", reap(pid));
		SC(SYS_execve, argv[0], av, (char *[]){NULL});
		return 1;
	}
	texts(argc, argv);
	return 0;
}
