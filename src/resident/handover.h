/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What passes from one image of the resident to the next, and from the supervisor to the first:
 * two argv slots in front of the program's own arguments, never the environment.
 *
 *   argv[0]  "subpid2:SEG,TARGET,FLAGS,MASK,NUMBER,CHILDREN,SOCK,FILTERS"; the first six in lower-case hexadecimal
 *              SEG     descriptor of the segment (hidden, kept), or ffffffff: none was free, fetch it
 *              TARGET  descriptor of the program's file (closed after mapping), or ffffffff: none
 *                      was free, open it by name
 *              FLAGS   enum rs_handover_flag
 *              MASK    the program's signal mask (bit n-1); all are blocked until it runs
 *              NUMBER  the process's own; 0: look it up
 *              CHILDREN rs_area.children
 *              SOCK    the supervisor's abstract address, if SEG is ffffffff
 *              FILTERS the program's seccomp filters (resident/filters.c), as long as they are: no
 *                      descriptor can be lost or be missing, no limit of files' sizes refuses it
 *   argv[1]  the program's path: AT_EXECFN; with RS_HO_FIRST the path that is to be executed
 *   argv[2]  argv[0] of the program, and so on
 *
 * A keeper (RS_HO_KEEPER) has its connection to the supervisor for TARGET and the host pid of number 1 for MASK.
 *
 * The image is executed from a descriptor or /proc/self/exe. With RS_HO_FIRST it was started by the
 * supervisor: number 1 is reserved in the segment, the process is in its Landlock domain and has
 * its parent-death signal; the resident publishes number 1, becomes subreaper, sets no_new_privs, installs
 * the tree's filter and executes the path as execve(2) would, with itself as the new image. If that
 * fails it stores init_errno in the segment and exits with 127 (ENOENT) or 126.
 */
#ifndef RESIDENT_HANDOVER_H
#define RESIDENT_HANDOVER_H

#include <stddef.h>
#include <stdint.h>

#include "base/fmt.h"
#include "base/mem.h"

#define RS_HO_MAGIC "subpid2:"
#define RS_HO_SLOTS \
	2 /* even, so that the initial stack keeps its alignment when they are spliced out */
#define RS_HO_MAX 160 /* bytes of argv[0] without FILTERS, NUL included */

enum rs_handover_flag {
	RS_HO_FIRST = 1,
	RS_HO_SIGSYS_IGNORED = 2, /* the program believes SIGSYS ignored */
	RS_HO_SIGSYS_BLOCKED = 4, /* the program believes SIGSYS blocked */
	RS_HO_NO_NEW_PRIVS = 16,  /* the program's idea of it */
	RS_HO_SCRIPT = 8,	  /* the program's file is argv[2], not argv[1] (`#!` line) */
	RS_HO_KEEPER = 32,	  /* no program: the keeper of the segment's namespace (nest.h) */
	RS_HO_SCOPED = 64,	  /* and it has proven a signal scope of its own */
	RS_HO_JOIN = 128, /* comes from outside and is registered as NUMBER (supervisor/join.h) */
};

struct rs_handover {
	uint32_t segment_fd;
	uint32_t target_fd;
	uint32_t flags;
	uint64_t mask;
	uint64_t children;
	uint32_t number;
	const char *sock; /* the supervisor's address, sock_len bytes; only if segment_fd is none */
	uint32_t sock_len;
	const char *filters; /* only when parsed */
};

static inline void rs_handover_format(char buf[RS_HO_MAX], const struct rs_handover *h)
{
	struct sp_text t;

	sp_text_init(&t, buf, RS_HO_MAX);
	sp_text_str(&t, RS_HO_MAGIC);
	sp_text_hex(&t, h->segment_fd);
	sp_text_char(&t, ',');
	sp_text_hex(&t, h->target_fd);
	sp_text_char(&t, ',');
	sp_text_hex(&t, h->flags);
	sp_text_char(&t, ',');
	sp_text_hex(&t, h->mask);
	sp_text_char(&t, ',');
	sp_text_hex(&t, h->number);
	sp_text_char(&t, ',');
	sp_text_hex(&t, h->children);
	sp_text_char(&t, ',');
	sp_text_bytes(&t, h->sock, h->sock_len);
	sp_text_char(&t, ',');
}

static inline int rs_handover_parse(const char *s, struct rs_handover *h)
{
	if (!sp_has_prefix(s, RS_HO_MAGIC))
		return -1;
	s += sizeof(RS_HO_MAGIC) - 1;
	h->segment_fd = (uint32_t)sp_parse_hex(&s);
	s += *s == ',';
	h->target_fd = (uint32_t)sp_parse_hex(&s);
	s += *s == ',';
	h->flags = (uint32_t)sp_parse_hex(&s);
	s += *s == ',';
	h->mask = sp_parse_hex(&s);
	s += *s == ',';
	h->number = (uint32_t)sp_parse_hex(&s);
	s += *s == ',';
	h->children = sp_parse_hex(&s);
	if (*s++ != ',')
		return -1;
	h->sock = s;
	for (h->sock_len = 0; s[h->sock_len] && s[h->sock_len] != ','; h->sock_len++)
		;
	h->filters = s + h->sock_len + (s[h->sock_len] == ',');
	return 0;
}

/*
 * The channel: a SOCK_SEQPACKET unix socket at the segment's sock_name (abstract). One struct rs_ask, one
 * struct rs_answer (as much of v as is used), descriptors by SCM_RIGHTS. Who asks is what the kernel says:
 * a task of namespace `ns` (0: the supervisor finds out which), or a descendant of one that is not
 * registered yet. Descriptors in [ ]; "below" includes the asker's own namespace.
 *
 *   FDS     [the asker's segment, the resident's file]
 *   NEW     a namespace right below the asker's. [its segment with number 1 reserved, the resident's file];
 *           ns: its id. The connection stays open for KEEPER; its end without KEEPER ends the namespace.
 *   KEEPER  sent by the keeper itself on the connection of NEW, which stays open as long as the keeper lives
 *   SEE     numbers in the asker's namespace for all tasks below; result: how many had none
 *   NUMBER  arg host tid: result its number in the asker's namespace, given if it is below; 0: not visible.
 *           A keeper's is that of its init; a dead leader's that of the group.
 *   LEVELS  arg host tid; more[0]: host tid of the task that says how deep (0: arg); more[1]: first level wanted.
 *           result: levels from the asker's to that task's own; v: arg's number at each level from more[1] on,
 *           0 where it has none
 *   NSOF    arg host tid: ns, ino of its namespace; -ESRCH
 *   JOIN    ns: the namespace to join, below; [its segment]. more[0], more[1]: the asker's own id, low and
 *           high word. The asker counts as a member of it from now on.
 *   END     from a keeper on that connection: joiners are killed; answered when they are gone, or after a while with -EAGAIN
 *   INIT    arg host tid of an init below: v[0..5]: handled, ignored, blocked (low, high); v[6] segment flags
 *   NSFILE  more[0], more[1]: low and high word of a namespace's id below (0: the asker's); arg 1: the one
 *           above that. Or more[2], more[3]: the inode of such a file. [file that stands for it]; ns, ino;
 *           -EPERM: above the asker's; -ENOENT
 *   VIEW_NUMBER  arg host tid, more[0], more[1] as above. result: its number there, 0 none
 *   VIEW_FIND    arg number, more[0], more[1] as above. result: the host tid it names there, 0 none
 *
 * Errors: -EPERM not a member; -ESRCH no such namespace; -ENOSPC no room for another namespace; -EAGAIN too
 * many requests; -ENOMEM the namespace is ending; -ENOSYS unknown.
 */
enum rs_op {
	RS_OP_FDS = 1,
	RS_OP_NEW,
	RS_OP_KEEPER,
	RS_OP_SEE,
	RS_OP_NUMBER,
	RS_OP_LEVELS,
	RS_OP_NSOF,
	RS_OP_JOIN,
	RS_OP_END,
	RS_OP_INIT,
	RS_OP_NSFILE,
	RS_OP_VIEW_NUMBER,
	RS_OP_VIEW_FIND,
};

struct rs_ask {
	uint32_t op; /* enum rs_op */
	int32_t arg;
	uint64_t ns; /* the asker's namespace */
	int32_t more[4];
};

#define RS_ANSWER_MAX 128

struct rs_answer {
	int32_t result; /* -errno when it failed */
	uint32_t n;	/* words of v that follow */
	uint64_t ns;
	uint64_t ino;
	int32_t v[RS_ANSWER_MAX];
};
#define RS_ANSWER_HEAD ((size_t)24)
_Static_assert(offsetof(struct rs_answer, v) == 24, "the part that is always there");

/* Call number a program may use to ask whether it runs inside: returns RS_HYPER_VERSION, outside ENOSYS. */
#define RS_HYPER_NR 20560
#define RS_HYPER_VERSION 1
/* Its first argument, of number 1 before an exec: stops as a terminal's job does (SP_SEG_FOREGROUND). */
#define RS_HYPER_FOREGROUND 0x666f7265
/* Or: what the init of a namespace right below, second argument, handles, ignores and blocks: to three words. */
#define RS_HYPER_SETS 0x73657473

#endif
