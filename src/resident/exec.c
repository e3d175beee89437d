/* SPDX-License-Identifier: Apache-2.0 */
/*
 * execve and execveat: the process executes the resident again, which then maps the program. What the
 * kernel would refuse is refused here, on an open descriptor and before anything is lost; `#!` lines are
 * followed here too (fs/binfmt_script.c), because the kernel only ever sees the resident.
 */
#include <asm/unistd.h>
#include <elf.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/signal.h>
#include <linux/stat.h>

#include "arch/x86_64/syscall.h"
#include "arch/x86_64/uapi.h"
#include "resident/filters.h"
#include "resident/handlers.h"
#include "resident/handover.h"
#include "resident/load.h"
#include "resident/proc.h"
#include "resident/text.h"
#include "resident/resident.h"
#include "resident/script.h"
#include "resident/trace.h"
#include "resident/user.h"

#define HDR 256 /* BINPRM_BUF_SIZE, include/uapi/linux/binfmts.h */
#define PATH_CAP 4096
#define DEPTH_MAX 5 /* fs/exec.c:exec_binprm */
#define PIECES (2 * DEPTH_MAX + 4)
#define SMALL 48 /* argv entries that need no mapping */
#define NEAR 880 /* bytes read at once: mostly 13 program headers and the interpreter's name */
#define BATCH ((unsigned int)((NEAR - sizeof(Elf64_Ehdr)) / sizeof(Elf64_Phdr)))
#define NONE 0xffffffffu

/* Lies in the area's scratch: a vfork child's is the parent's, which sleeps. */
struct plan {
	char path[PATH_CAP];
	char hdr[HDR];
	char ho[RS_HO_MAX];
	char pool[2600]; /* strings of `#!` lines */
	uint64_t small[SMALL + PIECES];
	const char *pieces[PIECES]; /* in front of the program's argv[1..], first one first */
	uint32_t npieces, pool_used;
	char fdpath[32]; /* /dev/fd/N */
};
_Static_assert(sizeof(struct plan) <= RS_SCRATCH - RS_PROC_HOLD_MAX,
	       "scratch: the name is kept there");

/* An execute-only or special file must not be opened before it is known to be executable. */
static long may_execute(int dirfd, const char *path, uint32_t flags)
{
	long r = sp_sys4(__NR_faccessat2, dirfd, (long)path, 1 /* X_OK */, AT_EACCESS | (long)flags);

	/* Before 5.8, or refused by an outer filter that does not know it. */
	if (r == -ENOSYS || (r == -EPERM && !(flags & AT_EMPTY_PATH)))
		r = sp_sys3(__NR_faccessat, dirfd, (long)path, 1);
	if ((r == -ENOSYS || r == -EPERM) && flags & AT_EMPTY_PATH)
		r = 0;
	return r;
}

/* -ETXTBSY if somebody has it open for writing: a read lease is refused then (fcntl(2), F_SETLEASE). */
static long text_busy(long fd)
{
	sp_sys3(__NR_fcntl, fd, 10 /* F_SETSIG */, SIGURG);
	if (sp_sys3(__NR_fcntl, fd, F_SETLEASE, 0 /* F_RDLCK */) == -EAGAIN)
		return -ETXTBSY;
	sp_sys3(__NR_fcntl, fd, F_SETLEASE, 2 /* F_UNLCK */);
	return 0;
}

/* A program that has rights of its own outside and none here: says so, or refuses it. */
static long judge_setid(const struct ax_stat *st, const char *path, long fd)
{
	bool strict = atomic_load(&RS_NS->flags) & SP_SEG_STRICT;
	bool uid = st->mode & S_ISUID && st->uid != (uint32_t)sp_sys0(__NR_geteuid);
	bool gid = (st->mode & (S_ISGID | 010)) == (S_ISGID | 010) &&
		   st->gid != (uint32_t)sp_sys0(__NR_getegid);
	bool caps = strict && sp_sys0(__NR_geteuid) &&
		    sp_sys4(__NR_fgetxattr, fd, (long)"security.capability", 0, 0) > 0;

	if (strict && (uid || gid || caps)) {
		rs_say("refused, it would run without the privileges of its file (--strict): ", path);
		return -EPERM;
	}
	if (uid || gid)
		rs_say("set-user-ID is without effect inside (no_new_privs): ", path);
	return 0;
}

/* A descriptor's file, also of an O_PATH one: anew where /proc allows it, otherwise as it is. */
static long reopen(struct plan *p, int dirfd)
{
	struct sp_text t;
	long fd;

	sp_text_init(&t, p->hdr, HDR);
	sp_text_str(&t, "/proc/self/fd/");
	sp_text_dec(&t, dirfd);
	fd = sp_sys3(__NR_open, (long)p->hdr, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
	return fd == -ENOENT || fd == -EACCES ? sp_sys3(__NR_fcntl, dirfd, F_DUPFD_CLOEXEC, 3) : fd;
}

/* Opens what is to be executed: a descriptor (close-on-exec) or -errno as execve(2) lists them. */
static long open_target(struct plan *p, int dirfd, const char *path, uint32_t flags)
{
	struct ax_stat st;
	long fd, r;

	if (!*path && dirfd == AT_FDCWD)
		return -EACCES; /* AT_EMPTY_PATH: the working directory */
	r = may_execute(dirfd, path, flags & (AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW));
	if (r)
		return r;
	if (flags & AT_EMPTY_PATH && !*path)
		fd = reopen(p, dirfd);
	else
		fd = sp_sys4(__NR_openat, dirfd, (long)path,
			     O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY |
				     (flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0),
			     0);
	if (fd < 0) {
		if (fd == -EACCES && !sp_has_prefix(path, "/proc/"))
			rs_say("a program must be readable to be executed inside: ", path);
		return fd == -ENXIO ? -EACCES : fd;
	}
	r = sp_sys2(__NR_fstat, fd, (long)&st);
	if (!r && (st.mode & S_IFMT) != S_IFREG)
		r = -EACCES;
	/* Leases are the owner's to take (fs/locks.c:generic_setlease). */
	if (!r && st.uid == (uint32_t)sp_sys0(__NR_geteuid))
		r = text_busy(fd);
	if (!r)
		r = judge_setid(&st, path, fd);
	if (r < 0) {
		sp_sys1(__NR_close, fd);
		return r;
	}
	return fd;
}

static const char *keep(struct plan *p, const char *s, size_t n)
{
	char *to = p->pool + p->pool_used;

	if (p->pool_used + n + 1 > sizeof(p->pool))
		return 0;
	memcpy(to, s, n);
	to[n] = '\0';
	p->pool_used += (uint32_t)n + 1;
	return to;
}

/* Puts [interpreter, argument] in front; *ret_interp is the next file. */
static long script(struct plan *p, const char *name, bool first, const char **ret_interp)
{
	struct rs_script sc;
	const char *line[3];
	long r = rs_script_parse(p->hdr, p->hdr + HDR, &sc);
	uint32_t n = 0;

	if (r)
		return r;
	line[n++] = *ret_interp = keep(p, sc.interp, sc.interp_len);
	if (sc.arg_len)
		line[n++] = keep(p, sc.arg, sc.arg_len);
	line[n++] = name;
	if (!line[0] || !line[1] || p->npieces + n > PIECES)
		return -ENOEXEC;
	/* An earlier level's argv[0] is replaced by this level's line. */
	if (!first) {
		memmove(p->pieces, p->pieces + 1, (p->npieces - 1) * sizeof(p->pieces[0]));
		p->npieces--;
	}
	memmove(p->pieces + n, p->pieces, p->npieces * sizeof(p->pieces[0]));
	memcpy(p->pieces, line, n * sizeof(line[0]));
	p->npieces += n;
	return 0;
}

/* What the kernel has to be given for an interpreter below /proc/N; links that lead there are not looked for. */
static long host_name(struct plan *p, const char **file)
{
	struct rs_area *a = rs_area_here();
	size_t len = sp_strnlen(*file, PATH_CAP);
	struct bd_procpath at;
	struct sp_text t;
	long r;

	bd_procpath_parse(NULL, *file, len, &at);
	if (at.kind == BD_PROC_NOT || rs_proc_root(a) != RS_ROOT_PROC)
		return 0;
	if (at.leaf == BD_LEAF_EXE) {
		char *to = p->pool + p->pool_used;
		size_t room = sizeof(p->pool) - p->pool_used;

		r = rs_proc_own(a, &at) ? rs_proc_exe_own(to, room)
					: rs_proc_exe_of(rs_text_task(a, &at), to, room);
		if (r <= 0)
			return r;
		*file = to;
		p->pool_used += (uint32_t)r + 1;
		return 0;
	}
	if (at.kind != BD_PROC_PID)
		return 0;
	sp_text_init(&t, p->pool + p->pool_used, sizeof(p->pool) - p->pool_used);
	sp_text_str(&t, "/proc/");
	r = rs_proc_host_tail(a, &at, &t);
	if (r)
		return r;
	sp_text_char(&t, '/');
	sp_text_bytes(&t, *file + at.rest, len - at.rest);
	if (t.overflow)
		return -ENAMETOOLONG;
	*file = t.buf;
	p->pool_used += (uint32_t)t.len + 1;
	return 0;
}

/* The beginning of a file: its headers, and often more that is wanted. */
struct near {
	union {
		Elf64_Ehdr eh;
		char bytes[NEAR];
	};
	uint64_t got;
};

/* The interpreter an ELF file asks for must be there and executable: fs/binfmt_elf.c. */
static long check_interp(struct plan *p, long fd, const struct near *near, const Elf64_Phdr *ph)
{
	uint64_t n = ph->p_filesz, at = ph->p_offset;
	char *buf = p->pool + p->pool_used;
	long r;

	if (n < 2 || n > PATH_CAP)
		return -ENOEXEC;
	if (n > sizeof(p->pool) - p->pool_used)
		return -ENAMETOOLONG;
	if (at < near->got && n <= near->got - at) {
		memcpy(buf, near->bytes + at, n);
	} else {
		r = sp_sys4(__NR_pread64, fd, (long)buf, (long)n, (long)at);
		if (r != (long)n)
			return r < 0 ? r : -ENOEXEC;
	}
	return buf[n - 1] ? -ENOEXEC : may_execute(AT_FDCWD, buf, 0);
}

/* Program headers that were not read with the first bytes are read into their place. */
static long check_elf(struct plan *p, long fd, const char *path, struct near *near)
{
	const Elf64_Ehdr eh = near->eh;
	Elf64_Phdr *some = (Elf64_Phdr *)(near->bytes + sizeof(eh));
	Elf64_Phdr interp = {.p_type = PT_NULL};
	bool load = false, all;
	long r;

	if (memcmp(eh.e_ident, ELFMAG, SELFMAG))
		return -ENOEXEC;
	if (eh.e_ident[EI_CLASS] == ELFCLASS32) {
		rs_say("32-bit programs are not supported: ", path);
		return -ENOEXEC;
	}
	if (eh.e_machine != EM_X86_64 || (eh.e_type != ET_EXEC && eh.e_type != ET_DYN) ||
	    eh.e_phentsize != sizeof(Elf64_Phdr) || !eh.e_phnum || eh.e_phnum > RS_PHDRS_MAX)
		return -ENOEXEC;
	all = eh.e_phoff == sizeof(eh) && eh.e_phnum <= BATCH &&
	      near->got >= sizeof(eh) + eh.e_phnum * sizeof(*some);
	for (unsigned int i = 0; i < eh.e_phnum; i++) {
		const Elf64_Phdr *ph = &some[i % BATCH];
		long n = eh.e_phnum - i < BATCH ? eh.e_phnum - i : BATCH;

		if (ph == some && !all) {
			near->got = 0;
			n *= (long)sizeof(*ph);
			r = sp_sys4(__NR_pread64, fd, (long)some, n,
				    (long)(eh.e_phoff + i * sizeof(*ph)));
			if (r != n)
				return r < 0 ? r : -ENOEXEC;
		}
		load |= ph->p_type == PT_LOAD;
		if (ph->p_type == PT_LOAD && eh.e_type == ET_EXEC && ph->p_vaddr < SP_WINDOW_END &&
		    ph->p_vaddr + ph->p_memsz > SP_WINDOW_START) {
			rs_say("its addresses are subpid's own: ", path);
			return -ENOEXEC;
		}
		if (ph->p_type == PT_INTERP && interp.p_type == PT_NULL)
			interp = *ph;
	}
	r = interp.p_type == PT_NULL ? 0 : check_interp(p, fd, near, &interp);
	return r || load ? r : -ENOEXEC;
}

/* What the file is, by its first bytes: 1 a script, 0 a program, or -errno. */
static __attribute__((noinline)) long judge(struct plan *p, long fd, const char *path)
{
	struct near near = {.got = 0};
	long r = sp_sys4(__NR_pread64, fd, (long)near.bytes, NEAR, 0);

	if (r < 0)
		return r == -EBADF ? -EACCES : r; /* O_PATH and no /proc */
	near.got = (uint64_t)r;
	memcpy(p->hdr, near.bytes, HDR);
	return p->hdr[0] == '#' && p->hdr[1] == '!' ? 1 : check_elf(p, fd, path, &near);
}

/* Follows `#!` lines to an ELF file; returns its descriptor. */
static long resolve(struct plan *p, int dirfd, const char *path, uint32_t flags, const char *name)
{
	const char *file = path, *said = name;

	for (int depth = 0;; depth++) {
		long fd, r;

		if (depth > DEPTH_MAX)
			return -ELOOP;
		fd = depth ? open_target(p, AT_FDCWD, file, 0) : open_target(p, dirfd, file, flags);
		if (fd < 0)
			return fd;
		r = judge(p, fd, file);
		if (!r)
			return fd;
		sp_sys1(__NR_close, fd);
		if (r < 0)
			return r;
		r = script(p, said, !depth, &said);
		file = said;
		if (!r)
			r = host_name(p, &file);
		if (r)
			return r;
	}
}

/* The same without a free descriptor: looks, and the new image opens the file by name. */
struct look {
	struct plan *p;
	int dirfd;
	uint32_t flags;
	const char *name;
	long result;
};

static void look_job(void *arg)
{
	struct look *l = arg;

	rs_copy_free_some(2, l->dirfd);
	l->p->npieces = 0;
	l->result = resolve(l->p, l->dirfd, l->p->path, l->flags, l->name);
}

static long resolve_full(struct plan *p, int dirfd, uint32_t flags, const char *name)
{
	struct look l = {p, dirfd, flags, name, -EMFILE};
	long r;

	/* By name only: what a descriptor names cannot be found again afterwards. */
	if (name == p->fdpath || dirfd != AT_FDCWD)
		return -EMFILE;
	r = rs_copy_run(look_job, &l);
	return r ? r : l.result < 0 ? l.result : (long)NONE;
}

/* Number of pointers before the NULL, or -EFAULT. With to: copies them (room was counted before). */
static long walk_argv(uint64_t argv, uint64_t *to, long max)
{
	uint64_t some[16];
	long n = 0;

	while (argv) {
		size_t room = (4096 - (argv & 4095)) / 8;
		long r;

		if (!room)
			room = 1;
		if (room > 16)
			room = 16;
		r = rs_user_read(some, argv, room * 8);
		if (r)
			return r;
		for (size_t i = 0; i < room; i++, n++) {
			if (!some[i])
				return n;
			if (to && n < max)
				to[n] = some[i];
		}
		argv += room * 8;
		if (n > 0x7ffffff)
			return -E2BIG;
	}
	return 0;
}

/* The new image's argument vector: hand-over, program path, pieces, the program's own. */
static long go(struct rs_area *a, struct plan *p, struct rs_frame *f, long target, const char *name,
	       uint64_t argv, uint64_t envp)
{
	struct rs_handover ho = {
		.target_fd = (uint32_t)target,
		.flags = 0,
		.mask = f->saved_mask,
		.number = (uint32_t)a->tgid.n,
		.children = a->children,
	};
	long n = walk_argv(argv, 0, 0), at = 0, drop, r, seg;
	uint64_t *vec = p->small;
	uint64_t bytes = 0, room;
	char *text = p->ho;

	if (n < 0)
		return n;
	seg = rs_segment_fd_ensure();
	if (seg == -EMFILE || seg == -ETOOMANYREFS) {
		/* Not one descriptor is left: the new image fetches the segment itself. */
		seg = NONE;
		ho.sock = RS_NS->sock_name;
		ho.sock_len = RS_NS->sock_len;
	}
	if (seg < 0)
		return seg;
	ho.segment_fd = (uint32_t)seg;
	if (p->npieces)
		ho.flags |= RS_HO_SCRIPT;
	if (a->no_new_privs)
		ho.flags |= RS_HO_NO_NEW_PRIVS;
	if (a->sigsys_blocked)
		ho.flags |= RS_HO_SIGSYS_BLOCKED;
	if (a->hand->known & (1ul << (SIGSYS - 1)) && a->hand->act[SIGSYS - 1].handler == 1)
		ho.flags |= RS_HO_SIGSYS_IGNORED;
	rs_handover_format(p->ho, &ho);
	room = rs_filters_room(a);
	if (n > SMALL - 4 || room) {
		uint64_t vec_bytes = (uint64_t)(n + PIECES + 8) * 8;

		bytes = (vec_bytes + RS_HO_MAX + room + 4095) & ~4095ul;
		r = sp_sys6(__NR_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (sp_is_err(r))
			goto out;
		vec = (uint64_t *)r;
		a->map_addr = (uint64_t)r;
		a->map_size = bytes;
		text = (char *)vec + vec_bytes;
		memcpy(text, p->ho, RS_HO_MAX);
		rs_filters_pack(a, text + sp_strnlen(text, RS_HO_MAX - 1));
	}
	vec[at++] = (uint64_t)text;
	vec[at++] = (uint64_t)name;
	for (uint32_t i = 0; i < p->npieces; i++)
		vec[at++] = (uint64_t)p->pieces[i];
	r = walk_argv(argv, vec + at, n);
	if (r > 0) {
		/* A script's line replaces argv[0]. */
		drop = p->npieces ? 1 : 0;
		memmove(vec + at, vec + at + drop, (size_t)(r - drop) * 8);
		at += r - drop;
	} else if (!p->npieces) {
		vec[at++] = (uint64_t) ""; /* fs/exec.c: an empty argv gets an empty argv[0] */
	}
	vec[at] = 0;
	if (r >= 0) {
		if (target != NONE)
			sp_sys3(__NR_fcntl, target, F_SETFD, 0);
		/* What is held back stays pending in the kernel, which keeps it across exec. */
		rs_sigsys_release(a);
		rs_traceme_now(a);
		r = rs_exec_resident((uint64_t)vec, envp);
	}
	if (bytes) {
		a->map_size = 0;
		sp_sys2(__NR_munmap, (long)vec, (long)bytes);
	}
out:
	if (seg != RS_NS->segment_fd && seg != NONE)
		sp_sys1(__NR_close, seg);
	return r;
}

long rs_exec(struct rs_frame *f, struct rs_area *a, int dirfd, uint64_t path, uint64_t argv,
	     uint64_t envp, uint32_t flags)
{
	struct plan *p = (struct plan *)a->scratch;
	const char *name = p->path, *said, *host;
	struct sp_text t;
	long r, fd;

	if (flags & ~(uint32_t)(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		return -EINVAL;
	p->npieces = 0;
	p->pool_used = 0;
	rs_block(f);
	r = rs_proc_exec_path(a, dirfd, path, flags, &said, &host);
	if (!r && !*said && !(flags & AT_EMPTY_PATH))
		r = -ENOENT;
	if (r < 0)
		return rs_unblock(f, r);
	memmove(p->path, host, sp_strnlen(host, PATH_CAP - 1) + 1);
	p->path[PATH_CAP - 1] = '\0';
	if (r) {
		/* The program sees the name it used; what is opened is another one. */
		name = keep(p, said, sp_strnlen(said, PATH_CAP));
		if (!name)
			return rs_unblock(f, -ENAMETOOLONG);
	}
	if (dirfd != AT_FDCWD && p->path[0] != '/') {
		/* fs/exec.c:alloc_bprm: the name of what a descriptor names */
		sp_text_init(&t, p->fdpath, sizeof(p->fdpath));
		sp_text_str(&t, "/dev/fd/");
		sp_text_dec(&t, dirfd);
		if (p->path[0]) {
			char *to = p->pool + p->pool_used;

			sp_text_init(&t, to, (sizeof(p->pool) - p->pool_used) / 2);
			sp_text_str(&t, p->fdpath);
			sp_text_char(&t, '/');
			sp_text_str(&t, p->path);
			if (t.overflow)
				return rs_unblock(f, -ENAMETOOLONG);
			p->pool_used += (uint32_t)t.len + 1;
			name = to;
		} else {
			name = p->fdpath;
		}
	}
	fd = resolve(p, dirfd, p->path, flags, name);
	if (fd == -EMFILE)
		fd = resolve_full(p, dirfd, flags, name);
	/* A script behind a close-on-exec descriptor is gone when its interpreter looks: fs/exec.c */
	if (fd >= 0 && p->npieces && name != p->path &&
	    sp_sys2(__NR_fcntl, dirfd, F_GETFD) & FD_CLOEXEC) {
		sp_sys1(__NR_close, fd);
		fd = -ENOENT;
	}
	if (fd < 0)
		return rs_unblock(f, fd);
	r = go(a, p, f, fd, name, argv, envp);
	if (fd != NONE)
		sp_sys1(__NR_close, fd);
	return rs_unblock(f, r);
}

long rs_h_execve(struct rs_frame *f, struct rs_area *a)
{
	return rs_exec(f, a, AT_FDCWD, (uint64_t)f->a[0], (uint64_t)f->a[1], (uint64_t)f->a[2], 0);
}

long rs_h_execveat(struct rs_frame *f, struct rs_area *a)
{
	return rs_exec(f, a, (int)f->a[0], (uint64_t)f->a[1], (uint64_t)f->a[2], (uint64_t)f->a[3],
		       (uint32_t)f->a[4]);
}
