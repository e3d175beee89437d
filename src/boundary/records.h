/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data of descriptors that carry process numbers: where they are in a record, and files that take
 * numbers as text. Pure tables and arithmetic.
 */
#ifndef BOUNDARY_RECORDS_H
#define BOUNDARY_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/fmt.h"

enum bd_data {
	BD_DATA_NONE,
	BD_DATA_SIGNALFD, /* struct signalfd_siginfo */
	BD_DATA_UFFD,	  /* struct uffd_msg */
	BD_DATA_FANOTIFY, /* struct fanotify_event_metadata and what follows it */
	BD_DATA_INOTIFY,  /* struct inotify_event, of directories whose names are numbers */
	BD_DATA_FUSE,	  /* requests out, replies in */
	BD_DATA_NUMBERS,  /* text, a file of bd_idfile */
};

/* What readlink says of such an anonymous file ("anon_inode:[signalfd]"); BD_DATA_NONE: another. */
enum bd_data bd_data_of_link(const char *link, size_t len);

/* --- records ------------------------------------------------------------------------------------ */

/* struct signalfd_siginfo */
#define BD_SSI_SIZE 128u
#define BD_SSI_CODE 8u
#define BD_SSI_PID 12u
#define BD_SSI_UID 16u
#define BD_SSI_BAND 28u
#define BD_SSI_INT 44u
#define BD_SSI_PTR 48u
#define BD_SSI_ADDR 72u

/* struct uffd_msg */
#define BD_UFFD_SIZE 32u
#define BD_UFFD_PAGEFAULT 0x12u
#define BD_UFFD_FORK 0x13u
#define BD_UFFD_PTID 24u
#define BD_UFFD_NEWFD 8u

/* struct fanotify_event_metadata, struct fanotify_event_info_pidfd */
#define BD_FAN_SIZE 24u
#define BD_FAN_VERSION 3u
#define BD_FAN_PID 20u
#define BD_FAN_INFO_PIDFD 4u
#define BD_FAN_INFO_FD 4u /* behind the header of the information record */
#define BD_FAN_NOPIDFD (-1)

/* struct fuse_in_header, fuse_lk_in; fuse_out_header, fuse_lk_out */
#define BD_FUSE_IN_SIZE 40u
#define BD_FUSE_OPCODE 4u
#define BD_FUSE_UNIQUE 8u
#define BD_FUSE_PID 32u
#define BD_FUSE_LK_PID 76u
#define BD_FUSE_LK_IN_SIZE 88u
#define BD_FUSE_GETLK 31u
#define BD_FUSE_SETLKW 33u
#define BD_FUSE_OUT_ERROR 4u
#define BD_FUSE_LK_OUT_PID 36u
#define BD_FUSE_LK_OUT_SIZE 40u

/* Whether a request names a lock's owner besides the caller. */
static inline bool bd_fuse_has_lock(uint32_t opcode)
{
	return opcode >= BD_FUSE_GETLK && opcode <= BD_FUSE_SETLKW;
}

/*
 * Whether an event's records carry numbers of tasks, by sample_type and the flag word of struct
 * perf_event_attr (include/uapi/linux/perf_event.h); every_task: it is of a CPU, not of a task.
 */
bool bd_perf_records_numbers(uint64_t sample_type, uint64_t flags, bool every_task);

/* --- files that take numbers as text -------------------------------------------------------- */

struct bd_idfile {
	uint32_t magic;	  /* of the file system: linux/magic.h */
	const char *name; /* the file's */
	bool list;	  /* numbers with commas between, else one */
	bool front;	  /* a number with a comma behind it and other text */
	bool left_out;	  /* what is outside is not shown, else it is 0 */
	bool refused;	  /* is not opened for writing: EPERM */
};

/* By the name's last component; *from in: NULL or the last result, for another of that name. NULL: no more. */
const struct bd_idfile *bd_idfile_next(const struct bd_idfile *from, const char *path, size_t len);

/*
 * Writes the text that means the same to the kernel to out: numbers as the kernel parses them
 * (lib/kstrtox.c:kstrtoint, any base), through the map, 0 and what is no number as it stands. Returns its
 * length, -E2BIG.
 */
sp_must_check long bd_idfile_convert(const struct bd_idfile *file, int32_t (*map)(void *, int32_t),
				     void *ctx, const char *in, size_t len, char *out, size_t room);

/*
 * The other way round: lines of one number each, as far as they are complete and fit. Returns the length, and how
 * much of the text that is in *ret_used; what does not look like that is copied.
 */
sp_must_check long bd_idfile_show(const struct bd_idfile *file, int32_t (*map)(void *, int32_t),
				  void *ctx, const char *in, size_t len, char *out, size_t room,
				  size_t *ret_used);

#endif
