/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files whose text carries numbers. What is opened is read, converted and put into a memory file at
 * once; that is what the program gets, under the descriptor the real one would have had. It does not
 * change any more until the program goes back to its start. A file in which nothing had to be
 * converted stays the kernel's: it can be polled, and is live.
 */
#ifndef RESIDENT_TEXT_H
#define RESIDENT_TEXT_H

#include "boundary/procview.h"
#include "resident/resident.h"

/*
 * Replaces descriptor fd, which the program's open with these flags gave (signals are blocked), by one of
 * the converted text. name: what was opened, in the host's numbers. p: the place on procfs, NULL for a file
 * elsewhere. The descriptor for the program, or -errno; fd is used up.
 */
sp_must_check long rs_text_convert(struct rs_frame *f, struct rs_area *a, enum bd_text text,
				   const struct bd_procpath *p, const char *name, long fd,
				   uint64_t flags);

/* Whether an open of this text with these flags is converted. */
bool rs_text_wanted(enum bd_text text, uint64_t flags);

/*
 * proc_again.c: the memory file's name, from which the text can be made again and its origin told: the kernel's
 * name for the file (name: what was opened, in the host's numbers), and behind a mark whose life it is about.
 */
#define RS_TEXT_NAME_MAX 200 /* a memory file's name may have 249 */
void rs_text_keep_name(struct rs_area *a, const struct bd_procpath *p, const char *name, char *kept);

/* The kernel's name in a link "/memfd:/proc/..." of a converted text; NULL: it is no such link. */
const char *rs_text_name_of(const char *link, size_t len, size_t *ret_len);

/*
 * What a link (such as "/proc/self/fd/3") to the memory file of a text stands for: the name of the kernel's
 * file in the host's numbers, with a NUL.
 */
bool rs_text_stands_for(const char *link, char *buf, size_t cap);

/* What is read from descriptor `from`, converted, becomes the content of the memory file mem. Signals are blocked. */
void rs_text_rewrite(struct rs_frame *f, struct rs_area *a, enum bd_text text,
		     const struct bd_procpath *p, long from, long mem);

/*
 * A new program starts with this mask. If descriptor fd is a text of which nothing was read, it becomes
 * the text of now: `cat </proc/self/status` is about cat, not about the shell that opened it.
 */
void rs_text_refresh(struct rs_area *a, int fd, uint64_t mask);

/* The map of a text, p the task that it is about: text_map.c */
void rs_text_map(struct bd_map *map, struct rs_area *a, enum bd_text text, const struct bd_procpath *p);

/* What a map needs besides its functions: proc_belief.c */
struct rs_belief {
	struct bd_signals signals;
	struct bd_restrictions restrictions;
	struct bd_call call;
};

/* The host tid that a name of a process or thread means; the caller's group has host spellings too. */
int32_t rs_text_task(struct rs_area *a, const struct bd_procpath *p);

/*
 * What the program of the named task believes where the kernel's answer is the resident's. whole: another process is asked
 * for what only it knows (its restrictions, SIGSYS).
 */
void rs_belief_of(const struct rs_frame *f, struct rs_area *a, const struct bd_procpath *p,
		  struct rs_belief *b, bool whole);

/*
 * The mask of a task that the kernel has with everything blocked, because the resident is at work there: from the
 * text of its stat or status.
 */
void rs_belief_blocked(struct rs_area *a, const struct bd_procpath *p, const char *text, size_t len,
		       struct bd_signals *s);

/* The call a task is in, if it is a converted one: from the text of its syscall file. */
bool rs_belief_call(int32_t hid, const char *text, size_t len, struct bd_call *ret_call);

#endif
