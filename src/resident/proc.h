/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc: names, links, texts and listings with the namespace's numbers. The kernel does all the
 * work on the host's names; what is not on procfs goes to it untouched, as early as can be told.
 *
 * Three ways find out that a name is on procfs, from cheap to dear: its text (procpath.h), where /proc is a
 * procfs; for relative names, the directory they start from; and proc_walk.c, which goes along the name
 * link by link. The last is for the calls that are rare, and for what turned out to be on procfs, or
 * not to exist, after the kernel was asked.
 */
#ifndef RESIDENT_PROC_H
#define RESIDENT_PROC_H

#include "base/fmt.h"
#include "boundary/procpath.h"
#include "resident/resident.h"

struct ax_stat;

/* Where the program's image was mapped. What is mapped there of a file is of the program's. */
extern uint64_t rs_exe_start, rs_exe_end;
/* The name the program was executed by, on its stack. */
extern const char *rs_exe_said;
/* The program's own file as the kernel names it. Length or -errno: /proc is missing. */
sp_must_check long rs_proc_exe_own(char *buf, size_t cap);

/*
 * The path that is to be executed: *ret_said is the program's text, *ret_path what the kernel has to be given,
 * both in the area's scratch. 0: they are the same; 1: not; -errno. Longer ones
 * than a few bytes below PATH_MAX are -ENAMETOOLONG.
 */
sp_must_check long rs_proc_exec_path(struct rs_area *a, int dirfd, uint64_t path, uint32_t flags,
				     const char **ret_said, const char **ret_path);

/* The mounts, the root or the working directory are about to change: nothing is known of them any more. */
void rs_proc_forget(void);

/* From now on another process shares our root, working directory or descriptors. */
void rs_proc_shared(void);

/* Replaces the paths of the planned call (boundary/paths.def). 0 or -errno. */
sp_must_check long rs_proc_paths(struct rs_frame *f, struct rs_area *a);

/* The planned call, which is one of those. */
long rs_proc_call_forget(struct rs_frame *f);

/* A descriptor came from elsewhere: relative names may start on procfs. */
void rs_proc_received(void);

/* The sockaddr_un of n bytes at addr: planned call's argument arg becomes what it stands for. 0 or -errno */
sp_must_check long rs_proc_sockaddr(struct rs_frame *f, struct rs_area *a, int arg, bool follow);

/* --- among proc*.c ------------------------------------------------------------------------ */

/*
 * The area's scratch while a name is worked on: the text, with room in front of it for a longer prefix
 * ("/proc/2147483647/task/2147483647/"), then space for what is made of it, then the other name of a
 * call that has two.
 */
#define RS_PROC_FRONT 64
#define RS_PROC_TEXT(a) ((a)->scratch + RS_PROC_FRONT)
#define RS_PROC_TEXT_MAX 4096
#define RS_PROC_SPARE(a) (RS_PROC_TEXT(a) + RS_PROC_TEXT_MAX)
#define RS_PROC_SPARE_MAX 4096
#define RS_PROC_HOLD(a) (RS_PROC_SPARE(a) + RS_PROC_SPARE_MAX)
#define RS_PROC_HOLD_MAX (RS_SCRATCH - RS_PROC_FRONT - RS_PROC_TEXT_MAX - RS_PROC_SPARE_MAX)

struct rs_name {
	struct bd_procpath p; /* in the namespace's numbers */
	bool entered;	      /* the way went over procfs, although it may end elsewhere */
	const char *host; /* what the kernel has to be given, in scratch; NULL: there is no text */
	const char *same; /* without a text: what the kernel refuses in the same way */
};

enum rs_name_how {
	RS_NAME_FOLLOW = 1, /* the call follows a link that the name ends in */
	RS_NAME_EXACT = 2,  /* the caller cannot tell afterwards: all ways are tried */
	RS_NAME_WALK = 4,   /* the same, and the kernel need not be asked whether it is worth it */
};
/* openat2's RESOLVE_ flags, in the bits above those. */
#define RS_NAME_RESOLVE(flags) ((unsigned int)(flags) << 8)
#define RS_NAME_RESOLVED(how) ((how) >> 8)

/*
 * Reads the path argument at path. 0: not on procfs as far as is known: the kernel's as it stands. 1: on
 * procfs, *ret_n is filled. If the namespace does not have it, neither has the kernel. -errno: the kernel's own
 * for such a path. *ret_n's host is a copy: the program cannot change it any more.
 */
sp_must_check long rs_proc_take(struct rs_area *a, int dirfd, uint64_t path, unsigned int how,
				struct rs_name *ret_n);
/* The same for len bytes that are in RS_PROC_TEXT already. */
sp_must_check long rs_proc_take_text(struct rs_area *a, int dirfd, size_t len, unsigned int how,
				     struct rs_name *ret_n);
/* Once more, the first answer having been 0 and the space not used since. */
sp_must_check long rs_proc_retake(struct rs_area *a, int dirfd, unsigned int how, struct rs_name *n);
/*
 * proc_resolve.c and proc_walk.c: for rs_proc_take_text alone. whole: start bytes of the place the name starts at
 * ("/proc/5/"), then the name, len in all.
 */
sp_must_check long rs_proc_rewrite(struct rs_area *a, const char *whole, size_t start, size_t len,
				   unsigned int how, struct rs_name *ret_n);
sp_must_check long rs_proc_walk(struct rs_area *a, int dirfd, size_t len, unsigned int how,
				struct rs_name *ret_n);

/*
 * The name for a path of which rs_user_string said len, 0 or -errno: empty, or refused, also if another thread
 * puts something right into its place.
 */
struct rs_name rs_name_refused(struct rs_area *a, uint64_t path, long len);

/* Puts the name into the planned call: argument arg. */
void rs_proc_put(struct rs_frame *f, const struct rs_name *n, int arg);

/* A call has failed and had no effect: whether it may have been because of numbers in a link. */
bool rs_proc_suspect(long error);
/* That call, then: a signal that comes from now on makes the program repeat it. */
void rs_proc_undo(struct rs_frame *f);

/*
 * Writes the host's tail of p ("12/task/13", without slashes at its ends, empty for the root) to out.
 * -ENOENT: not a member.
 */
sp_must_check long rs_proc_host_tail(struct rs_area *a, const struct bd_procpath *p,
				     struct sp_text *out);

/*
 * The name is PROCESS/exe and the call follows links: n->host becomes the program's file. 0; 1 if
 * the name is something else; -errno.
 */
sp_must_check long rs_proc_follow_exe(struct rs_area *a, struct rs_name *n);

/* Path of the program that the process runs, for members other than the caller. Length or -errno. */
sp_must_check long rs_proc_exe_of(int32_t hid, char *buf, size_t cap);

/* Whether the process or thread of p belongs to the caller's own group. */
bool rs_proc_own(const struct rs_area *a, const struct bd_procpath *p);

/* The directory that a descriptor (or AT_FDCWD) is, in the namespace's numbers; false: not procfs. */
bool rs_proc_base(const struct rs_area *a, int dirfd, struct bd_procpath *ret_at);

bool rs_proc_is_procfs(int dirfd);
bool rs_proc_path_is_procfs(const char *path);

/* Whether a file may be on procfs, from what stat says of it. */
bool rs_proc_looks_procfs(const struct ax_stat *st);
/* Whether it is what links of procfs lead to: exe (the resident), ns/ of a process. */
bool rs_proc_behind_link(const struct ax_stat *st);

/* Whether relative names may be on procfs: those that start at the working directory, at a descriptor. */
bool rs_proc_cwd_may(const struct rs_area *a);
bool rs_proc_fd_may(const struct rs_area *a);

/* From now on relative names may be on procfs: a directory there was opened or entered. */
void rs_proc_entered(void);

/* What "/proc" is for this process. */
enum rs_proc_root {
	RS_ROOT_UNKNOWN,
	RS_ROOT_PROC,	/* a procfs's root */
	RS_ROOT_NO,	/* something else, or nothing */
	RS_ROOT_INSIDE, /* the root directory itself is on procfs */
};
enum rs_proc_root rs_proc_root(const struct rs_area *a);

/*
 * The place on procfs that the open descriptor fd is (AT_FDCWD: the working directory): its mount point to mount
 * (may be NULL), its path in procfs to tail ("/12/fd"), of which the first *ret_root bytes are above the
 * mount. False: not known.
 */
bool rs_proc_place(const struct rs_area *a, int fd, struct sp_text *mount, struct sp_text *tail,
		   size_t *ret_root);

/*
 * The same for a path that the kernel has given: the longest mount point of a procfs counts, and of equal ones the
 * last.
 */
bool rs_proc_mounted(const char *path, size_t len, struct sp_text *mount, struct sp_text *tail,
		     size_t *ret_root);

/* What the kernel calls the file of a descriptor (AT_FDCWD too). Length without a NUL, or -errno. */
long rs_proc_name_of_fd(int fd, char *buf, size_t cap);

/*
 * "/5/fd" of the host as "/proc/7/fd" of the namespace; past: of a process that has gone as well. False: of one that is
 * not a member.
 */
bool rs_proc_show_tail(const char *tail, size_t len, bool past, struct sp_text *out);
/* fs/d_path.c:dentry_path, d_path */
#define RS_PROC_GONE "//deleted"
#define RS_PROC_GONE_LINK " (deleted)"

/* Without the mark that the kernel puts behind the path of such a one: its length. */
size_t rs_proc_undeleted(const char *text, size_t len, const char *mark);

/* Whether a file is the kernel's PID namespace, in which all are. */
bool rs_proc_is_own_ns(uint64_t dev, uint64_t ino);
/* The inode to be seen there: that of the task whose ns/pid p is; of one's own if p is something else, or NULL. */
uint64_t rs_proc_ns_ino(struct rs_area *a, const struct bd_procpath *p);

/* Replaces the host's numbers at the front of a link's text ("/proc/123/fd"); the new text is in out. */
void rs_proc_show_path(const char *text, size_t len, struct sp_text *out);

#endif
