/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Call sites that no longer trap. Of `mov $nr,%eax; syscall` the mov becomes a jump to an island, which
 * enters the resident where a redirected trap would (entry.S:rs_patched). The `syscall` stays: whoever comes to it
 * by another way, or is sent there by us, traps as before. docs/decisions/patching.md has the reasons.
 *
 * Only code of private mappings of files that cannot be written is patched, and only where the bytes leave no doubt. Nothing
 * is ever undone: a site goes with its mapping, and a record that no code leads to any more is harmless.
 *
 * While other tasks run in this memory the bytes change in an order in which every mixture of old and new is right:
 * first the operand, whose new value is no system call's number, so that who executes it traps and is told apart here
 * (rs_patch_number); then, when all processors have seen that, the opcode.
 */
#include "resident/patch.h"

#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/membarrier.h>
#include <linux/mman.h>
#include <linux/sched.h>

#include "arch/x86_64/site.h"
#include "arch/x86_64/syscall.h"
#include "boundary/table.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#define PAGE 4096ul
#define ISLAND 16ul
#define RS_CALL_AT (RS_SCRATCH + RS_CALL_STACK)
#define WARM 24u       /* traps of one site before it is worth what patching costs */
#define FAILURES_MAX 8 /* of a process, until it stops trying */
#define PROC_MAGIC 0x9fa0
#define OP_MOV 0xb8
#define OP_JMP 0xe9

/* With this as the highest byte of the new operand it is a number that the filter always traps. */
#define REL_MIN 0x01000000
#define REL_MAX 0x3fffffff
#define REL_LOW 0xffffff

/* include/uapi/linux/fs.h, since 6.11 */
struct procmap_query {
	uint64_t size, query_flags, query_addr;
	uint64_t start, end, flags, page_size, offset, inode;
	uint32_t dev_major, dev_minor, name_size, build_id_size;
	uint64_t name_addr, build_id_addr;
};
#define PROCMAP_QUERY_ 0xc0686611u
#define VMA_READABLE 1u
#define VMA_WRITABLE 2u
#define VMA_EXECUTABLE 4u
#define VMA_SHARED 8u

_Static_assert(sizeof(struct procmap_query) == 104, "uapi");
_Static_assert(offsetof(struct rs_patch, word) == 0 && offsetof(struct rs_patch, solo) == 8 &&
		       offsetof(struct rs_patch, foreign) == 16 &&
		       offsetof(struct rs_patch, pid) == 20 && offsetof(struct rs_patch, shared) == 24,
	       "entry.S");
_Static_assert(sizeof(struct rs_site) == ISLAND && offsetof(struct rs_site, nr) == 8, "entry.S");
_Static_assert(offsetof(struct rs_area, owner) == RS_CALL_AT &&
		       offsetof(struct rs_area, cur) == RS_CALL_AT + 8 &&
		       offsetof(struct rs_area, call_top) == RS_CALL_AT + 16,
	       "entry.S");
_Static_assert(offsetof(struct rs_frame, late) == 232 && offsetof(struct rs_frame, waited) == 264 &&
		       offsetof(struct rs_frame, has_temp_mask) == 256 &&
		       offsetof(struct rs_frame, judged) == 260,
	       "entry.S");

struct rs_patch rs_patch;
struct rs_site rs_patch_sites[RS_ISLANDS];
struct rs_area *_Atomic rs_patch_tids[256];

/* --- what a patched call may take for granted --------------------------------------------------- */

static void own(struct rs_area *a)
{
	struct sp_ref ref = sp_pid_find(RS_NS, a->tgid);

	rs_patch.word = &sp_entry_at(RS_NS, ref.slot == SP_NO_SLOT ? 0 : ref.slot)->unpatched;
	rs_patch.pid = a->tgid.n;
	rs_patch.foreign = 0;
	rs_patch.shared = 0;
	rs_patch.lock = 0;
	rs_patch.solo = ref.slot == SP_NO_SLOT ? 0 : a;
}

void rs_patch_start(struct rs_area *a)
{
	uint32_t flags = atomic_load(&RS_NS->flags);

	if (!(flags & SP_SEG_PATCH))
		return;
	own(a);
	rs_patch.enabled =
		flags & SP_SEG_PATCH && !(flags & SP_SEG_NOPROC) && !atomic_load(&a->filters);
	rs_patch.warm = flags & SP_SEG_PATCH_EAGER ? 0 : WARM;
}

void rs_patch_forked(struct rs_area *a)
{
	/* Where nothing is patched the page stays the parent's. */
	if (rs_patch.word)
		own(a);
}

void rs_patch_traced(sp_vpid tgid)
{
	struct sp_ref ref = sp_pid_find(RS_NS, tgid);

	if (ref.slot != SP_NO_SLOT)
		atomic_store(&sp_entry_at(RS_NS, ref.slot)->unpatched, 1);
}

bool rs_patch_is_traced(sp_vpid tgid)
{
	struct sp_ref ref;

	if (!(atomic_load(&RS_NS->flags) & SP_SEG_PATCH))
		return false;
	ref = sp_pid_find(RS_NS, tgid);
	return ref.slot != SP_NO_SLOT && atomic_load(&sp_entry_at(RS_NS, ref.slot)->unpatched);
}

void rs_patch_never(const struct rs_area *a)
{
	/* All calls of a vfork child trap anyway. */
	if (a->level)
		return;
	if (!rs_patch.word)
		return;
	rs_patch.enabled = 0;
	atomic_store(rs_patch.word, 1);
}

void rs_patch_note(struct rs_area *a)
{
	atomic_store(&rs_patch_tids[a->htid.n & 255], a);
}

struct rs_area *rs_patch_share(struct rs_area *a, uint64_t flags, bool vfork)
{
	struct rs_area *solo = rs_patch.solo;

	if (!(flags & CLONE_VM) || !rs_patch.word)
		return 0;
	if (!vfork) {
		/* The first time nobody looks at it yet. */
		for (uint32_t i = 0; !atomic_load(&rs_patch_tids[255]) && i < 256; i++)
			atomic_store(&rs_patch_tids[i], a);
		rs_patch_note(a);
	}
	rs_patch.solo = 0;
	if (!(flags & CLONE_THREAD))
		atomic_fetch_add(&rs_patch.foreign, 1);
	return solo;
}

void rs_patch_shared(struct rs_area *solo, uint64_t flags, bool born, bool vfork)
{
	if (!(flags & CLONE_VM) || !rs_patch.word)
		return;
	if (born && !vfork) {
		atomic_store(&rs_patch.shared, 1);
		return;
	}
	/* Not born, or it has left our memory. */
	if (!(flags & CLONE_THREAD))
		atomic_fetch_sub(&rs_patch.foreign, 1);
	if (!atomic_load(&rs_patch.shared))
		rs_patch.solo = solo;
}

void rs_patch_attached(int32_t hid)
{
	uint64_t word = 0;
	uint32_t one = 1;
	struct {
		void *base;
		uint64_t len;
	} here = {&word, sizeof(word)}, there = {&rs_patch.word, sizeof(word)};

	if (!(atomic_load(&RS_NS->flags) & SP_SEG_PATCH) ||
	    sp_sys6(__NR_process_vm_readv, hid, (long)&here, 1, (long)&there, 1, 0) != sizeof(word) ||
	    word - SP_SEGMENT_ADDR >= SP_SEGMENT_SIZE)
		return;
	here.base = &one;
	there.base = (void *)word;
	here.len = there.len = sizeof(one);
	sp_sys6(__NR_process_vm_writev, hid, (long)&here, 1, (long)&there, 1, 0);
}

/* --- on the way to the call --------------------------------------------------------------------- */

uint64_t rs_patch_island(const uint64_t pages[RS_ISLAND_PAGES], uint64_t ip)
{
	for (uint32_t i = 0; i < RS_ISLAND_PAGES && pages[i]; i++)
		if (ip - pages[i] < RS_ISLANDS * ISLAND)
			return (ip - pages[i]) & ~(ISLAND - 1);
	return RS_NO_SITE;
}

void rs_patch_leave(struct ax_ucontext *uc, const struct rs_area *a)
{
	const struct rs_regs *saved = &a->cur->regs;
	uint64_t ip = uc->mc.rip, at = rs_patch_between(ip, uc->mc.rax, uc->mc.r11);

	if (at == RS_NO_SITE)
		at = rs_patch_island(rs_patch.pages, ip);
	if (at >= sizeof(rs_patch_sites) || at % ISLAND)
		return;
	if (rs_patch_is_saved(ip)) {
		uc->mc.rdi = saved->rdi;
		uc->mc.rsi = saved->rsi;
		uc->mc.rsp = saved->rsp;
	}
	uc->mc.rip = rs_patch_sites[at / ISLAND].ret - 2;
	uc->mc.rax = rs_patch_sites[at / ISLAND].nr;
}

uint32_t rs_patch_number(uint64_t ret, uint32_t nr)
{
	if (nr < REL_MIN || nr > REL_MAX)
		return nr;
	for (uint32_t i = 0; i < RS_ISLANDS; i++) {
		const struct rs_site *s = &rs_patch_sites[i];

		/* Of the three lower bytes each is old or new. */
		if (s->ret == ret && s->rel && s->rel >> 24 == nr >> 24)
			return s->nr;
	}
	return nr;
}

/* --- which site, and when ----------------------------------------------------------------------- */

bool rs_patch_count(struct rs_area *a, uint64_t ret, uint32_t nr)
{
	uint64_t mixed = ret * 0x9e3779b97f4a7c15ul;
	struct rs_hit *pair = &rs_patch.hits[(mixed >> 48) % RS_HITS & ~1u], *h;
	uint32_t site = (uint32_t)(mixed >> 16);

	/* While a vfork child is there nothing is patched, so that is nothing to count for. */
	if (!rs_patch.enabled || atomic_load(&rs_patch.foreign) || nr > BD_SYSCALL_MAX ||
	    bd_when_of[nr].op != BD_ALWAYS || nr == __NR_rt_sigreturn)
		return false;
	if (atomic_load(&rs_patch.shared) && !a->level)
		rs_patch_note(a);
	h = pair[0].site == site && pair[0].nr == nr   ? &pair[0]
	    : pair[1].site == site && pair[1].nr == nr ? &pair[1]
						       : 0;
	if (!h) {
		/* The colder of two goes. */
		h = &pair[pair[1].n < pair[0].n];
		*h = (struct rs_hit){site, (uint16_t)nr, 0};
	}
	if (h->n > rs_patch.warm)
		return false;
	return h->n++ == rs_patch.warm;
}

struct job {
	uint64_t ret;
	uint32_t nr;
	bool alone;
	long result;
};

static bool readable_before(uint64_t ret)
{
	return ret % PAGE >= AX_SITE_BEFORE + 2;
}

static long open_proc(const char *name, int flags)
{
	uint64_t fs[15];
	long fd = sp_sys3(__NR_open, (long)name, flags | O_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	if (!sp_sys2(__NR_fstatfs, fd, (long)fs) && fs[0] == PROC_MAGIC)
		return fd;
	sp_sys1(__NR_close, fd);
	return -ENOENT;
}

/* Fills in q from the text: "START-END rwxp OFFSET MAJOR:MINOR INODE". */
static long query_text(long fd, struct procmap_query *q)
{
	char buf[512];
	uint64_t v[2] = {0, 0};
	uint32_t column = 0, colons = 0;
	char prev = '\n';
	long n;

	while ((n = sp_sys3(__NR_read, fd, (long)buf, sizeof(buf))) > 0) {
		for (long i = 0; i < n; prev = buf[i++]) {
			char c = buf[i];
			bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');

			if (c == '\n') {
				if (q->query_addr >= q->start && q->query_addr < q->end)
					return 0;
				v[0] = v[1] = column = colons = 0;
				q->flags = q->inode = 0;
			} else if (c == ' ') {
				column += prev != ' ';
				q->start = v[0];
				q->end = v[1];
			} else if (column == 0 && c == '-') {
				colons = 1;
			} else if (column == 0 && digit) {
				v[colons] = v[colons] << 4 |
					    (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
			} else if (column == 1) {
				q->flags |= c == 'r'   ? VMA_READABLE
					    : c == 'w' ? VMA_WRITABLE
					    : c == 'x' ? VMA_EXECUTABLE
					    : c == 's' ? VMA_SHARED
						       : 0;
			} else if (column == 4 && digit) {
				q->inode = q->inode * 10 + (uint64_t)(c - '0');
			}
		}
	}
	return n < 0 ? n : -ENOENT;
}

/* Code that nobody but this memory sees and that nobody writes: -EPERM if it is not. */
static long may_patch(uint64_t site)
{
	struct procmap_query q = {.size = sizeof(q), .query_addr = site};
	long fd = open_proc("/proc/self/maps", O_RDONLY), r;

	if (fd < 0)
		return fd;
	r = sp_sys3(__NR_ioctl, fd, PROCMAP_QUERY_, (long)&q);
	if (r == -ENOTTY)
		r = query_text(fd, &q);
	sp_sys1(__NR_close, fd);
	if (r)
		return r;
	return q.flags == (VMA_READABLE | VMA_EXECUTABLE) && q.inode &&
			       site - q.start >= AX_SITE_BEFORE && q.end - site >= AX_SITE_MOV + 2
		       ? 0
		       : -EPERM;
}

/* --- islands ------------------------------------------------------------------------------------ */

static bool reaches(uint64_t from, uint64_t to, bool alone)
{
	int64_t rel = (int64_t)(to - from);

	if (alone)
		return rel == (int32_t)rel;
	return rel >= REL_MIN && rel <= REL_MAX && (rel & REL_LOW) > BD_SYSCALL_MAX;
}

/* movl $offset,%r11d; jmp *target(%rip) */
struct island {
	uint8_t mov[2];
	uint32_t offset;
	uint8_t jmp[2];
	uint32_t target;
	uint8_t pad[4];
} __attribute__((packed));
_Static_assert(sizeof(struct island) == ISLAND && (RS_ISLANDS + 1) * ISLAND <= PAGE,
	       "a page of them");

/* Two addresses behind the last one are where they go to. No island contains a `syscall`. */
static void fill(struct island *to)
{
	static const struct island like = {{0x41, 0xbb}, 0, {0xff, 0x25}, 0, {0xcc, 0xcc, 0xcc, 0xcc}};
	uint64_t *target = (uint64_t *)(to + RS_ISLANDS);

	target[0] = (uint64_t)rs_patched_getpid;
	target[1] = (uint64_t)rs_patched_call;
	for (uint32_t i = 0; i < RS_ISLANDS; i++) {
		to[i] = like;
		to[i].offset = i * (uint32_t)ISLAND;
		to[i].target = (uint32_t)((uint64_t)(target + (i >= RS_ISLANDS_GETPID)) -
					  (uint64_t)to[i].pad);
	}
}

/*
 * A page of islands above the site: there its distance is a number that traps. Far enough from a program
 * that is not a library for what its heap usually grows to. It is no mapping of the resident's file, so that what the program
 * sees of its memory is true and names nothing of ours.
 */
static long map_page(uint64_t site)
{
	static const uint32_t high[] = {0x3f000000, 0x37000000, 0x2f000000, 0x27000000,
					0x1f000000, 0x17000000, 0x0f000000, 0x05000000};
	static const uint32_t low[] = {0x05000000, 0x0b000000, 0x13000000, 0x1b000000,
				       0x23000000, 0x2b000000, 0x33000000, 0x3b000000};
	const uint32_t *at = site >> 40 >= 0x70 ? low : high;
	long r = -ENOMEM;

	for (uint32_t i = 0; i < sizeof(high) / sizeof(high[0]); i++) {
		uint64_t want = (site + at[i]) & ~(PAGE - 1);

		r = sp_sys6(__NR_mmap, (long)want, PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		if (r == (long)want)
			break;
		if (!sp_is_err(r)) { /* before 4.17 */
			sp_sys2(__NR_munmap, r, PAGE);
			r = -EEXIST;
		}
	}
	if (sp_is_err(r))
		return r;
	fill((struct island *)r);
	if (!sp_sys3(__NR_mprotect, r, PAGE, PROT_READ | PROT_EXEC))
		return r;
	sp_sys2(__NR_munmap, r, PAGE);
	return -EACCES;
}

/* The island of record i for this site, or -errno. */
static long island_for(uint64_t site, uint32_t i, bool alone)
{
	uint32_t n = 0;
	long r;

	for (; n < RS_ISLAND_PAGES && rs_patch.pages[n]; n++)
		if (reaches(site + AX_SITE_MOV, rs_patch.pages[n] + i * ISLAND, alone))
			return (long)(rs_patch.pages[n] + i * ISLAND);
	if (n == RS_ISLAND_PAGES)
		return -ENOSPC;
	r = map_page(site);
	if (sp_is_err(r))
		return r;
	rs_patch.pages[n] = (uint64_t)r;
	return reaches(site + AX_SITE_MOV, (uint64_t)r + i * ISLAND, alone) ? r + (long)(i * ISLAND)
									    : -ENOSPC;
}

/* --- writing ------------------------------------------------------------------------------------ */

/* iret is a serialising instruction, and no emulator or setting of a program's stands in its way. */
static void serialise(void)
{
	uint64_t t;

	__asm__ volatile("mov %%ss, %k0\n\t"
			 "push %0\n\t"
			 "lea 8(%%rsp), %0\n\t"
			 "push %0\n\t"
			 "pushfq\n\t"
			 "mov %%cs, %k0\n\t"
			 "push %0\n\t"
			 "lea 1f(%%rip), %0\n\t"
			 "push %0\n\t"
			 "iretq\n"
			 "1:"
			 : "=&r"(t)
			 :
			 : "memory", "cc");
}

static bool put(long mem, uint64_t at, const void *from, uint64_t n)
{
	return sp_sys4(__NR_pwrite64, mem, (long)from, (long)n, (long)at) == (long)n &&
	       !memcmp((const void *)at, from, n);
}

static bool all_see_it(void)
{
	return !sp_sys2(__NR_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0);
}

/*
 * Where the kernel lets nobody write through /proc/self/mem what cannot be written: the page is writable for a moment,
 * and not executable. SELinux may refuse to give that back (execmod), which is tried with a page of our own file.
 */
static bool regains_exec(void)
{
	long fd, p;

	if (rs_patch.regains)
		return rs_patch.regains == 1;
	rs_patch.regains = 2;
	fd = sp_sys3(__NR_open, (long)"/proc/self/exe", O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return false;
	p = sp_sys6(__NR_mmap, 0, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	sp_sys1(__NR_close, fd);
	if (sp_is_err(p))
		return false;
	if (!sp_sys3(__NR_mprotect, p, PAGE, PROT_READ | PROT_WRITE)) {
		*(volatile uint8_t *)p = OP_JMP;
		if (!sp_sys3(__NR_mprotect, p, PAGE, PROT_READ | PROT_EXEC))
			rs_patch.regains = 1;
	}
	sp_sys2(__NR_munmap, p, PAGE);
	return rs_patch.regains == 1;
}

static bool put_alone(uint64_t at, const void *from, uint64_t n)
{
	long page = (long)(at & ~(PAGE - 1));

	if (!regains_exec() || sp_sys3(__NR_mprotect, page, PAGE, PROT_READ | PROT_WRITE))
		return false;
	memcpy((void *)at, from, n);
	return !sp_sys3(__NR_mprotect, page, PAGE, PROT_READ | PROT_EXEC);
}

static long write_site(uint64_t site, uint32_t rel, bool alone)
{
	uint8_t jump[AX_SITE_MOV] = {OP_JMP};
	uint64_t page = site & ~(PAGE - 1);
	long mem, r = -EIO;

	memcpy(jump + 1, &rel, sizeof(rel));
	if (!alone && sp_sys2(__NR_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0))
		return -ENOSYS;
	/*
	 * A mapping of its own for the page that is copied: fork copies the page tables of a mapping that has such
	 * a page, all that is mapped of it, and of a C library's text that was a quarter of the fork.
	 */
	sp_sys3(__NR_madvise, (long)page,
		(long)(((site + AX_SITE_MOV - 1) & ~(PAGE - 1)) + PAGE - page), MADV_DONTDUMP);
	mem = open_proc("/proc/self/mem", O_RDWR);
	if (alone) {
		if ((mem >= 0 && put(mem, site, jump, sizeof(jump))) ||
		    put_alone(site, jump, sizeof(jump)))
			r = 0;
		serialise();
	} else if (mem >= 0 && put(mem, site + 4, jump + 4, 1) && all_see_it() &&
		   put(mem, site + 1, jump + 1, 3) && all_see_it() && put(mem, site, jump, 1)) {
		r = 0;
	}
	if (mem >= 0)
		sp_sys1(__NR_close, mem);
	return r;
}

static void patch(struct job *j)
{
	uint32_t of_getpid = j->nr == __NR_getpid, *used = &rs_patch.used[!of_getpid], i;
	uint64_t site = j->ret - 2 - AX_SITE_MOV;
	struct rs_site *s;
	long r;

	j->result = may_patch(site);
	if (j->result)
		return;
	if (!ax_site_is_mov((const uint8_t *)j->ret - 2, j->nr)) {
		j->result = -EINVAL;
		return;
	}
	i = *used + (of_getpid ? 0 : RS_ISLANDS_GETPID);
	r = i < (of_getpid ? RS_ISLANDS_GETPID : RS_ISLANDS) ? island_for(site, i, j->alone) : -ENOSPC;
	if (sp_is_err(r)) {
		j->result = r;
		return;
	}
	/* Whatever comes of it: from here on the record is this site's. */
	(*used)++;
	s = &rs_patch_sites[i];
	s->nr = j->nr;
	s->rel = (uint32_t)((uint64_t)r - site - AX_SITE_MOV);
	s->ret = j->ret;
	j->result = write_site(site, s->rel, j->alone);
}

static void patch_job(void *arg)
{
	patch(arg);
}

void rs_patch_site(uint64_t ret, uint32_t nr)
{
	struct job j = {.ret = ret, .nr = nr, .alone = rs_patch.solo != 0, .result = -EAGAIN};
	uint64_t mask;
	long r = 0;

	if (atomic_load(&rs_patch.foreign) || atomic_load(rs_patch.word) || !readable_before(ret))
		return;
	mask = rs_hush();
	rs_lock(&rs_patch.lock);
	/* Descriptors of ours are nothing for other threads to meet. */
	if (j.alone)
		patch(&j);
	else
		r = rs_copy_run(patch_job, &j);
	if ((r || (j.result && j.result != -EINVAL && j.result != -EPERM && j.result != -ENOSPC)) &&
	    ++rs_patch.failures >= FAILURES_MAX)
		rs_patch.enabled = 0;
	atomic_store(&rs_patch.lock, 0);
	rs_unhush(mask);
}
