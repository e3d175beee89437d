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
#define NEAR 1408 /* bytes read at once: mostly the headers and the interpreter's name */

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

/* Of one file at a time, in the area's scratch: its first page is one that the first trap will need. */
struct elf {
	int fd;
	bool has_interp;
	uint64_t bias;
	uint64_t lo, hi; /* of all PT_LOAD, before bias; hi is page aligned */
	uint64_t align;
	uint64_t got; /* bytes of the file from eh on */
	Elf64_Ehdr eh;
	Elf64_Phdr ph[PHDRS_MAX];
};
_Static_assert(sizeof(struct elf) <= PAGE, "one page");
_Static_assert(offsetof(struct elf, ph) == offsetof(struct elf, eh) + sizeof(Elf64_Ehdr),
	       "read together");

static long read_headers(struct elf *e, int fd)
{
	long got = sp_sys4(__NR_pread64, fd, (long)&e->eh, NEAR, 0), n, r;

	memset(e, 0, offsetof(struct elf, eh));
	e->fd = fd;
	e->lo = ~0ul;
	e->align = PAGE;
	if (got < (long)sizeof(e->eh))
		return got < 0 ? got : -ENOEXEC;
	e->got = (uint64_t)got;
	if (memcmp(e->eh.e_ident, ELFMAG, SELFMAG) || e->eh.e_machine != EM_X86_64 ||
	    e->eh.e_phentsize != sizeof(Elf64_Phdr))
		return -ELIBBAD;
	if (e->eh.e_phnum > PHDRS_MAX)
		return -ENOEXEC;
	n = (long)(e->eh.e_phnum * sizeof(Elf64_Phdr));
	if (e->eh.e_phoff != sizeof(e->eh) || got < (long)sizeof(e->eh) + n) {
		e->got = 0;
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

/*
 * Where a position-independent file goes if mmap is to say it: the whole span is reserved, by the first
 * segment where nothing has to be aligned, as the kernel does it (fs/binfmt_elf.c:elf_load).
 */
static long reserve(struct elf *e)
{
	const Elf64_Phdr *ph = e->ph;
	uint64_t span = e->hi - e->lo, extra = e->align > PAGE ? e->align : 0, at;
	long r;

	while (ph->p_type != PT_LOAD)
		ph++;
	if (!extra && ph->p_filesz && down(ph->p_vaddr) == e->lo)
		r = sp_sys6(__NR_mmap, 0, (long)span, prot_of(ph), MAP_PRIVATE, e->fd,
			    (long)(ph->p_offset - (ph->p_vaddr & (PAGE - 1))));
	else
		r = sp_sys6(__NR_mmap, 0, (long)(span + extra), PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (sp_is_err(r))
		return r;
	if (extra) { /* what is too much goes back */
		at = ((uint64_t)r + extra - 1) & ~(extra - 1);
		if (at > (uint64_t)r)
			sp_sys2(__NR_munmap, r, (long)(at - (uint64_t)r));
		if ((uint64_t)r + extra > at)
			sp_sys2(__NR_munmap, (long)(at + span), (long)((uint64_t)r + extra - at));
		r = (long)at;
	}
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

/*
 * Maps the segments. Without a reservation nothing that is there may be replaced. *ret_n: how many were looked at, the
 * one that failed not included.
 */
static long map_segments(struct elf *e, bool reserved, unsigned int *ret_n)
{
	uint64_t end = 0;
	bool first = true;
	long r;

	for (unsigned int i = *ret_n = 0; i < e->eh.e_phnum; i++, *ret_n = i) {
		const Elf64_Phdr *ph = &e->ph[i];
		uint64_t at = e->bias + down(ph->p_vaddr);
		uint64_t skew = ph->p_vaddr & (PAGE - 1), size = ph->p_filesz + skew;
		bool ours = reserved || at < end; /* segments may share a page */

		if (ph->p_type != PT_LOAD || !ph->p_memsz)
			continue;
		/* Gaps between segments belong to nobody, as when the kernel maps them. */
		if (reserved && end && at > end)
			sp_sys2(__NR_munmap, (long)end, (long)(at - end));
		/* reserve() has mapped the first one. */
		if (ph->p_filesz && !(reserved && first && e->align == PAGE && at == e->bias + e->lo)) {
			r = sp_sys6(__NR_mmap, (long)at, (long)size, prot_of(ph),
				    MAP_PRIVATE | (ours ? MAP_FIXED : MAP_FIXED_NOREPLACE), e->fd,
				    (long)(ph->p_offset - skew));
			if (sp_is_err(r))
				return r;
			if ((uint64_t)r != at) { /* before 4.17 the flag is a hint */
				sp_sys2(__NR_munmap, r, (long)size);
				return -EEXIST;
			}
		}
		first = false;
		r = zero_tail(ph, e->bias);
		if (r)
			return r;
		end = up(e->bias + ph->p_vaddr + ph->p_memsz);
	}
	return 0;
}

/* A program with an interpreter: at a random place of its own, whose segments need no reservation. */
static long map_low(struct elf *e)
{
	long r = -EEXIST;

	for (int tries = 0; tries < 8 && r == -EEXIST; tries++) {
		uint64_t want = DYN_BASE + random_pages(0, 1ul << (RND_BITS + 12));
		unsigned int n;

		entropy[0] = entropy[0] * 6364136223846793005ul + 1; /* if that place is taken */
		e->bias = (want & ~(e->align - 1)) - e->lo;
		r = map_segments(e, false, &n);
		for (unsigned int i = 0; r == -EEXIST && i < n; i++) {
			uint64_t from = e->bias + down(e->ph[i].p_vaddr);
			uint64_t to = e->bias + up(e->ph[i].p_vaddr + e->ph[i].p_memsz);

			if (e->ph[i].p_type == PT_LOAD && to > from)
				sp_sys2(__NR_munmap, (long)from, (long)(to - from));
		}
	}
	return r;
}

static long map_file(struct elf *e, bool low)
{
	bool reserved = e->eh.e_type == ET_DYN;
	unsigned int n;
	long r;

	if (reserved && low)
		return map_low(e);
	r = reserved ? reserve(e) : 0;
	return r ? r : map_segments(e, reserved, &n);
}

uint64_t rs_exe_start, rs_exe_end;

/* The interpreter's path: mostly read already, else it goes where headers are that are not needed any more. */
static long interp_path(struct elf *e, const char **ret_path)
{
	const Elf64_Phdr *ph = e->ph;
	uint64_t n, at;
	char *path = (char *)e->ph;

	while (ph->p_type != PT_INTERP)
		ph++;
	n = ph->p_filesz;
	at = ph->p_offset;
	if (n < 2 || n > sizeof(e->ph))
		return -ENOEXEC;
	if (at < e->got && n <= e->got - at)
		path = (char *)&e->eh + at;
	else if (sp_sys4(__NR_pread64, e->fd, (long)path, (long)n, (long)at) != (long)n)
		return -ENOEXEC;
	*ret_path = path;
	return path[n - 1] ? -ENOEXEC : 0;
}

static long load_interp(struct elf *e, const char *path, struct rs_image *img)
{
	long r, fd = sp_sys3(__NR_open, (long)path, O_RDONLY | O_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	r = read_headers(e, (int)fd);
	if (!r)
		r = map_file(e, false);
	sp_sys1(__NR_close, fd);
	img->base = e->bias;
	img->entry = e->bias + e->eh.e_entry;
	return r;
}

/* AT_PHDR: where the file's program headers are in memory. */
static uint64_t phdr_address(const struct elf *e)
{
	for (unsigned int i = 0; i < e->eh.e_phnum; i++) {
		const Elf64_Phdr *ph = &e->ph[i];

		if (ph->p_type == PT_LOAD && e->eh.e_phoff >= ph->p_offset &&
		    e->eh.e_phoff < ph->p_offset + ph->p_filesz)
			return e->bias + e->eh.e_phoff - ph->p_offset + ph->p_vaddr;
	}
	return 0;
}

static void describe(const struct elf *e, struct rs_image *img)
{
	img->start_code = ~0ul;
	for (unsigned int i = 0; i < e->eh.e_phnum; i++) {
		const Elf64_Phdr *ph = &e->ph[i];
		uint64_t from = e->bias + ph->p_vaddr, to = from + ph->p_filesz;

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
	img->own_entry = img->entry = e->bias + e->eh.e_entry;
	img->phdr = phdr_address(e);
	img->phnum = e->eh.e_phnum;
	rs_exe_start = e->bias + e->lo;
	rs_exe_end = img->end = e->bias + e->hi;
	/* A static PIE (and an interpreter run by hand) goes where mmap puts it. */
	img->brk = e->eh.e_type == ET_DYN && !e->has_interp ? DYN_BASE : img->end;
	img->brk += random_pages(1, BRK_RND);
}

long rs_load(int fd, struct rs_image *img)
{
	struct elf *e = (struct elf *)rs_area_here()->scratch;
	const char *path = 0;
	long r = read_headers(e, fd);

	_Static_assert(sizeof(*e) <= RS_SCRATCH, "scratch");
	if (r)
		return r;
	gather_entropy();
	r = map_file(e, e->has_interp);
	if (!r) {
		describe(e, img);
		if (e->has_interp)
			r = interp_path(e, &path);
	}
	sp_sys1(__NR_close, fd);
	return r || !path ? r : load_interp(e, path, img);
}
