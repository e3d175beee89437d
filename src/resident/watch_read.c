/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading from watched descriptors. The kernel fills the program's own buffer; the numbers in it are replaced
 * before the call returns. That is done once, with signals blocked, and a mark says that it is done:
 * whoever finishes the call again leaves the buffer alone.
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/signal.h>

#include "arch/x86_64/syscall.h"
#include "arch/x86_64/uapi.h"
#include "resident/fuse.h"
#include "resident/handlers.h"
#include "resident/sigaction.h"
#include "resident/user.h"
#include "resident/watch.h"

#define USER_END 0x7ffffffff000ul
#define ROOM_MAX 4096u

/* In the frame's scratch. */
enum { S_KIND = 16, S_DONE, S_RESULT, S_FILE, S_ROOM, S_IOV };

static bool is_vector(const struct rs_frame *f)
{
	return f->regs.rax != __NR_read && f->regs.rax != __NR_pread64;
}

long rs_watch_record(struct rs_frame *f, uint64_t at, void *buf, size_t n, bool store)
{
	bool vector = is_vector(f);
	struct ax_iovec v = {f->regs.rsi, f->regs.rdx};
	uint64_t next = f->regs.rsi, left = vector ? f->regs.rdx : 1;
	char *p = buf;
	long r = 0;

	while (n && !r) {
		size_t part;

		if (!left--)
			return -EFAULT;
		if (vector) {
			r = rs_user_read(&v, next, sizeof(v));
			if (r)
				return r;
			next += sizeof(v);
		}
		if (at >= v.len) {
			at -= v.len;
			continue;
		}
		part = v.len - at < n ? (size_t)(v.len - at) : n;
		r = store ? rs_user_write(v.base + at, p, part) : rs_user_read(p, v.base + at, part);
		p += part;
		n -= part;
		at = 0;
	}
	return r;
}

/* Refused before anything is read: include/asm-generic/access_ok.h. */
static bool is_wild(uint64_t at, uint64_t n)
{
	return n > USER_END || at > USER_END - n;
}

/* Bytes the program has room for, at most ROOM_MAX; 0 also where the kernel refuses the buffers. */
static uint64_t room_of(struct rs_frame *f)
{
	uint64_t room = 0;

	if (!is_vector(f))
		return is_wild(f->regs.rsi, f->regs.rdx) ? 0
		       : f->regs.rdx < ROOM_MAX		 ? f->regs.rdx
							 : ROOM_MAX;
	if (f->regs.rdx > 1024)
		return 0;
	for (uint64_t n = 0; n < f->regs.rdx; n++) {
		struct ax_iovec v;

		if (rs_user_read(&v, f->regs.rsi + n * sizeof(v), sizeof(v)) || is_wild(v.base, v.len))
			return 0;
		room += v.len < ROOM_MAX - room ? v.len : ROOM_MAX - room;
	}
	return room;
}

static long get(struct rs_frame *f, uint64_t at, void *buf, size_t n)
{
	return rs_watch_record(f, at, buf, n, false);
}

static long put(struct rs_frame *f, uint64_t at, int32_t n)
{
	return rs_watch_record(f, at, &n, sizeof(n), true);
}

/*
 * fs/signalfd.c:signalfd_copyinfo. A clone's own exit signal is taken for one of poll, or a fault: its number then
 * is where the band is, or the address.
 */
static void convert_address(struct rs_frame *f, uint64_t at, int sig, int code)
{
	int32_t hid;

	if (!get(f, at + BD_SSI_ADDR, &hid, sizeof(hid)) && rs_siginfo_is_end(sig, code, hid))
		put(f, at + BD_SSI_ADDR, rs_watch_out(hid));
}

static void convert_signals(struct rs_frame *f)
{
	for (uint64_t at = 0; at + BD_SSI_SIZE <= (uint64_t)f->raw; at += BD_SSI_SIZE) {
		uint32_t rec[8];
		struct ax_siginfo si = {0};
		bool as_band;

		if (get(f, at, rec, sizeof(rec)))
			return;
		si.signo = (int32_t)rec[0];
		si.code = (int32_t)rec[BD_SSI_CODE / 4];
		as_band = !rec[BD_SSI_PID / 4] && rec[BD_SSI_BAND / 4];
		si.pid = (int32_t)rec[(as_band ? BD_SSI_BAND : BD_SSI_PID) / 4];
		si.uid = rec[BD_SSI_UID / 4];
		if (si.signo < 1 || si.signo > RS_NSIG)
			continue;
		if (!si.pid)
			convert_address(f, at, si.signo, si.code);
		if (!si.pid)
			continue;
		rs_siginfo_convert(&si);
		if (put(f, at + (as_band ? BD_SSI_BAND : BD_SSI_PID), si.pid))
			return;
	}
}

/* Whether a signalfd is for SIGSYS: "sigmask:" in its fdinfo. */
static bool wants_sigsys(int fd)
{
	static const char key[] = "sigmask:\t";
	char text[512];
	long in = rs_watch_info(fd), n;

	if (in < 0)
		return false;
	n = sp_sys3(__NR_read, in, (long)text, sizeof(text) - 1);
	sp_sys1(__NR_close, in);
	text[n > 0 ? n : 0] = '\0';
	for (const char *p = text; *p; p++)
		if (sp_has_prefix(p, key)) {
			p += sizeof(key) - 1;
			return sp_parse_hex(&p) & RS_SIGSYS_BIT;
		}
	return false;
}

/*
 * The kernel never has SIGSYS blocked, so that one the program has blocked is not in its queue but held back.
 * It is read like the others; that it is there cannot be polled for.
 */
static long read_held_sigsys(struct rs_frame *f, struct rs_area *a)
{
	struct ax_siginfo si = a->sigsys_info;
	uint32_t rec[BD_SSI_SIZE / 4] = {0};

	rs_siginfo_convert(&si);
	rec[0] = SIGSYS;
	rec[1] = (uint32_t)si.err;
	rec[BD_SSI_CODE / 4] = (uint32_t)si.code;
	rec[BD_SSI_PID / 4] = (uint32_t)si.pid;
	rec[BD_SSI_UID / 4] = si.uid;
	if (si.code < 0) { /* union sigval: fs/signalfd.c */
		rec[BD_SSI_INT / 4] = (uint32_t)si.status;
		memcpy((char *)rec + BD_SSI_PTR, si.raw + 8, 8);
	}
	rs_block(f);
	if (rs_watch_record(f, 0, rec, sizeof(rec), true))
		return rs_unblock(f, -EFAULT);
	a->sigsys_pending = 0;
	return rs_unblock(f, sizeof(rec));
}

static void convert_faults(struct rs_frame *f)
{
	for (uint64_t at = 0; at + BD_UFFD_SIZE <= (uint64_t)f->raw; at += BD_UFFD_SIZE) {
		uint8_t event;
		int32_t n;

		if (get(f, at, &event, 1))
			return;
		if (event == BD_UFFD_PAGEFAULT) {
			if (get(f, at + BD_UFFD_PTID, &n, sizeof(n)) ||
			    (n > 0 && put(f, at + BD_UFFD_PTID, rs_watch_out(n))))
				return;
		} else if (event == BD_UFFD_FORK) {
			/* The descriptor of the child's memory, made by this read. */
			if (get(f, at + BD_UFFD_NEWFD, &n, sizeof(n)) || rs_watch(n, BD_WATCH_READ))
				return;
		}
	}
}

/* A process outside has no pidfd, as it has no number: fanotify(7), FAN_NOPIDFD. */
static void drop_pidfd(struct rs_frame *f, uint64_t at, uint64_t end)
{
	while (at + 8 <= end) {
		struct {
			uint8_t type, pad;
			uint16_t len;
			int32_t fd;
		} info;

		if (get(f, at, &info, sizeof(info)) || info.len < 4)
			return;
		if (info.type == BD_FAN_INFO_PIDFD && info.fd >= 0) {
			put(f, at + BD_FAN_INFO_FD, BD_FAN_NOPIDFD);
			sp_sys1(__NR_close, info.fd);
		}
		at += info.len;
	}
}

static void convert_events(struct rs_frame *f)
{
	uint64_t at = 0;

	while (at + BD_FAN_SIZE <= (uint64_t)f->raw) {
		struct {
			uint32_t len;
			uint8_t version, pad;
			uint16_t meta_len;
			uint64_t mask;
			int32_t fd, pid;
		} e;
		int32_t n;

		_Static_assert(sizeof(e) == BD_FAN_SIZE, "uapi");
		if (get(f, at, &e, sizeof(e)) || e.version != BD_FAN_VERSION ||
		    e.meta_len < BD_FAN_SIZE || e.len < e.meta_len || at + e.len > (uint64_t)f->raw)
			return;
		n = rs_watch_out(e.pid);
		if (n != e.pid && put(f, at + BD_FAN_PID, n))
			return;
		if (!n)
			drop_pidfd(f, at + e.meta_len, at + e.len);
		at += e.len;
	}
}

static void convert_request(struct rs_frame *f)
{
	char head[BD_FUSE_LK_IN_SIZE];
	size_t n = (uint64_t)f->raw < sizeof(head) ? (size_t)f->raw : sizeof(head);
	int32_t pid;

	if (n < BD_FUSE_IN_SIZE || get(f, 0, head, n))
		return;
	rs_fuse_request(head, n);
	memcpy(&pid, head + BD_FUSE_PID, sizeof(pid));
	put(f, BD_FUSE_PID, pid);
	if (n == sizeof(head)) {
		memcpy(&pid, head + BD_FUSE_LK_PID, sizeof(pid));
		put(f, BD_FUSE_LK_PID, pid);
	}
}

/* --- a text, of a file that is open for both ------------------------------------------------- */

/* Half of the scratch; short reads are the kernel's way with such files, too. */
#define TEXT_MAX ROOM_MAX
_Static_assert(TEXT_MAX * 2 <= RS_SCRATCH, "scratch");

static int32_t show_task(void *ctx, int32_t n)
{
	(void)ctx;
	return rs_out_pid(n);
}

/*
 * The text is in the first half of the scratch, as much as that holds; what the program has no room for is read
 * again the next time. Nothing left is not the end, as long as there is more.
 */
static long deliver_numbers(struct rs_frame *f)
{
	const struct bd_idfile *file = (const struct bd_idfile *)f->scratch[S_FILE];
	char *in = rs_area_here()->scratch, *out = in + TEXT_MAX;
	bool goes_on = f->nr == __NR_read || f->nr == __NR_readv;
	long have = f->raw, n;
	size_t used;

	for (;;) {
		n = bd_idfile_show(file, show_task, NULL, in, (size_t)have, out, f->scratch[S_ROOM],
				   &used);
		if (goes_on && (long)used < have)
			sp_sys3(__NR_lseek, f->a[0], (long)used - have, 1 /* SEEK_CUR */);
		if (n || !used || !goes_on)
			break;
		have = sp_sys3(__NR_read, f->a[0], (long)in, TEXT_MAX);
		if (have <= 0)
			return have;
	}
	if (!used)
		return -EINVAL; /* no room for one number */
	return rs_watch_record(f, 0, out, (size_t)n, true) ? -EFAULT : n;
}

static long finish_numbers(struct rs_frame *f)
{
	uint64_t mask;

	if (f->raw <= 0)
		return f->raw;
	mask = rs_hush();
	if (!f->scratch[S_DONE]) {
		f->scratch[S_RESULT] = (uint64_t)deliver_numbers(f);
		f->scratch[S_DONE] = 1;
	}
	rs_unhush(mask);
	return (long)f->scratch[S_RESULT];
}

static long read_numbers(struct rs_frame *f, struct rs_area *a, const struct bd_idfile *file)
{
	uint64_t room = room_of(f);

	/* Nothing, or an error. */
	if (!room)
		return rs_call(f, rs_finish_raw);
	f->scratch[S_FILE] = (uint64_t)file;
	f->scratch[S_ROOM] = room;
	f->scratch[S_DONE] = 0;
	f->scratch[S_IOV] = (uint64_t)a->scratch;
	f->scratch[S_IOV + 1] = TEXT_MAX;
	if (is_vector(f)) {
		f->a[1] = (long)&f->scratch[S_IOV];
		f->a[2] = 1;
	} else {
		f->a[1] = (long)a->scratch;
		f->a[2] = TEXT_MAX;
	}
	return rs_call(f, finish_numbers);
}

/* --- all of them ------------------------------------------------------------------------------- */

static long finish_read(struct rs_frame *f)
{
	uint64_t mask;

	if (f->raw <= 0)
		return f->raw;
	mask = rs_hush();
	if (!f->scratch[S_DONE]) {
		f->scratch[S_RESULT] = (uint64_t)f->raw;
		switch ((enum bd_data)f->scratch[S_KIND]) {
		case BD_DATA_SIGNALFD:
			convert_signals(f);
			break;
		case BD_DATA_UFFD:
			convert_faults(f);
			break;
		case BD_DATA_FANOTIFY:
			convert_events(f);
			break;
		case BD_DATA_INOTIFY:
			f->scratch[S_RESULT] = (uint64_t)rs_watch_names(f);
			break;
		case BD_DATA_FUSE:
			convert_request(f);
			break;
		case BD_DATA_NUMBERS:
		case BD_DATA_NONE:
			break;
		}
		f->scratch[S_DONE] = 1;
	}
	rs_unhush(mask);
	/* Nothing is left of it: the wait goes on. */
	return !f->scratch[S_RESULT] ? RS_REWIND : (long)f->scratch[S_RESULT];
}

/* read, readv, pread64, preadv, preadv2 */
long rs_h_watch_read(struct rs_frame *f, struct rs_area *a)
{
	const struct bd_idfile *file;
	enum bd_data kind = rs_watch_kind((int)f->a[0], &file);

	if (kind == BD_DATA_NONE)
		return rs_call(f, rs_finish_raw);
	if (kind == BD_DATA_NUMBERS)
		return read_numbers(f, a, file);
	if (kind == BD_DATA_SIGNALFD && a->sigsys_pending && room_of(f) >= BD_SSI_SIZE &&
	    wants_sigsys((int)f->a[0]))
		return read_held_sigsys(f, a);
	f->scratch[S_KIND] = kind;
	f->scratch[S_DONE] = 0;
	f->scratch[S_RESULT] = 0;
	return rs_call(f, finish_read);
}
