/* SPDX-License-Identifier: Apache-2.0 */
/*
 * denyrun RULE... -- CMD ARGS...: runs a command under refusals that some kernel, container or
 * policy makes, so that each of them can be tried alone and on any machine. A rule is `enosys:CALL`
 * or `eperm:CALL` with a name of calls[], or one of the named policies below. Rules become one
 * seccomp filter, inherited by everything the command starts.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Numbers by value where Debian 12's headers may be too old to know the name. */
static const struct {
	const char *name;
	unsigned nr;
} calls[] = {
	{"clone3", 435},
	{"close_range", 436},
	{"faccessat2", 439},
	{"landlock_add_rule", 445},
	{"landlock_create_ruleset", 444},
	{"landlock_restrict_self", 446},
	{"membarrier", SYS_membarrier},
	{"pidfd_getfd", 438},
	{"pidfd_open", 434},
	{"pidfd_send_signal", 424},
	{"process_vm_readv", SYS_process_vm_readv},
	{"process_vm_writev", SYS_process_vm_writev},
	{"ptrace", SYS_ptrace},
	{"seccomp", SYS_seccomp},
	{"statx", SYS_statx},
};

static struct sock_filter prog[256];
static unsigned short len;
static unsigned short prologue;

static void emit(struct sock_filter insn)
{
	if (len < sizeof(prog) / sizeof(prog[0]))
		prog[len++] = insn;
}

static void load(unsigned offset)
{
	emit((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
}

static void refuse(int error)
{
	emit((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error));
}

static void deny_call(unsigned nr, int error)
{
	load(offsetof(struct seccomp_data, nr));
	emit((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1));
	refuse(error);
}

/* Refuses a call whose argument has all bits of `bits` set (low half; the flags used fit there). */
static void deny_bits(unsigned nr, int arg, unsigned bits, int error)
{
	load(offsetof(struct seccomp_data, nr));
	emit((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 4));
	load(offsetof(struct seccomp_data, args) + 8 * arg);
	emit((struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, bits));
	emit((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, bits, 0, 1));
	refuse(error);
}

static void deny_value(unsigned nr, int arg, unsigned value, int error)
{
	load(offsetof(struct seccomp_data, nr));
	emit((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 3));
	load(offsetof(struct seccomp_data, args) + 8 * arg);
	emit((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1));
	refuse(error);
}

static int add_rule(const char *rule)
{
	if (strcmp(rule, "wx") == 0) {
		/* What systemd's MemoryDenyWriteExecute= did before kernels could. */
		deny_bits(SYS_mmap, 2, PROT_WRITE | PROT_EXEC, EPERM);
		deny_bits(SYS_mprotect, 2, PROT_EXEC, EPERM);
		deny_bits(SYS_pkey_mprotect, 2, PROT_EXEC, EPERM);
		return 0;
	}
	if (strcmp(rule, "mdwe") == 0) {
		/* PR_SET_MDWE with PR_MDWE_REFUSE_EXEC_GAIN; kernel 6.3. */
		if (prctl(65, 1UL, 0UL, 0UL, 0UL) < 0) {
			perror("denyrun: PR_SET_MDWE");
			return -1;
		}
		return 0;
	}
	if (strcmp(rule, "prctl-mm") == 0) {
		deny_value(SYS_prctl, 0, PR_SET_MM, EPERM);
		return 0;
	}
	if (strcmp(rule, "prctl-seccomp") == 0) {
		deny_value(SYS_prctl, 0, PR_SET_SECCOMP, EPERM);
		return 0;
	}

	int error = 0;
	if (strncmp(rule, "enosys:", 7) == 0)
		error = ENOSYS;
	else if (strncmp(rule, "eperm:", 6) == 0)
		error = EPERM;
	if (error) {
		const char *name = strchr(rule, ':') + 1;
		for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
			if (strcmp(calls[i].name, name) == 0) {
				deny_call(calls[i].nr, error);
				return 0;
			}
		}
	}
	fprintf(stderr, "denyrun: unknown rule '%s'\n", rule);
	return -1;
}

static int install(void)
{
	if (len == prologue)
		return 0;
	emit((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
	if (len == sizeof(prog) / sizeof(prog[0])) {
		fprintf(stderr, "denyrun: too many rules\n");
		return -1;
	}
	struct sock_fprog fprog = {.len = len, .filter = prog};
	/* As root no_new_privs stays clear, as it does in a container with a default profile. */
	if (geteuid() != 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		perror("denyrun: PR_SET_NO_NEW_PRIVS");
		return -1;
	}
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &fprog) < 0) {
		perror("denyrun: seccomp");
		return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	int i = 1;

	load(offsetof(struct seccomp_data, arch));
	emit((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0));
	emit((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
	prologue = len;

	for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (add_rule(argv[i]) < 0)
			return 125;
	}
	if (i + 1 >= argc) {
		fprintf(stderr, "usage: denyrun RULE... -- CMD ARGS...\n");
		return 125;
	}
	if (install() < 0)
		return 125;
	execvp(argv[i + 1], argv + i + 1);
	perror(argv[i + 1]);
	return 127;
}
