/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first code of a new image: attaches the segment, takes the signals, and becomes the program.
 * In the first image of a tree it also becomes number 1 and installs the filter.
 */
#include <asm/unistd.h>
#include <elf.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <linux/signal.h>

#include "arch/x86_64/syscall.h"
#include "arch/x86_64/uapi.h"
#include "base/fmt.h"
#include "boundary/filter.h"
#include "resident/filters.h"
#include "resident/handover.h"
#include "resident/init.h"
#include "resident/load.h"
#include "resident/nest.h"
#include "resident/patch.h"
#include "resident/watch.h"
#include "resident/proc.h"
#include "resident/resident.h"
#include "resident/trace.h"
#include "resident/text.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#ifndef SECCOMP_FILTER_FLAG_SPEC_ALLOW
#define SECCOMP_FILTER_FLAG_SPEC_ALLOW 4
#endif
#define FAIL 125
#define INHERITED 64
#define NONE 0xffffffffu

_Noreturn void rs_start(uint64_t *sp);

/* The kernel's initial stack: arch/x86/include/asm/elf.h, fs/binfmt_elf.c:create_elf_tables. */
struct stack {
	uint64_t argc;
	uint64_t *argv, *envp, *auxv; /* auxv: pairs, up to AT_NULL */
	uint64_t auxc;		      /* words of auxv, the AT_NULL pair included */
};

static void parse_stack(uint64_t *sp, struct stack *s)
{
	s->argc = sp[0];
	s->argv = sp + 1;
	s->envp = s->argv + s->argc + 1;
	for (s->auxv = s->envp; *s->auxv; s->auxv++)
		;
	s->auxv++;
	for (s->auxc = 0; s->auxv[s->auxc] != AT_NULL; s->auxc += 2)
		;
	s->auxc += 2;
}

static long map_segment(long fd)
{
	return sp_sys6(__NR_mmap, SP_SEGMENT_ADDR, SP_SEGMENT_SIZE, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0);
}

struct attach_job {
	const struct rs_handover *ho;
	long result;
};

static void attach_by_channel(void *arg)
{
	struct attach_job *j = arg;
	int fds[2];

	rs_copy_free_some(3, -1);
	j->result = rs_fetch_fds(j->ho->sock, j->ho->sock_len, fds);
	if (!j->result)
		j->result = map_segment(fds[0]);
}

static void attach(const struct rs_handover *ho)
{
	struct attach_job j = {ho, -EMFILE};
	long r;

	if (ho->segment_fd != NONE) {
		r = map_segment(ho->segment_fd);
	} else {
		r = rs_copy_run(attach_by_channel, &j);
		r = r ? r : j.result;
	}
	if (r != (long)SP_SEGMENT_ADDR)
		rs_die(r == -ENOMEM ? "no address space for the namespace's segment (ulimit -v?)"
				    : "cannot attach to the namespace's segment",
		       FAIL);
	if (sp_ns_check(RS_NS, SP_SEGMENT_SIZE))
		rs_die("the namespace's segment is of another version", FAIL);
	if (ho->segment_fd != NONE && (int32_t)ho->segment_fd != RS_NS->segment_fd)
		sp_sys1(__NR_close, ho->segment_fd);
}

static struct rs_area *own_area(void)
{
	struct rs_area *a = (struct rs_area *)rs_main_area;

	rs_area_init(a);
	a->hand = &rs_main_hand;
	a->htid = a->htgid = sp_hpid_of((int32_t)sp_sys0(__NR_getpid));
	atomic_store(&a->owner, (uint64_t)(uint32_t)a->htgid.n << 32 | (uint32_t)a->htid.n);
	rs_altstack_install(a);
	rs_own_sigsys();
	return a;
}

/* The number that was handed over mostly is right, and the index need not be touched. */
static sp_vpid own_number(sp_vpid n, sp_hpid htgid)
{
	struct sp_ref ref = sp_pid_find(RS_NS, n);

	if (ref.slot != SP_NO_SLOT && sp_ref_hpid(RS_NS, ref).n == htgid.n)
		return n;
	return sp_pid_number(RS_NS, htgid);
}

static void install_filter(struct rs_area *a)
{
	struct sock_filter *code = (struct sock_filter *)a->scratch;
	const struct bd_trap trap = {(uint64_t)rs_text_start, (uint64_t)rs_text_end, RS_TRAP_MAGIC};
	struct {
		uint16_t len;
		struct sock_filter *filter;
	} prog;
	int n;

	_Static_assert(BD_FILTER_MAX * sizeof(struct sock_filter) <= RS_SCRATCH, "scratch");
	n = bd_filter_build(code, BD_FILTER_MAX, &trap);
	if (n < 0)
		rs_die("cannot build the filter", FAIL);
	if (sp_sys6(__NR_prctl, PR_GET_SECCOMP, 0, 0, 0, 0, 0) > 0)
		atomic_fetch_or(&RS_NS->flags, SP_SEG_FILTERED);
	prog.len = (uint16_t)n;
	prog.filter = code;
	if (sp_sys6(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0))
		rs_die("cannot set no_new_privs", FAIL);
	if (sp_sys3(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, (long)&prog) &&
	    sp_sys6(__NR_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, (long)&prog, 0, 0, 0))
		rs_die("seccomp filters are refused here", FAIL);
}

/*
 * Number 1's defaults that the kernel must not act on. Handlers are gone after exec, so everything but
 * what is ignored is at default now.
 */
static void guard_init(uint64_t which)
{
	struct ax_sigaction ign = {.handler = 1};
	uint64_t set = rs_init_ignored_in_kernel(atomic_load(&RS_NS->flags)) & which;

	atomic_store(&RS_NS->init_handled, 0);
	for (int sig = 1; sig <= RS_NSIG; sig++)
		if (set & RS_BIT(sig))
			rs_kernel_sigaction(sig, &ign, 0);
}

/* What the caller of subpid ignores is ignored by the program, not for immunity. */
static void inherit_ignored(void)
{
	struct ax_sigaction old;
	uint64_t set = 0;

	for (int sig = 1; sig <= RS_NSIG; sig++)
		if (!rs_kernel_sigaction(sig, 0, &old) && old.handler == 1)
			set |= RS_BIT(sig);
	atomic_store(&RS_NS->init_ignored, set);
}

/* The tree's filter, and then what any task's exec does. */
static _Noreturn void become(struct rs_area *a, const struct stack *s)
{
	struct rs_frame *f = a->cur;
	uint64_t path = s->argv[1], argv = (uint64_t)(s->argv + RS_HO_SLOTS);
	long r;

	install_filter(a);
	/* What the caller of subpid has left open. */
	for (int fd = 0; fd < INHERITED; fd++)
		if (rs_watch_received(fd))
			rs_die("cannot watch a descriptor", FAIL);
	rs_mask_set(f->saved_mask);
	r = rs_exec(f, a, AT_FDCWD, path, argv, (uint64_t)s->envp, 0);
	if (a->tgid.n == 1)
		atomic_store(&RS_NS->init_errno, (int32_t)-r);
	for (;;)
		sp_sys1(__NR_exit_group, r == -ENOENT ? 127 : 126);
}

static _Noreturn void first(struct rs_area *a, const struct stack *s)
{
	struct sp_ref ref = sp_pid_find_any(RS_NS, sp_vpid_of(1));
	struct rs_frame *f = a->cur;

	if (ref.slot == SP_NO_SLOT)
		rs_die("number 1 is not reserved", FAIL);
	f->saved_mask = rs_mask_set(RS_MASK_ALL);
	atomic_store(&RS_NS->init_hid, (uint32_t)a->htgid.n);
	if (sp_pid_publish(RS_NS, &ref, a->htgid))
		rs_die("number 1 is taken", FAIL);
	rs_ident_note_init(ref);
	a->tid = a->tgid = sp_vpid_of(1);
	if (sp_sys6(__NR_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0, 0))
		rs_die("cannot become subreaper", FAIL);
	inherit_ignored();
	atomic_store(&RS_NS->init_blocked, f->saved_mask);
	guard_init(~0ul);
	become(a, s);
}

/* A process that enters from outside: as the first one, but one of many. */
static _Noreturn void join(struct rs_area *a, const struct stack *s, const struct rs_handover *ho)
{
	struct sp_ref ref = sp_pid_find(RS_NS, sp_vpid_of((int32_t)ho->number));

	a->cur->saved_mask = rs_mask_set(RS_MASK_ALL);
	if (ref.slot == SP_NO_SLOT || sp_ref_hpid(RS_NS, ref).n != a->htgid.n)
		rs_die("the number of what enters is another's", FAIL);
	rs_ident_note_exactly(ref);
	a->tid = a->tgid = sp_ref_number(ref);
	become(a, s);
}

static void set_aux(const struct stack *s, uint64_t type, uint64_t value)
{
	for (uint64_t *p = s->auxv; *p != AT_NULL; p += 2)
		if (*p == type)
			p[1] = value;
}

static uint64_t string_end(uint64_t s)
{
	return s + sp_strnlen((const char *)s, 0x7fffffff) + 1;
}

/* The kernel's idea of this process: cmdline, environ, auxv, brk (PR_SET_MM_MAP needs no privilege). */
static void describe_to_kernel(const struct stack *s, const struct rs_image *img, uint64_t *sp)
{
	uint64_t argc = s->argc - RS_HO_SLOTS;
	struct ax_mm_map m = {
		.start_code = img->start_code,
		.end_code = img->end_code,
		.start_data = img->start_data,
		.end_data = img->end_data,
		.start_brk = img->brk,
		.brk = img->brk,
		.start_stack = (uint64_t)sp,
		.auxv = (uint64_t)s->auxv,
		.auxv_size = (uint32_t)(s->auxc * 8),
		.exe_fd = 0xffffffffu,
	};

	long r;

	m.arg_start = m.arg_end = s->argv[RS_HO_SLOTS];
	if (argc)
		m.arg_end = string_end(s->argv[s->argc - 1]);
	m.env_start = m.env_end = m.arg_end;
	if (s->envp[0]) {
		uint64_t *last = s->envp;

		while (last[1])
			last++;
		m.env_start = s->envp[0];
		m.env_end = string_end(*last);
	}
	r = sp_sys6(__NR_prctl, PR_SET_MM, PR_SET_MM_MAP, (long)&m, sizeof(m), 0, 0);
	if (r == -EINVAL) {
		/* Before 5.15 brk must lie behind the data, also that of a static PIE. */
		m.start_brk = m.brk = img->end;
		r = sp_sys6(__NR_prctl, PR_SET_MM, PR_SET_MM_MAP, (long)&m, sizeof(m), 0, 0);
	}
	if (r && !(atomic_load(&RS_NS->flags) & SP_SEG_NO_MM_MAP))
		atomic_fetch_or(&RS_NS->flags, SP_SEG_NO_MM_MAP);
}

static void set_comm(const char *path)
{
	const char *base = path;

	for (; *path; path++)
		if (*path == '/')
			base = path + 1;
	sp_sys6(__NR_prctl, PR_SET_NAME, (long)base, 0, 0, 0, 0);
}

/* comm of what was executed through a descriptor: its file's name since 6.14, "N" of /dev/fd/N before. */
static const char *comm_source(const char *path, char *buf)
{
	char uts[6 * 65]; /* struct new_utsname */
	int32_t major = 0, minor = 0;
	const char *rel = uts + 2 * 65;
	size_t n;
	long r;

	if (!sp_has_prefix(path, "/dev/fd/"))
		return path;
	for (size_t i = 8; path[i]; i++)
		if (path[i] == '/')
			return path;
	if (sp_sys1(__NR_uname, (long)uts))
		return path;
	n = sp_parse_dec(rel, 8, &major);
	sp_parse_dec(rel + n + 1, 8, &minor);
	if (major < 6 || (major == 6 && minor < 14))
		return path;
	r = rs_proc_exe_own(buf, 4096);
	if (r <= 0)
		return path;
	n = (size_t)r;
	/* proc(5): what readlink adds to the name of a file that is gone */
	if (n > 10 && sp_streq(buf + n - 10, " (deleted)"))
		buf[n - 10] = '\0';
	return buf;
}

struct load_job {
	const char *path;
	struct rs_image *img;
	long result;
};

static void load_by_name(void *arg)
{
	struct load_job *j = arg;

	rs_copy_free_some(2, -1);
	j->result = sp_sys3(__NR_open, (long)j->path, O_RDONLY | O_CLOEXEC, 0);
	if (j->result >= 0)
		j->result = rs_load((int)j->result, j->img);
}

/* No descriptor was free before the exec; close-on-exec may have freed one since. */
static long load_without_descriptor(const char *path, struct rs_image *img)
{
	struct load_job j = {path, img, -EMFILE};
	long r = rs_copy_run(load_by_name, &j);

	return r ? r : j.result;
}

_Noreturn void rs_start(uint64_t *sp)
{
	struct rs_handover ho;
	struct rs_image img = {0};
	struct rs_area *a;
	struct stack s;
	uint64_t *new_sp = sp + RS_HO_SLOTS;
	const char *path;
	long r;

	parse_stack(sp, &s);
	if (s.argc < RS_HO_SLOTS || rs_handover_parse((const char *)s.argv[0], &ho))
		rs_die("this file is a part of subpid and cannot be run by itself", FAIL);
	attach(&ho);
	if (ho.flags & RS_HO_KEEPER)
		rs_keeper((int)ho.target_fd, sp_hpid_of((int32_t)ho.mask), ho.flags & RS_HO_SCOPED);
	a = own_area();
	a->sigsys_blocked = !!(ho.flags & RS_HO_SIGSYS_BLOCKED);
	a->no_new_privs = !!(ho.flags & RS_HO_NO_NEW_PRIVS);
	a->children = ho.children;
	if (*ho.filters && !rs_filters_unpack(a, ho.filters))
		rs_die("no memory for the program's seccomp filters", FAIL);
	if (ho.flags & RS_HO_FIRST)
		first(a, &s);
	if (ho.flags & RS_HO_JOIN)
		join(a, &s, &ho);
	a->tid = a->tgid = own_number(sp_vpid_of((int32_t)ho.number), a->htgid);
	if (!a->tgid.n)
		rs_die("this process is not registered in its namespace", FAIL);
	rs_patch_start(a);
	if (a->tgid.n == 1) {
		atomic_fetch_and(&RS_NS->flags, ~(uint32_t)SP_SEG_THREADED);
		/* What was ignored for immunity stays so, and what is queued there stays queued. */
		guard_init(atomic_load(&RS_NS->init_handled));
		atomic_store(&RS_NS->init_blocked, ho.mask);
		atomic_store(&RS_NS->init_running, 1);
	}
	rs_main_hand.known = 1ul << (SIGSYS - 1);
	rs_main_hand.act[SIGSYS - 1].handler = !!(ho.flags & RS_HO_SIGSYS_IGNORED);
	path = (const char *)s.argv[1];
	rs_exe_said = (const char *)s.argv[ho.flags & RS_HO_SCRIPT ? 2 : 1];
	if (ho.target_fd != NONE)
		r = rs_load((int)ho.target_fd, &img);
	else
		r = load_without_descriptor(rs_exe_said, &img);
	if (r) {
		rs_say(r == -EMFILE   ? "exec failed late (no descriptor is free): "
		       : r == -ENOMEM ? "exec failed late (no address space, ulimit -v?): "
				      : "exec failed late (its addresses are taken, or its file "
					"changed): ",
		       path);
		for (;;)
			sp_sys2(__NR_kill, a->htgid.n, SIGKILL);
	}
	if (img.exec_stack)
		sp_sys3(__NR_mprotect, (long)((uint64_t)sp & ~4095ul), 4096,
			PROT_READ | PROT_WRITE | PROT_EXEC | PROT_GROWSDOWN);
	set_aux(&s, AT_PHDR, img.phdr);
	set_aux(&s, AT_PHNUM, img.phnum);
	set_aux(&s, AT_BASE, img.base);
	set_aux(&s, AT_ENTRY, img.own_entry);
	set_aux(&s, AT_EXECFN, s.argv[1]);
	describe_to_kernel(&s, &img, new_sp);
	set_comm(comm_source(path, a->scratch));
	new_sp[0] = s.argc - RS_HO_SLOTS;
	rs_text_refresh(a, 0, ho.mask);
	if (a->tgid.n == 1)
		rs_init_discard(~ho.mask); /* came for a handler that is gone */
	rs_mask_set(ho.mask);
	rs_report_image();
	rs_enter((uint64_t)new_sp, img.entry);
}
