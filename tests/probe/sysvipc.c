/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The numbers in System V objects: who made, attached, sent, received, changed; also when that process is gone,
 * with every command that shows them, bad pointers, wrong commands and junk in unused halves.
 */
#include "probe.h"
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

/* The kernel's structures as words; libcs call their fields differently. */
struct kshm {
	char perm[48];
	unsigned long segsz;
	long times[3];
	int cpid, lpid;
	unsigned long nattch, unused[2];
};

struct kmsg {
	char perm[48];
	long times[3];
	unsigned long cbytes, qnum, qbytes;
	int lspid, lrpid;
	unsigned long unused[2];
};

#define JUNK 0xdeadbeef00000000ul
#define INDEX(id) ((id)&0x7fff) /* ipc/util.h: IPCMNI_SHIFT */

static int in_other(int (*fn)(int), int arg)
{
	pid_t pid = fork_or_die();

	if (!pid)
		_exit(fn(arg));
	reap(pid);
	return pid;
}

static int attach(int id)
{
	void *p = shmat(id, NULL, 0);

	return p == (void *)-1 || shmdt(p);
}

static void show_shm(const char *what, int id)
{
	struct kshm a = {0}, b = {0}, c = {0};
	long r = SC(SYS_shmctl, id, 2, &a);
	long s = SC(SYS_shmctl, INDEX(id), 13, &b),
	     t = SC(SYS_shmctl, INDEX(id) | JUNK, 15 | JUNK, &c);

	say("%s: stat %s %d %d, SHM_STAT %s %d %d, ANY %s %d %d, nattch %lu size %lu", what, rc(r),
	    a.cpid, a.lpid, s == id ? "id" : rc(s), b.cpid, b.lpid, t == id ? "id" : rc(t), c.cpid,
	    c.lpid, a.nattch, a.segsz);
}

static void shm(void)
{
	int *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int id = shmget(IPC_PRIVATE, 8192, 0600);
	struct kshm old = {0};
	void *ro = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	if (id < 0 || word == MAP_FAILED)
		die("shmget");
	show_shm("new", id);
	attach(id);
	show_shm("attached", id);
	say("by %d", in_other(attach, id));
	show_shm("attached by a child", id);
	pid = fork_or_die();
	if (!pid) {
		*word = shmget(IPC_PRIVATE, 4096, 0600);
		_exit(0);
	}
	say("%s", reap(pid));
	show_shm("of a child that is gone", *word);
	say("bad pointers: %s %s %s %s", rc(SC(SYS_shmctl, id, 2, NULL)),
	    rc(SC(SYS_shmctl, id, 2, WILD)), rc(SC(SYS_shmctl, id, 2, ro)),
	    rc(SC(SYS_shmctl, -1, 2, NULL)));
	say("unknown: %s %s, old layout %s, command %s", rc(SC(SYS_shmctl, -1, 2, &old)),
	    rc(SC(SYS_shmctl, 0x7fffffff, 15, &old)), rc(SC(SYS_shmctl, id, 2 | 0x100, &old)),
	    rc(SC(SYS_shmctl, id, 99, &old)));
	say("set %s remove %s %s", rc(SC(SYS_shmctl, id, 2, &old) ?: SC(SYS_shmctl, id, 1, &old)),
	    rc(SC(SYS_shmctl, id, IPC_RMID, NULL)), rc(SC(SYS_shmctl, *word, IPC_RMID, NULL)));
	say("removed %s", rc(SC(SYS_shmctl, id, 2, &old)));
}

static int msg_id;

static int send_one(int n)
{
	struct {
		long type;
		char text[4];
	} m = {n, "abc"};

	return msgsnd(msg_id, &m, 4, 0);
}

static int take_one(int n)
{
	struct {
		long type;
		char text[4];
	} m;

	return msgrcv(msg_id, &m, 4, n, 0) != 4;
}

static void show_msg(const char *what)
{
	struct kmsg a = {0}, b = {0}, c = {0};
	long r = SC(SYS_msgctl, msg_id, 2, &a);
	long s = SC(SYS_msgctl, INDEX(msg_id), 11, &b),
	     t = SC(SYS_msgctl, INDEX(msg_id), 13 | JUNK, &c);

	say("%s: stat %s %d %d, MSG_STAT %s %d %d, ANY %s %d %d, %lu of %lu bytes", what, rc(r),
	    a.lspid, a.lrpid, s == msg_id ? "id" : rc(s), b.lspid, b.lrpid,
	    t == msg_id ? "id" : rc(t), c.lspid, c.lrpid, a.qnum, a.cbytes);
}

static void msg(void)
{
	struct kmsg old;

	msg_id = msgget(IPC_PRIVATE, 0600);
	if (msg_id < 0)
		die("msgget");
	show_msg("new");
	say("sent %d", send_one(1));
	show_msg("sent");
	say("by %d", in_other(send_one, 2));
	show_msg("sent by a child");
	say("by %d", in_other(take_one, 1));
	show_msg("taken by a child");
	say("taken %d", take_one(2));
	show_msg("taken");
	say("bad: %s %s %s %s %s", rc(SC(SYS_msgctl, msg_id, 2, NULL)),
	    rc(SC(SYS_msgctl, msg_id, 2, WILD)), rc(SC(SYS_msgctl, -1, 2, &old)),
	    rc(SC(SYS_msgctl, msg_id, 2 | 0x100, &old)), rc(SC(SYS_msgctl, msg_id, 99, &old)));
	say("remove %s", rc(SC(SYS_msgctl, msg_id, IPC_RMID, NULL)));
}

static int sem_id;

static int up(int n)
{
	struct sembuf op = {(unsigned short)n, 1, 0};

	return semop(sem_id, &op, 1);
}

static int undo(int n)
{
	struct sembuf op = {(unsigned short)n, 1, SEM_UNDO};

	return semop(sem_id, &op, 1);
}

static int set_all(int n)
{
	unsigned short v[3] = {(unsigned short)n, 5, 6};

	return (int)SC(SYS_semctl, sem_id, 0, SETALL, v);
}

static void show_sem(const char *what)
{
	say("%s: %s %s %s, junk %s", what, rc(SC(SYS_semctl, sem_id, 0, GETPID)),
	    rc(SC(SYS_semctl, sem_id, 1, GETPID)), rc(SC(SYS_semctl, sem_id, 2, GETPID)),
	    rc(SC(SYS_semctl, sem_id | JUNK, 1 | JUNK, GETPID | JUNK, JUNK)));
}

static void sem(void)
{
	sem_id = semget(IPC_PRIVATE, 3, 0600);
	if (sem_id < 0)
		die("semget");
	show_sem("new");
	say("up %d", up(0));
	show_sem("up");
	say("by %d", in_other(up, 1));
	show_sem("up by a child");
	say("by %d", in_other(undo, 2));
	show_sem("undone at a child's end");
	say("by %d", in_other(set_all, 4));
	show_sem("all set by a child");
	SC(SYS_semctl, sem_id, 1, SETVAL, 9);
	show_sem("one set");
	say("bad: %s %s %s %s", rc(SC(SYS_semctl, sem_id, 3, GETPID)),
	    rc(SC(SYS_semctl, sem_id, -1, GETPID)), rc(SC(SYS_semctl, -1, 0, GETPID)),
	    rc(SC(SYS_semctl, sem_id, 0, GETPID | 0x100)));
	say("remove %s", rc(SC(SYS_semctl, sem_id, 0, IPC_RMID)));
}

static void all(void)
{
	shm();
	msg();
	sem();
}

int main(void)
{
	all();
	in_child("in a child", all);
	return 0;
}
