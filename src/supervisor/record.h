/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's directory in the state directory, named as the container is:
 *
 *   lock    locked (flock) by the supervisor as long as it lives. Whether a container runs is asked of this
 *           lock and never of a process' number.
 *   ctl     the supervisor's control socket (wire.h)
 *   state   what is known about it (struct sv_state), replaced as a whole at the end
 *   log     what a detached container writes
 *
 * The directory is made under a hidden name, complete, and then renamed to the container's: that is
 * atomic, and fails if the name is taken. It goes by being renamed to a hidden name again. Whoever
 * lists removes hidden directories that nobody holds the lock of.
 */
#ifndef SUPERVISOR_RECORD_H
#define SUPERVISOR_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/root.h"
#include "supervisor/supervisor.h"
#include "supervisor/wire.h"

/* Contents of `state`. */
struct sv_state {
	char id[SV_ID_LEN + 1];
	char parent[SV_ID_LEN + 1]; /* id of the container it was started in; empty: outside */
	int64_t created_msec, ended_msec; /* since 1970; ended: 0 while it runs */
	int32_t supervisor;		  /* for people to read; nothing relies on it */
	int32_t code, sig;		  /* of the end */
	int32_t stop_signal;
	int64_t stop_timeout_msec;
	bool keep;	/* the record stays after the end */
	bool detached;	/* has a log */
	char **command; /* malloc, NULL at the end */
};

/* A container of ours that is listed. All descriptors are close-on-exec, -1: none. */
struct sv_record {
	int root, dir, lock, ctl; /* ctl: listening */
	char name[SV_NAME_MAX + 1];
	struct sv_state state;
};

#define SV_RECORD_NONE ((struct sv_record){.root = -1, .dir = -1, .lock = -1, .ctl = -1})

/* What is to be listed, and how. */
struct sv_listing {
	const char *root; /* as sv_root_open; NULL: the default */
	const char *name; /* NULL: one is made up */
	bool keep;	  /* the record stays after the end */
	bool detached;
	bool required;	      /* without being listed it does not start */
	char *const *command; /* as the user wrote it */
};

/* inside: this process is itself in a container. */
sp_must_check int sv_record_create(struct sv_record *ret, const struct sv_job *job, bool inside,
				   struct sv_fail *fail);

/* From now on what this process and its children write goes to the log. */
sp_must_check int sv_record_log(const struct sv_record *r, struct sv_fail *fail);

/* The end: the record goes, or is kept with this outcome. */
void sv_record_end(struct sv_record *r, const struct sv_outcome *outcome, bool ran);

/* Closes what a process does not need that only watches; the lock stays held by others. */
void sv_record_close(struct sv_record *r);

sp_must_check int sv_record_rename(struct sv_record *r, const char *name);

/* ---- for everybody else ---- */

/* The directory of this name below the state directory, checked; -errno. */
sp_must_check int sv_record_open(int root, const char *name);

/* 1: somebody holds the lock; 0: nobody (any more); -errno. */
sp_must_check int sv_record_held(int dir);

/* What its supervisor says: 0 and *ret_peer, the number of who made its socket, as seen from here; -errno. */
sp_must_check int sv_info_ask(int dir, const char *path_of_dir, struct sv_info *ret, int *ret_peer);

/* 0; -EBADMSG: damaged; otherwise -errno. */
sp_must_check int sv_state_read(int dir, struct sv_state *ret);
void sv_state_free(struct sv_state *s);

/* Takes the record of this name away, if it is the one of `dir`. */
sp_must_check int sv_record_remove(int root, const char *name, int dir);

/* Removes what was left in the middle of a creation or a removal. */
void sv_root_sweep(int root);

/* The path of a container's socket for bind and connect, through dir. */
#define SV_CTL_PATH 108
sp_must_check int sv_ctl_path(char ret[SV_CTL_PATH], int dir, const char *path_of_dir);

#endif
