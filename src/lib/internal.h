/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside libsubpid: the handle, and one container's directory and socket.
 */
#ifndef LIB_INTERNAL_H
#define LIB_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/subpid.h"
#include "supervisor/record.h"
#include "supervisor/root.h"

struct subpid {
	struct sv_root root;
	struct sv_fail fail;
};

/* A container that was found by name. */
struct lib_box {
	int dir;
	int ctl;  /* connected, or -1: nobody is there */
	int peer; /* its front's number here; 0: it is in a PID namespace that we do not see */
	int own;  /* our own number in it, if we are inside; then host numbers are its own */
	char name[SV_NAME_MAX + 1];
};
#define LIB_BOX_NONE ((struct lib_box){.dir = -1, .ctl = -1})

/* 0 also when nobody answers at its socket any more. -ENOENT with a sentence. */
sp_must_check int lib_box_open(subpid *s, const char *name, struct lib_box *ret);
void lib_box_close(struct lib_box *b);
#define lib_auto_box __attribute__((cleanup(lib_box_close))) struct lib_box

/* The name of the container it was started in; -ENOENT: outside, or it has gone. */
sp_must_check int lib_parent(subpid *s, const struct lib_box *b, char ret[SV_NAME_MAX + 1]);

/* Asks and waits for the answer: 0, or -errno (-ECONNREFUSED: its supervisor is gone). */
int lib_ask(const struct lib_box *b, enum sv_op op, int x, int y, const char *text,
	    struct sv_reply *ret, void *more, size_t more_len, int *ret_fd);

/* sv_failed into the handle. */
#define lib_failed(s, err, ...) sv_failed(&(s)->fail, err, __VA_ARGS__)

#endif
