/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounting: options that are paths on procfs, automounters, and what is said of mounts: the root of one that
 * shows a part of procfs, and autofs' options.
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mount.h>

#include "arch/x86_64/syscall.h"
#include "arch/x86_64/uapi.h"
#include "resident/handlers.h"
#include "resident/proc.h"
#include "resident/user.h"

#define OPTIONS_MAX 320
#define TYPE_MAX 8
#define PROC_ROOT 1  /* its inode */
#define OPEN_LOOK 64 /* descriptors that are looked at for one */

enum { FSCONFIG_SET_STRING_ = 1, FSCONFIG_SET_PATH_ = 3, FSCONFIG_SET_PATH_EMPTY_ = 4 };

static size_t option_len(const char *s)
{
	size_t n = 0;

	while (s[n] && s[n] != ',')
		n++;
	return n;
}

/* The path's host text to out. */
static long put_path(struct rs_area *a, const char *path, size_t len, struct sp_text *out)
{
	struct rs_name n;
	long r;

	memcpy(RS_PROC_TEXT(a), path, len);
	RS_PROC_TEXT(a)[len] = '\0';
	r = rs_proc_take_text(a, AT_FDCWD, len, RS_NAME_FOLLOW | RS_NAME_EXACT, &n);
	if (r < 0)
		return r;
	sp_text_str(out, n.host);
	return 0;
}

/* proc's options as the kernel has to be given them. */
static long convert_options(struct rs_area *a, const char *in, struct sp_text *out)
{
	for (const char *s = in;; s++) {
		size_t n = option_len(s);

		if (n > 6 && sp_has_prefix(s, "pidns=")) {
			long r;

			sp_text_bytes(out, s, 6);
			r = put_path(a, s + 6, n - 6, out);
			if (r < 0)
				return r;
		} else {
			sp_text_bytes(out, s, n);
		}
		s += n;
		if (!*s)
			return out->overflow ? -EINVAL : 0;
		sp_text_char(out, *s);
	}
}

/*
 * An automounter is told who waits by a pipe that the kernel writes to (fs/autofs/waitq.c), in the kernel's
 * numbers: there is no such file system here. The kernel says so, after what it would have refused anyway.
 */
static void refuse_autofs(struct rs_frame *f, int arg, const char *type)
{
	if (sp_streq(type, "autofs"))
		f->a[arg] = (long)"no-autofs";
}

long rs_h_fsopen(struct rs_frame *f, struct rs_area *a)
{
	char type[TYPE_MAX];

	(void)a;
	if (rs_user_string(type, (uint64_t)f->a[0], sizeof(type)) > 0)
		refuse_autofs(f, 0, type);
	return rs_call(f, rs_finish_raw);
}

/* A copy of the tree of mounts at a procfs that is still to be reached: a name of it, or what the program has open. */
static long copy_of_proc(void)
{
	static const char *const names[] = {"/proc", "/oldroot/proc"};
	const long how = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE;
	struct ax_stat st;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (rs_proc_path_is_procfs(names[i]))
			return sp_sys3(__NR_open_tree, AT_FDCWD, (long)names[i], how);
	for (int fd = 0; fd < OPEN_LOOK; fd++)
		if (rs_proc_is_procfs(fd) && !sp_sys2(__NR_fstat, fd, (long)&st) && st.ino == PROC_ROOT)
			return sp_sys3(__NR_open_tree, fd, (long)"", how | AT_EMPTY_PATH);
	return -EPERM;
}

/*
 * To the kernel the PID namespace is another user namespace's, and nobody else may mount its procfs: where this namespace
 * is the caller's own, a copy of one that is there does as well. Its numbers are the reader's anyway.
 */
static long mount_copy(struct rs_frame *f, const char *type)
{
	const uint64_t other =
		MS_REMOUNT | MS_BIND | MS_MOVE | MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE;
	long tree, r = -EPERM;

	if (!RS_NS->depth || !sp_streq(type, "proc") || (uint64_t)f->a[3] & other)
		return r;
	rs_proc_undo(f);
	rs_block(f);
	tree = copy_of_proc();
	if (tree >= 0) {
		r = sp_sys6(__NR_move_mount, tree, (long)"", AT_FDCWD, f->a[1],
			    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS, 0);
		sp_sys1(__NR_close, tree);
	}
	return rs_unblock(f, r ? -EPERM : 0);
}

/* mount(source, target, type, flags, data) */
long rs_h_mount(struct rs_frame *f, struct rs_area *a)
{
	char type[TYPE_MAX] = "", in[OPTIONS_MAX], converted[OPTIONS_MAX];
	struct sp_text out;
	long r;

	if (f->a[2] && rs_user_string(type, (uint64_t)f->a[2], sizeof(type)) > 0) {
		refuse_autofs(f, 2, type);
		if (f->a[4] && sp_streq(type, "proc") &&
		    rs_user_string(in, (uint64_t)f->a[4], sizeof(in)) > 0) {
			sp_text_init(&out, converted, sizeof(converted));
			r = convert_options(a, in, &out);
			if (r)
				return r;
			f->a[4] = (long)converted;
		}
	}
	r = rs_proc_paths(f, a);
	if (r)
		return r;
	r = rs_proc_call_forget(f);
	return r == -EPERM ? mount_copy(f, type) : r;
}

/* fsconfig(fd, command, key, value, aux): for any file system, the key says what it is. */
long rs_h_fsconfig(struct rs_frame *f, struct rs_area *a)
{
	uint32_t command = (uint32_t)f->a[1];
	bool path = command == FSCONFIG_SET_PATH_ || command == FSCONFIG_SET_PATH_EMPTY_;
	unsigned int how = RS_NAME_FOLLOW | RS_NAME_EXACT;
	char key[TYPE_MAX];
	struct rs_name n;
	long r;

	if (!path) {
		if (command != FSCONFIG_SET_STRING_ ||
		    rs_user_string(key, (uint64_t)f->a[2], sizeof(key)) <= 0)
			return rs_call(f, rs_finish_raw);
		if (sp_streq(key, "source"))
			how = RS_NAME_FOLLOW; /* a device, or a word */
		else if (!sp_streq(key, "pidns"))
			return rs_call(f, rs_finish_raw);
	}
	r = rs_proc_take(a, path ? (int)f->a[4] : AT_FDCWD, (uint64_t)f->a[3], how, &n);
	if (r < 0)
		return r;
	rs_proc_put(f, &n, 3);
	return rs_call(f, rs_finish_raw);
}

static long finish_fsmount(struct rs_frame *f)
{
	if (f->raw >= 0 && rs_proc_is_procfs((int)f->raw))
		rs_proc_entered();
	return f->raw;
}

long rs_h_fsmount(struct rs_frame *f, struct rs_area *a)
{
	(void)a;
	return rs_call(f, finish_fsmount);
}

/* --- statmount ------------------------------------------------------------------------------- */

/* struct statmount, include/uapi/linux/mount.h */
struct statmount {
	uint32_t size, mnt_opts;
	uint64_t mask;
	uint32_t sb_dev_major, sb_dev_minor;
	uint64_t sb_magic;
	uint32_t sb_flags, fs_type;
	uint64_t mnt_id, mnt_parent_id;
	uint32_t mnt_id_old, mnt_parent_id_old;
	uint64_t mnt_attr, mnt_propagation, mnt_peer_group, mnt_master, propagate_from;
	uint32_t mnt_root, mnt_point;
};
#define STRINGS 512 /* offset of the strings that the offsets are relative to */
#define HAS_SB_BASIC 0x1u
#define HAS_ROOT 0x8u
#define HAS_OPTIONS 0x80u
#define MAGIC_PROC 0x9fa0
#define MAGIC_AUTOFS 0x187

/* The file system that the request is about, whatever it asks to be told. */
static uint64_t magic_of(struct rs_area *a, const uint64_t *request, uint32_t size)
{
	uint64_t basic[8];
	const struct statmount *s = (const struct statmount *)(const void *)a->scratch;

	memcpy(basic, request, size);
	basic[2] = HAS_SB_BASIC;
	if (sp_sys4(457, (long)basic, (long)a->scratch, RS_SCRATCH, 0))
		return 0;
	return s->sb_magic;
}

/* Puts another text of at most the old one's length in its place, in the program's memory. */
static long replace(uint64_t at, size_t old, struct sp_text *text)
{
	if (text->overflow || text->len > old)
		return rs_user_write(at, "", 1);
	return rs_user_write(at, text->buf, text->len + 1);
}

static long convert_root(uint64_t at)
{
	char in[160], shown[160];
	struct sp_text t;
	size_t bare;
	long n = rs_user_string(in, at, sizeof(in));

	if (n <= 1)
		return 0;
	bare = rs_proc_undeleted(in, (size_t)n, RS_PROC_GONE);
	sp_text_init(&t, shown, sizeof(shown));
	if (!rs_proc_show_tail(in, bare, true, &t))
		return 0; /* mounted by somebody outside */
	sp_text_bytes(&t, in + bare, (size_t)n - bare);
	t.buf += 5; /* /proc */
	t.len -= 5;
	return replace(at, (size_t)n, &t);
}

static long convert_autofs(uint64_t at)
{
	char in[OPTIONS_MAX], shown[OPTIONS_MAX];
	struct sp_text t;
	long n = rs_user_string(in, at, sizeof(in));

	if (n <= 0)
		return 0;
	sp_text_init(&t, shown, sizeof(shown));
	for (const char *s = in; *s;) {
		size_t len = option_len(s);
		int32_t v;

		if (len > 5 && sp_has_prefix(s, "pgrp=") &&
		    sp_parse_dec(s + 5, len - 5, &v) == len - 5) {
			sp_text_bytes(&t, s, 5);
			sp_text_dec(&t, rs_out_group(v));
		} else {
			sp_text_bytes(&t, s, len);
		}
		s += len;
		if (*s)
			sp_text_char(&t, *s++);
	}
	return replace(at, (size_t)n, &t);
}

/* Only looks, so a signal may have it done again. */
long rs_h_statmount(struct rs_frame *f, struct rs_area *a)
{
	uint64_t request[8], at = (uint64_t)f->a[1], magic;
	uint32_t size;
	struct statmount s;
	long r;

	r = sp_sys4(f->nr, f->a[0], f->a[1], f->a[2], f->a[3]);
	if (r || rs_user_read(&size, (uint64_t)f->a[0], sizeof(size)) || size < 24 ||
	    size > sizeof(request) || rs_user_read(request, (uint64_t)f->a[0], size) ||
	    rs_user_read(&s, at, sizeof(s)) || !(s.mask & (HAS_ROOT | HAS_OPTIONS)))
		return r;
	magic = magic_of(a, request, size);
	if (magic == MAGIC_PROC && s.mask & HAS_ROOT)
		r = convert_root(at + STRINGS + s.mnt_root);
	else if (magic == MAGIC_AUTOFS && s.mask & HAS_OPTIONS)
		r = convert_autofs(at + STRINGS + s.mnt_opts);
	return r;
}
