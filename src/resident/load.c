/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ELF loader. Everything it needs was checked before the exec (exec.c); what fails now fails as a
 * late exec does in the kernel, by killing the process.
 */
#include "resident/load.h"

#include <asm/unistd.h>
#include <elf.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mman.h>

#include "arch/x86_64/syscall.h"
#include "base/fmt.h"
#include "resident/proc.h"
#include "resident/resident.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#define PAGE 4096ul
#define DYN_BASE 0x555555554000ul /* ELF_ET_DYN_BASE: two thirds of the task's size */
#define RND_BITS 28		  /* mmap_rnd_bits, the default of x86-64 */
#define BRK_RND 0x02000000ul	  /* arch/x86/kernel/process.c:arch_randomize_brk */
#define ADDR_NO_RANDOMIZE 0x0040000
#define PHDRS_MAX RS_PHDRS_MAX
#define PHDRS_NEAR 16

static uint64_t up(uint64_t v)
{
	return (v + PAGE - 1) & ~(PAGE - 1);
}

static uint64_t down(uint64_t v)
{
	return v & ~(PAGE - 1);
}

static uint64_t entropy[2];
static bool randomise;

/* Two numbers for the two places that are random; asked for once an image. */
static void gather_entropy(void)
{
	randomise = !(sp_sys1(__NR_personality, 0xffffffffl) & ADDR_NO_RANDOMIZE) &&
		    sp_sys3(__NR_getrandom, (long)entropy, sizeof(entropy), 1 /* GRND_NONBLOCK */) ==
			    sizeof(entropy);
}

/* Random pages below limit bytes; 0 for a personality without randomisation. */
static uint64_t random_pages(int which, uint64_t limit)
{
	return randomise ? entropy[which] % (limit / PAGE) * PAGE : 0;
}

struct elf {
	int fd;
	Elf64_Ehdr eh;
	Elf64_Phdr ph[PHDRS_MAX];
	uint64_t bias;
	uint64_t lo, hi; /* of all PT_LOAD, before bias; hi is page aligned */
	uint64_t align;
	bool has_interp;
};

static struct elf prog, interp; /* too large for the stack; touched once, before the program runs */

static long read_headers(struct elf *e, int fd)
{
	/* The program headers mostly follow at once, so one read has both. */
	long got = sp_sys4(__NR_pread64, fd, (long)&e->eh,
			   sizeof(e->eh) + PHDRS_NEAR * sizeof(e->ph[0]), 0);
	long n, r;

	_Static_assert(offsetof(struct elf, ph) == offsetof(struct elf, eh) + sizeof(Elf64_Ehdr),
		       "read together");
	e->fd = fd;
	e->lo = ~0ul;
	e->align = PAGE;
	if (got < (long)sizeof(e->eh))
		return got < 0 ? got : -ENOEXEC;
	if (memcmp(e->eh.e_ident, ELFMAG, SELFMAG) || e->eh.e_machine != EM_X86_64 ||
	    e->eh.e_phentsize != sizeof(Elf64_Phdr))
		return -ELIBBAD;
	if (e->eh.e_phnum > PHDRS_MAX)
		return -ENOEXEC;
	n = (long)(e->eh.e_phnum * sizeof(Elf64_Phdr));
	if (e->eh.e_phoff != sizeof(e->eh) || e->eh.e_phnum > PHDRS_NEAR ||
	    got < (long)sizeof(e->eh) + n) {
		r = sp_sys4(__NR_pread64, fd, (long)e->ph, n, (long)e->eh.e_phoff);
		if (r != n)
			return r < 0 ? r : -ENOEXEC;
	}
	for (unsigned int i = 0; i < e->eh.e_phnum; i++) {
		const Elf64_Phdr *ph = &e->ph[i];

		if (ph->p_type == PT_INTERP)
			e->has_interp = true;
		if (ph->p_type != PT_LOAD)
			continue;
		if (down(ph->p_vaddr) < e->lo)
			e->lo = down(ph->p_vaddr);
		if (up(ph->p_vaddr + ph->p_memsz) > e->hi)
			e->hi = up(ph->p_vaddr + ph->p_memsz);
		if (ph->p_align > e->align && !(ph->p_align & (ph->p_align - 1)))
			e->align = ph->p_align;
	}
	return e->lo < e->hi ? 0 : -ENOEXEC;
}

static int prot_of(const Elf64_Phdr *ph)
{
	return (ph->p_flags & PF_R ? PROT_READ : 0) | (ph->p_flags & PF_W ? PROT_WRITE : 0) |
	       (ph->p_flags & PF_X ? PROT_EXEC : 0);
}

/* Where a position-independent file goes; base of the whole span, reserved by its first mapping. */
static long place(struct elf *e, bool low)
{
	uint64_t span = e->hi - e->lo, want = 0;
	long r = -ENOMEM;

	for (int tries = 0; low && tries < 8 && r < 0; tries++) {
		want = DYN_BASE + random_pages(0, 1ul << (RND_BITS + 12));
		entropy[0] = entropy[0] * 6364136223846793005ul + 1; /* if that place is taken */
		want = want & ~(e->align - 1);
		r = sp_sys6(__NR_mmap, (long)want, (long)span, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE, -1, 0);
	}
	if (!low) {
		/* Room for the alignment; what is too much goes back. */
		uint64_t extra = e->align > PAGE ? e->align : 0;

		r = sp_sys6(__NR_mmap, 0, (long)(span + extra), PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (!sp_is_err(r) && extra) {
			uint64_t got = (uint64_t)r, at = (got + e->align - 1) & ~(e->align - 1);

			if (at > got)
				sp_sys2(__NR_munmap, (long)got, (long)(at - got));
			if (got + extra > at)
				sp_sys2(__NR_munmap, (long)(at + span), (long)(got + extra - at));
			r = (long)at;
		}
	}
	if (sp_is_err(r))
		return r;
	e->bias = (uint64_t)r - e->lo;
	return 0;
}

static long zero_tail(const Elf64_Phdr *ph, uint64_t bias)
{
	uint64_t from = bias + ph->p_vaddr + ph->p_filesz, to = bias + ph->p_vaddr + ph->p_memsz;
	uint64_t page = up(from);
	long r;

	if (ph->p_filesz && from < page && ph->p_flags & PF_W && to > from)
		memset((void *)from, 0, page - from);
	if (!ph->p_filesz)
		page = down(from);
	if (up(to) <= page)
		return 0;
	r = sp_sys6(__NR_mmap, (long)page, (long)(up(to) - page), prot_of(ph),
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	return sp_is_err(r) ? r : 0;
}

/* Maps all segments. A fixed file must not replace anything that is there. */
static long map_all(struct elf *e, bool reserved)
{
	uint64_t end = 0;
	long r;

	for (unsigned int i = 0; i < e->eh.e_phnum; i++) {
		const Elf64_Phdr *ph = &e->ph[i];
		uint64_t at = e->bias + down(ph->p_vaddr);
		uint64_t skew = ph->p_vaddr & (PAGE - 1);
		bool ours = reserved || at < end; /* segments may share a page */

		if (ph->p_type != PT_LOAD || !ph->p_memsz)
			continue;
		/* Gaps between segments belong to nobody, as when the kernel maps them. */
		if (reserved && end && at > end)
			sp_sys2(__NR_munmap, (long)end, (long)(at - end));
		if (ph->p_filesz) {
			r = sp_sys6(__NR_mmap, (long)at, (long)(ph->p_filesz + skew), prot_of(ph),
				    MAP_PRIVATE | (ours ? MAP_FIXED : MAP_FIXED_NOREPLACE), e->fd,
				    (long)(ph->p_offset - skew));
			if (sp_is_err(r))
				return r;
			if ((uint64_t)r != at) /* before 4.17 the flag is a hint */
				return -EEXIST;
		}
		r = zero_tail(ph, e->bias);
		if (r)
			return r;
		end = up(e->bias + ph->p_vaddr + ph->p_memsz);
	}
	return 0;
}

char rs_exe_path[4096];

static void note_exe(int fd)
{
	char link[32];
	struct sp_text t;
	long n;

	sp_text_init(&t, link, sizeof(link));
	sp_text_str(&t, "/proc/self/fd/");
	sp_text_dec(&t, fd);
	n = sp_sys3(__NR_readlink, (long)link, (long)rs_exe_path, sizeof(rs_exe_path) - 1);
	rs_exe_path[n > 0 ? n : 0] = '\0';
}

/* The interpreter's path, kept where its headers go afterwards. */
static long read_interp_path(void)
{
	char *path = (char *)interp.ph;
	const Elf64_Phdr *ph = prog.ph;
	long r;

	while (ph->p_type != PT_INTERP)
		ph++;
	if (ph->p_filesz < 2 || ph->p_filesz > sizeof(interp.ph))
		return -ENOEXEC;
	r = sp_sys4(__NR_pread64, prog.fd, (long)path, (long)ph->p_filesz, (long)ph->p_offset);
	return r != (long)ph->p_filesz || path[ph->p_filesz - 1] ? -ENOEXEC : 0;
}

static long load_interp(struct rs_image *img)
{
	const char *path = (const char *)interp.ph;
	long r, fd;

	fd = sp_sys3(__NR_open, (long)path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	r = read_headers(&interp, (int)fd);
	if (!r && interp.eh.e_type == ET_DYN)
		r = place(&interp, false);
	if (!r)
		r = map_all(&interp, interp.eh.e_type == ET_DYN);
	sp_sys1(__NR_close, fd);
	img->base = interp.bias;
	img->entry = interp.bias + interp.eh.e_entry;
	return r;
}

/* AT_PHDR: where the file's program headers are in memory. */
static uint64_t phdr_address(void)
{
	for (unsigned int i = 0; i < prog.eh.e_phnum; i++) {
		const Elf64_Phdr *ph = &prog.ph[i];

		if (ph->p_type == PT_LOAD && prog.eh.e_phoff >= ph->p_offset &&
		    prog.eh.e_phoff < ph->p_offset + ph->p_filesz)
			return prog.bias + prog.eh.e_phoff - ph->p_offset + ph->p_vaddr;
	}
	return 0;
}

static void describe(struct rs_image *img)
{
	img->start_code = ~0ul;
	for (unsigned int i = 0; i < prog.eh.e_phnum; i++) {
		const Elf64_Phdr *ph = &prog.ph[i];
		uint64_t from = prog.bias + ph->p_vaddr, to = from + ph->p_filesz;

		if (ph->p_type == PT_GNU_STACK)
			img->exec_stack = ph->p_flags & PF_X;
		if (ph->p_type != PT_LOAD)
			continue;
		if (ph->p_flags & PF_X && from < img->start_code)
			img->start_code = from;
		if (ph->p_flags & PF_X && to > img->end_code)
			img->end_code = to;
		if (from > img->start_data)
			img->start_data = from;
		if (to > img->end_data)
			img->end_data = to;
	}
	if (img->start_code > img->end_code)
		img->start_code = img->end_code;
}

long rs_load(int fd, struct rs_image *img)
{
	bool dyn;
	long r = read_headers(&prog, fd);

	if (r)
		return r;
	note_exe(fd);
	gather_entropy();
	dyn = prog.eh.e_type == ET_DYN;
	/* A static PIE (and an interpreter run by hand) goes where mmap puts it. */
	if (dyn)
		r = place(&prog, prog.has_interp);
	if (!r)
		r = map_all(&prog, dyn);
	if (!r && prog.has_interp)
		r = read_interp_path();
	sp_sys1(__NR_close, fd);
	if (r)
		return r;
	img->own_entry = img->entry = prog.bias + prog.eh.e_entry;
	img->phdr = phdr_address();
	img->phnum = prog.eh.e_phnum;
	describe(img);
	img->end = prog.bias + prog.hi;
	img->brk = dyn && !prog.has_interp ? DYN_BASE : prog.bias + prog.hi;
	img->brk += random_pages(1, BRK_RND);
	return prog.has_interp ? load_interp(img) : 0;
}
