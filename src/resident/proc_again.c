/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts that a program holds: which file a memory file stands for, and making it anew when the program goes
 * back to its start. Of a process that has gone nothing is shown any more.
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>

#include "arch/x86_64/syscall.h"
#include "arch/x86_64/uapi.h"
#include "resident/handlers.h"
#include "resident/proc.h"
#include "resident/text.h"
#include "resident/user.h"

#define LIFE '#'			 /* in front of the last word of a memory file's name */
#define LIFE_MAX 18u			 /* with its digits and a NUL */
#define LINK_MAX (RS_TEXT_NAME_MAX + 20) /* "/memfd:" and " (deleted)" */
#define TMPFS_MAGIC 0x01021994		 /* linux/magic.h */

/* Where texts are, usually. In front of any other name stands ELSEWHERE, which no name on procfs starts with. */
static const char *const places[] = {"/proc/", "/sys/", "/dev/mqueue/"};
#define PLACES (sizeof(places) / sizeof(places[0]))
#define ELSEWHERE "/proc/"

/* The life of the task that p names. 0: it names none. */
static uint64_t life_of(struct rs_area *a, const struct bd_procpath *p)
{
	struct sp_ref ref = SP_REF_NONE;
	sp_vpid n = p->pid;

	if (p->task == BD_TASK_ONE)
		n = sp_vpid_of(rs_out_pid(rs_text_task(a, p)));
	else if (p->kind == BD_PROC_THREAD_SELF)
		n = a->tid;
	else if (p->kind == BD_PROC_SELF)
		n = a->tgid;
	if (n.n > 0)
		ref = sp_pid_find(RS_NS, n);
	return ref.slot == SP_NO_SLOT ? 0 : sp_word_life(ref.word);
}

void rs_text_keep_name(struct rs_area *a, const struct bd_procpath *p, const char *name, char *kept)
{
	static const char self[] = "/proc/self/", thread[] = "/proc/thread-self/";
	struct sp_text t;
	bool usual;

	sp_text_init(&t, kept, RS_TEXT_NAME_MAX - LIFE_MAX);
	if (sp_has_prefix(name, self) || sp_has_prefix(name, thread)) {
		bool whole = sp_has_prefix(name, self);

		sp_text_str(&t, "/proc/");
		sp_text_dec(&t, a->htgid.n);
		if (!whole) {
			sp_text_str(&t, "/task/");
			sp_text_dec(&t, a->htid.n);
		}
		name += (whole ? sizeof(self) : sizeof(thread)) - 2;
	}
	usual = t.len; /* one's own, spelled out */
	for (size_t i = 0; i < PLACES; i++)
		usual = usual || sp_has_prefix(name, places[i]);
	if (!usual && name[0] == '/')
		sp_text_str(&t, ELSEWHERE);
	sp_text_bytes(&t, name, sp_strnlen(name, RS_TEXT_NAME_MAX));
	t.cap = RS_TEXT_NAME_MAX;
	sp_text_char(&t, LIFE);
	sp_text_hex(&t, p ? life_of(a, p) : 0);
}

/* Length of a kept name without what stands behind it. */
static size_t bare_len(const char *name, size_t len)
{
	size_t n = len;

	while (n && name[n - 1] != LIFE)
		n--;
	return n ? n - 1 : len;
}

const char *rs_text_name_of(const char *link, size_t len, size_t *ret_len)
{
	static const char before[] = "/memfd:", behind[] = " (deleted)";
	size_t b = sizeof(before) - 1, e = sizeof(behind) - 1;

	if (len <= b + e || memcmp(link, before, b) || memcmp(link + len - e, behind, e))
		return NULL;
	for (size_t i = 0; i < PLACES; i++) {
		size_t n = sp_strnlen(places[i], 16);

		if (len - b - e > n && !memcmp(link + b, places[i], n)) {
			if (!i && link[b + n] == '/')
				b += n;
			*ret_len = bare_len(link + b, len - b - e);
			return link + b;
		}
	}
	return NULL;
}

bool rs_text_stands_for(const char *link, char *buf, size_t cap)
{
	long n = sp_sys3(__NR_readlink, (long)link, (long)buf, (long)cap);
	const char *name;
	size_t len;

	if (n <= 0 || n >= (long)cap)
		return false;
	name = rs_text_name_of(buf, (size_t)n, &len);
	if (!name)
		return false;
	memmove(buf, name, len);
	buf[len] = '\0';
	return true;
}

/* A text that is held. */
struct held {
	struct bd_procpath p; /* in the namespace's numbers */
	char name[LINK_MAX];  /* in the host's */
	bool gone;	      /* whom it is about */
};

static bool may_be_text(int fd)
{
	struct ax_stat st;

	return !sp_sys2(__NR_fstat, fd, (long)&st) && st.dev == RS_NS->segment_dev;
}

static void link_of(const struct rs_area *a, int fd, char *link, size_t cap)
{
	struct sp_text t;

	sp_text_init(&t, link, cap);
	sp_text_str(&t, "/proc/");
	sp_text_dec(&t, a->htid.n);
	sp_text_str(&t, "/fd/");
	sp_text_dec(&t, fd);
}

/* False: fd is no text, or of a procfs that is not at /proc. */
static bool look(struct rs_area *a, int fd, struct held *h)
{
	struct bd_procpath *p = &h->p;
	const char *name, *life;
	char link[48];
	size_t len;
	long n;

	link_of(a, fd, link, sizeof(link));
	n = sp_sys3(__NR_readlink, (long)link, (long)h->name, LINK_MAX);
	name = n > 0 && n < LINK_MAX ? rs_text_name_of(h->name, (size_t)n, &len) : NULL;
	if (!name || name[len] != LIFE)
		return false;
	h->name[n - 1] = '\0'; /* the end of " (deleted)" */
	life = name + len + 1;
	bd_procpath_parse(NULL, name, len, p);
	if (p->kind == BD_PROC_PID)
		p->pid = sp_vpid_of(rs_out_pid(p->pid.n));
	if (p->task == BD_TASK_ONE)
		p->tid = sp_vpid_of(rs_out_pid(p->tid.n));
	h->gone = p->kind == BD_PROC_PID &&
		  (!p->pid.n || (p->task == BD_TASK_ONE && !p->tid.n) ||
		   life_of(a, p) != sp_parse_hex(&life) || rs_ref_gone(sp_pid_find(RS_NS, p->pid)));
	memmove(h->name, name, len);
	h->name[len] = '\0';
	return p->kind != BD_PROC_NOT && bd_text_of(p) != BD_TEXT_NONE;
}

/* What the kernel's read says of nobody: fs/proc/fd.c:seq_show, fs/proc/array.c:children_seq_start. */
static long of_nobody(enum bd_text text)
{
	return text == BD_TEXT_FDINFO ? -ENOENT : text == BD_TEXT_CHILDREN ? 0 : -ESRCH;
}

/*
 * The text becomes that of now, through a descriptor of our own: another thread may close the program's, and its number
 * be that of another file. If the process has gone the text is empty, and the result an error, mostly -ESRCH. Else 0.
 */
static long make_again(struct rs_frame *f, struct rs_area *a, int fd, bool image)
{
	char link[48];
	struct held h;
	enum bd_text text;
	long mem, from, r = 0;

	link_of(a, fd, link, sizeof(link));
	mem = sp_sys3(__NR_open, (long)link, O_RDWR | O_CLOEXEC, 0);
	if (mem < 0)
		return 0;
	text = look(a, (int)mem, &h) ? bd_text_of(&h.p) : BD_TEXT_NONE;
	/* Those of mappings are about the memory that the process had when they were opened. */
	if (text == BD_TEXT_NONE ||
	    (image && (h.gone || text == BD_TEXT_MAPS || text == BD_TEXT_NUMA_MAPS))) {
		sp_sys1(__NR_close, mem);
		return 0;
	}
	from = h.gone ? -ENOENT : sp_sys3(__NR_open, (long)h.name, O_RDONLY | O_CLOEXEC, 0);
	if (from >= 0) {
		rs_text_rewrite(f, a, text, &h.p, from, mem);
		sp_sys1(__NR_close, from);
	} else if (from == -ENOENT) {
		sp_sys2(__NR_ftruncate, mem, 0);
		r = of_nobody(text);
	}
	sp_sys1(__NR_close, mem);
	return r;
}

void rs_text_refresh(struct rs_area *a, int fd, uint64_t mask)
{
	if (!may_be_text(fd) || sp_sys3(__NR_lseek, fd, 0, 1 /* SEEK_CUR */))
		return;
	a->cur->saved_mask = mask;
	if (make_again(a->cur, a, fd, true))
		return;
}

/* lseek(fd, 0, SEEK_SET) */
long rs_h_lseek(struct rs_frame *f, struct rs_area *a)
{
	long r;

	if (!may_be_text((int)f->a[0]))
		return rs_call(f, rs_finish_raw);
	rs_block(f);
	r = make_again(f, a, (int)f->a[0], false);
	if (!r)
		r = sp_sys3(__NR_lseek, f->a[0], f->a[1], f->a[2]);
	return rs_unblock(f, r);
}

/* fstatfs(fd, buf) */
long rs_h_fstatfs(struct rs_frame *f, struct rs_area *a)
{
	uint64_t fs[15]; /* struct statfs; its first word is f_type */
	struct held h;
	long r = sp_sys2(__NR_fstatfs, f->a[0], (long)fs);

	if (r)
		return r;
	if (fs[0] == TMPFS_MAGIC && may_be_text((int)f->a[0]) && look(a, (int)f->a[0], &h))
		sp_sys2(__NR_statfs, (long)"/proc", (long)fs);
	return rs_user_write((uint64_t)f->a[1], fs, sizeof(fs));
}
