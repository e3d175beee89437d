/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What passes from one image of the resident to the next, and from the supervisor to the first:
 * two argv slots in front of the program's own arguments, never the environment.
 *
 *   argv[0]  "subpid1:SEG,TARGET,FLAGS,MASK,SOCK,FILTERS"; the first four in lower-case hexadecimal
 *              SEG     descriptor of the segment (hidden, kept), or ffffffff: none was free, fetch it
 *              TARGET  descriptor of the program's file (closed after mapping), or ffffffff: none
 *                      was free, open it by name
 *              FLAGS   enum rs_handover_flag
 *              MASK    the program's signal mask (bit n-1); all are blocked until it runs
 *              SOCK    the supervisor's abstract address, if SEG is ffffffff
 *              FILTERS the program's seccomp filters (resident/filters.c), as long as they are: no
 *                      descriptor can be lost or be missing, no limit of files' sizes refuses it
 *   argv[1]  the program's path: AT_EXECFN; with RS_HO_FIRST the path that is to be executed
 *   argv[2]  argv[0] of the program, and so on
 *
 * The image is executed from a descriptor or /proc/self/exe. With RS_HO_FIRST it was started by the
 * supervisor: number 1 is reserved in the segment, the process is in its Landlock domain and has
 * its parent-death signal; the resident publishes number 1, becomes subreaper, sets no_new_privs, installs
 * the tree's filter and executes the path as execve(2) would, with itself as the new image. If that
 * fails it stores init_errno in the segment and exits with 127 (ENOENT) or 126.
 */
#ifndef RESIDENT_HANDOVER_H
#define RESIDENT_HANDOVER_H

#include <stdint.h>

#include "base/fmt.h"
#include "base/mem.h"

#define RS_HO_MAGIC "subpid1:"
#define RS_HO_SLOTS \
	2 /* even, so that the initial stack keeps its alignment when they are spliced out */
#define RS_HO_MAX 128 /* bytes of argv[0] without FILTERS, NUL included */

enum rs_handover_flag {
	RS_HO_FIRST = 1,
	RS_HO_SIGSYS_IGNORED = 2, /* the program believes SIGSYS ignored */
	RS_HO_SIGSYS_BLOCKED = 4, /* the program believes SIGSYS blocked */
	RS_HO_NO_NEW_PRIVS = 16,  /* the program's idea of it */
	RS_HO_SCRIPT = 8,	  /* the program's file is argv[2], not argv[1] (`#!` line) */
};

struct rs_handover {
	uint32_t segment_fd;
	uint32_t target_fd;
	uint32_t flags;
	uint64_t mask;
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
	if (*s++ != ',')
		return -1;
	h->sock = s;
	for (h->sock_len = 0; s[h->sock_len] && s[h->sock_len] != ','; h->sock_len++)
		;
	h->filters = s + h->sock_len + (s[h->sock_len] == ',');
	return 0;
}

/*
 * The channel: a SOCK_SEQPACKET unix socket at the segment's sock_name (abstract). One request byte, one reply
 * byte with SCM_RIGHTS. RS_CH_FDS: reply carries two descriptors, the segment and the resident's file.
 * The supervisor answers only peers whose SO_PEERCRED pid is a task of the namespace.
 */
enum rs_channel {
	RS_CH_FDS = 'F',
	RS_CH_OK = '+',
	RS_CH_NO = '-',
};

/* Call number a program may use to ask whether it runs inside: returns RS_HYPER_VERSION, outside ENOSYS. */
#define RS_HYPER_NR 20560
#define RS_HYPER_VERSION 1
/* Its first argument, of number 1 before an exec: stops as a terminal's job does (SP_SEG_FOREGROUND). */
#define RS_HYPER_FOREGROUND 0x666f7265

#endif
