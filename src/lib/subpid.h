/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libsubpid: PID namespaces without privileges, for other programs. Run something in a namespace of its own,
 * list what runs, enter, signal, wait, translate numbers. See subpid(7) for what a namespace of this
 * kind is, and libsubpid(3).
 *
 * Functions return 0 (or a count) or a negative errno; subpid_why() then has a sentence about it. Structures
 * that are returned grow at their end in later versions, so they are never copied by size: free them
 * with the function that is named with them. A handle is used by one thread at a time.
 */
#ifndef SUBPID_H
#define SUBPID_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct subpid subpid;

/*
 * The containers of the calling user below `root`; NULL: $SUBPID_ROOT, $XDG_RUNTIME_DIR/subpid or
 * /tmp/subpid-UID. *ret is valid even after a failure, for subpid_why(), and NULL only without memory.
 */
int subpid_open(subpid **ret, const char *root);
void subpid_close(subpid *s);

/* What went wrong last, without a full stop. Never NULL. */
const char *subpid_why(const subpid *s);

/* The directory that is used. */
const char *subpid_root(const subpid *s);

/* ---- containers ---- */

enum subpid_state {
	SUBPID_STARTING = 1, /* its program has not been executed yet */
	SUBPID_RUNNING,
	SUBPID_STOPPED, /* number 1 is stopped (SIGSTOP, Ctrl-Z) */
	SUBPID_ENDING,
	SUBPID_EXITED,
	SUBPID_LOST,	/* ended by force: nobody was left to write down how */
	SUBPID_DAMAGED, /* its files were changed by somebody else */
};

struct subpid_container {
	const char *name;
	const char *id;	    /* never used again, unlike the name; "" if damaged */
	const char *parent; /* name of the container it was started in, or NULL */
	enum subpid_state state;
	int depth;	    /* 1: started outside */
	int init_pid;	    /* number 1's number where the caller is; 0 if it has ended */
	int supervisor_pid; /* of the process that ends it when it is killed itself */
	int processes, threads;
	int64_t created_msec, ended_msec; /* since 1970; ended: 0 while it runs */
	int exit_code, exit_signal;	  /* of an ended one; the signal is 0 or how it ended */
	int detached, keep;		  /* 0 or 1 */
	int stop_signal;
	int64_t stop_timeout_msec;
	int confined; /* 1: the kernel keeps its members from signalling outside, hostile ones too */
	int caller_pid;		    /* the caller's own number in it; 0: the caller is not in it */
	const char *const *command; /* NULL at the end */
};

/* All of them, running ones and records, by time of creation; *ret is NULL at its end. The count. */
int subpid_list(subpid *s, struct subpid_container ***ret);
void subpid_list_free(struct subpid_container **list);

/* One. -ENOENT: there is none of this name. */
int subpid_get(subpid *s, const char *name, struct subpid_container **ret);
void subpid_container_free(struct subpid_container *c);

/* ---- processes ---- */

struct subpid_process {
	int pid, ppid, pgid, sid; /* inside: as its own programs see them; 0: not inside */
	int host_pid, host_ppid;  /* where the caller is */
	int threads;
	char state; /* a letter as of ps(1) */
	int64_t cpu_msec, age_msec, rss_kib;
	const char *comm;
	const char *const *args; /* NULL at the end; empty for a zombie */
};

/* The processes of a container by number; *ret is NULL at its end. The count. */
int subpid_processes(subpid *s, const char *name, struct subpid_process ***ret);
void subpid_processes_free(struct subpid_process **list);

/* A process' number where the caller is, from its number inside, and back. -ESRCH: there is none. */
int subpid_to_host(subpid *s, const char *name, int pid);
int subpid_from_host(subpid *s, const char *name, int host_pid);

/* ---- doing something ---- */

/*
 * Sends a signal to a process by its number inside; pid 0: to all of the container, and with SIGKILL
 * that is its end. sig 0 only looks. Never reaches a process outside of the container.
 */
int subpid_signal(subpid *s, const char *name, int pid, int sig);

/*
 * Waits for the end, at most msec (-1: for ever). 0 and, as waitpid(2) has it, *status; -ETIMEDOUT.
 * *status may be NULL. A container that has ended already and has left a record answers at once.
 */
int subpid_wait(subpid *s, const char *name, int64_t msec, int *status);

/* ---- entering ---- */

enum subpid_command_flag {
	SUBPID_TERMINAL = 1, /* the first terminal of fd becomes its controlling one */
	SUBPID_DETACHED = 2, /* it lives on when the descriptor of subpid_enter is closed */
};

struct subpid_command {
	const char *path; /* file of the program; not searched for in PATH */
	const char *const *argv;
	const char *const *envp;
	const char *cwd; /* NULL: the caller's */
	int fd[3];	 /* its standard descriptors */
	int flags;	 /* enum subpid_command_flag */
};

/*
 * Starts a container with the command as its number 1, in the background, with its output in a log; name may
 * be NULL, then one is made up. *ret_name (free it) may be NULL. The program `subpid` does it and is searched
 * for in PATH, as argv[0] is; path and fd are not used.
 */
int subpid_run(subpid *s, const char *name, const struct subpid_command *command, char **ret_name);

/*
 * Starts the command as a process of the container, in a session of its own. Returns a descriptor that
 * becomes readable when it ends, and in *ret_pid, which may be NULL, its number inside. Closing
 * the descriptor kills it, unless it is detached.
 */
int subpid_enter(subpid *s, const char *name, const struct subpid_command *command, int *ret_pid);

/* Waits for its end and closes the descriptor. *status is as of waitpid(2). */
int subpid_enter_wait(int entered, int *status);

/* A descriptor for reading what a detached container has written. */
int subpid_log(subpid *s, const char *name);

int subpid_rename(subpid *s, const char *name, const char *new_name);

/* Forgets a container that has ended. -EBUSY: it is running. */
int subpid_remove(subpid *s, const char *name);

#ifdef __cplusplus
}
#endif

#endif
