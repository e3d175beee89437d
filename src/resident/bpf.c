/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bpf(2) commands that name a task: a query for what a descriptor of a task is, links that look at one task, and
 * what a link says of that. Programs themselves see global numbers, as in a kernel namespace.
 */
#include <asm/unistd.h>
#include <linux/errno.h>

#include "arch/x86_64/syscall.h"
#include "boundary/records.h"
#include "resident/handlers.h"
#include "resident/user.h"
#include "resident/watch.h"

/* include/uapi/linux/bpf.h: commands, and offsets in union bpf_attr and struct bpf_link_info */
#define GET_INFO 15
#define TASK_FD_QUERY 20
#define LINK_CREATE 28

#define QUERY_PID 0u
#define QUERY_OUT 12u /* buf_len; behind buf what the kernel answers, to QUERY_END */
#define QUERY_END 48u

#define CREATE_KIND 8u
#define CREATE_ITER_INFO 16u
#define CREATE_ITER_LEN 24u
#define CREATE_UPROBE_PID 56u
#define KIND_ITER 28u
#define KIND_UPROBE_MULTI 48u
#define KIND_UPROBE_SESSION 57u

#define ITER_TID 0u
#define ITER_PID 4u
#define ITER_MAX 16u

#define INFO_FD 0u
#define INFO_LEN 4u
#define INFO_AT 8u
#define INFO_SIZE 16u

#define LINK_ITER 4u
#define LINK_UPROBE_MULTI 12u
#define LINK_NAME 16u
#define LINK_NAME_LEN 24u
#define LINK_TID 32u
#define LINK_PID 36u
#define LINK_UPROBE_PID 60u
#define LINK_SIZE 64u

#define ATTR_MAX 4096u /* kernel/bpf/syscall.c:bpf_check_uarg_tail_zero */

static uint32_t word(const char *attr, size_t at)
{
	uint32_t v;

	memcpy(&v, attr + at, sizeof(v));
	return v;
}

static uint64_t pointer(const char *attr, size_t at)
{
	uint64_t v;

	memcpy(&v, attr + at, sizeof(v));
	return v;
}

static void put_word(char *attr, size_t at, uint32_t v)
{
	memcpy(attr + at, &v, sizeof(v));
}

static void put_pointer(char *attr, size_t at, const void *p)
{
	memcpy(attr + at, &p, sizeof(p));
}

static uint32_t task_in(struct rs_area *a, uint32_t n)
{
	return (int32_t)n > 0 ? (uint32_t)rs_in_task(a, (int32_t)n) : n;
}

/* struct bpf_link_info of a descriptor that is a link; false if it is none, or the kernel does not say. */
static bool link_info(int fd, char info[LINK_SIZE], char name[16])
{
	char attr[INFO_SIZE];

	memset(attr, 0, sizeof(attr));
	memset(info, 0, LINK_SIZE);
	memset(name, 0, 16);
	put_word(attr, INFO_FD, (uint32_t)fd);
	put_word(attr, INFO_LEN, LINK_SIZE);
	put_pointer(attr, INFO_AT, info);
	/* Only an iterator has its name there; others take it for their own, shorter or none. */
	put_pointer(info, LINK_NAME, name);
	put_word(info, LINK_NAME_LEN, 15);
	if (!sp_sys3(__NR_bpf, GET_INFO, (long)attr, sizeof(attr)))
		return true;
	memset(info, 0, LINK_SIZE);
	return !sp_sys3(__NR_bpf, GET_INFO, (long)attr, sizeof(attr));
}

/* task, task_file, task_vma: kernel/bpf/task_iter.c. */
static bool is_task_iterator(int fd)
{
	char info[LINK_SIZE], name[16];

	return link_info(fd, info, name) && word(info, 0) == LINK_ITER && sp_has_prefix(name, "task");
}

static long query(struct rs_frame *f, struct rs_area *a, char *attr, size_t size)
{
	size_t end = size < QUERY_END ? size : QUERY_END;
	long r;

	put_word(attr, QUERY_PID, task_in(a, word(attr, QUERY_PID)));
	r = sp_sys3(__NR_bpf, TASK_FD_QUERY, (long)attr, (long)size);
	if (end > QUERY_OUT &&
	    rs_user_write((uint64_t)f->a[1] + QUERY_OUT, attr + QUERY_OUT, end - QUERY_OUT))
		return -EFAULT;
	return r;
}

/*
 * What an iterator's parameters mean is its own: only the link tells. None of its numbers is looked up
 * before it runs, so that one of the wrong kind can be made first.
 */
static long create_iterator(struct rs_area *a, char *attr, size_t size)
{
	char *params = attr + ATTR_MAX - ITER_MAX;
	uint64_t from = pointer(attr, CREATE_ITER_INFO);
	uint32_t len = word(attr, CREATE_ITER_LEN);
	long fd = sp_sys3(__NR_bpf, LINK_CREATE, (long)attr, (long)size);

	if (fd < 0 || !from || len < ITER_PID + 4 || len > ITER_MAX || !is_task_iterator((int)fd))
		return fd;
	sp_sys1(__NR_close, fd);
	memset(params, 0, ITER_MAX);
	if (rs_user_read(params, from, len))
		return -EFAULT;
	put_word(params, ITER_TID, task_in(a, word(params, ITER_TID)));
	put_word(params, ITER_PID, task_in(a, word(params, ITER_PID)));
	put_pointer(attr, CREATE_ITER_INFO, params);
	return sp_sys3(__NR_bpf, LINK_CREATE, (long)attr, (long)size);
}

static long create(struct rs_area *a, char *attr, size_t size)
{
	uint32_t kind = word(attr, CREATE_KIND);

	if (kind == KIND_ITER && size >= CREATE_ITER_LEN + 4 && size <= ATTR_MAX - ITER_MAX)
		return create_iterator(a, attr, size);
	if ((kind == KIND_UPROBE_MULTI || kind == KIND_UPROBE_SESSION) && size >= CREATE_UPROBE_PID + 4)
		put_word(attr, CREATE_UPROBE_PID, task_in(a, word(attr, CREATE_UPROBE_PID)));
	return sp_sys3(__NR_bpf, LINK_CREATE, (long)attr, (long)size);
}

static long info_number(uint64_t at)
{
	int32_t n;

	if (rs_user_read(&n, at, sizeof(n)))
		return -EFAULT;
	n = rs_watch_out(n);
	return rs_user_write(at, &n, sizeof(n));
}

static long get_info(struct rs_frame *f, char *attr, size_t size)
{
	char text[32], info[LINK_SIZE], name[16];
	uint64_t to = pointer(attr, INFO_AT);
	long r = sp_sys3(__NR_bpf, GET_INFO, f->a[1], (long)size);
	int fd = (int)word(attr, INFO_FD);
	long n;

	if (r)
		return r;
	n = rs_watch_link(fd, text, sizeof(text));
	if (n != 19 || memcmp(text, "anon_inode:bpf_link", 19) || !link_info(fd, info, name))
		return 0;
	if (rs_user_read(attr, (uint64_t)f->a[1], INFO_SIZE))
		return -EFAULT;
	if (word(info, 0) == LINK_UPROBE_MULTI && word(attr, INFO_LEN) >= LINK_UPROBE_PID + 4)
		return info_number(to + LINK_UPROBE_PID);
	if (word(info, 0) != LINK_ITER || !sp_has_prefix(name, "task") ||
	    word(attr, INFO_LEN) < LINK_PID + 4)
		return 0;
	r = info_number(to + LINK_TID);
	return r ? r : info_number(to + LINK_PID);
}

long rs_h_bpf(struct rs_frame *f, struct rs_area *a)
{
	char *attr = a->scratch;
	uint32_t size = (uint32_t)f->a[2];
	long r;

	/* What is refused before anything is looked at, or too short to name anybody. */
	if (size < 16 || size > ATTR_MAX || rs_user_read(attr, (uint64_t)f->a[1], size))
		return rs_call(f, rs_finish_raw);
	rs_block(f);
	switch ((uint32_t)f->a[0]) {
	case TASK_FD_QUERY:
		r = query(f, a, attr, size);
		break;
	case LINK_CREATE:
		r = create(a, attr, size);
		break;
	default:
		r = get_info(f, attr, size);
		break;
	}
	return rs_unblock(f, r);
}
