/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who made and last used a System V object: semctl, shmctl, msgctl. On x86-64 the commands come without IPC_64 and
 * the structures are always the 64-bit ones. The kernel keeps a name of the process, not of its number, and
 * shows it after its death too (ipc/shm.c, pid_vnr of a struct pid that is held).
 */
#include "arch/x86_64/uapi.h"
#include "resident/handlers.h"
#include "resident/resident.h"
#include "resident/user.h"

_Static_assert(offsetof(struct ax_shmid_ds, cpid) == 80 && sizeof(struct ax_shmid_ds) == 112,
	       "include/uapi/asm-generic/shmbuf.h");
_Static_assert(offsetof(struct ax_msqid_ds, lspid) == 96 && sizeof(struct ax_msqid_ds) == 120,
	       "include/uapi/asm-generic/msgbuf.h");

static long finish_semctl(struct rs_frame *f)
{
	return f->raw > 0 ? rs_out_past(f->raw) : f->raw;
}

/* GETPID */
long rs_h_semctl(struct rs_frame *f, struct rs_area *a)
{
	(void)a;
	return rs_call(f, finish_semctl);
}

/* A structure of size bytes, two numbers at `at`: the maker or last writer, and the last user. */
static long finish_stat(struct rs_frame *f, size_t size, size_t at)
{
	char ds[sizeof(struct ax_msqid_ds)];
	int32_t pid[2];
	long r;

	if (f->raw < 0)
		return f->raw;
	memcpy(ds, f->scratch, size);
	memcpy(pid, ds + at, sizeof(pid));
	pid[0] = rs_out_past(pid[0]);
	pid[1] = rs_out_past(pid[1]);
	memcpy(ds + at, pid, sizeof(pid));
	r = rs_user_write(f->regs.rdx, ds, size);
	return r ? r : f->raw;
}

static long finish_shmctl(struct rs_frame *f)
{
	return finish_stat(f, sizeof(struct ax_shmid_ds), offsetof(struct ax_shmid_ds, cpid));
}

/* IPC_STAT, SHM_STAT, SHM_STAT_ANY */
long rs_h_shmctl(struct rs_frame *f, struct rs_area *a)
{
	(void)a;
	f->a[2] = (long)f->scratch;
	return rs_call(f, finish_shmctl);
}

static long finish_msgctl(struct rs_frame *f)
{
	return finish_stat(f, sizeof(struct ax_msqid_ds), offsetof(struct ax_msqid_ds, lspid));
}

/* IPC_STAT, MSG_STAT, MSG_STAT_ANY */
long rs_h_msgctl(struct rs_frame *f, struct rs_area *a)
{
	(void)a;
	f->a[2] = (long)f->scratch;
	return rs_call(f, finish_msgctl);
}
