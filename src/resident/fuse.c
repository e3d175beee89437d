/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a FUSE server reads and writes. A reply does not say what it answers: the queries for locks that are
 * under way are remembered, the last ones of them.
 */
#include "resident/fuse.h"

#include "boundary/records.h"
#include "resident/watch.h"

#define QUERIES 64
static _Atomic uint64_t queries[QUERIES];
static _Atomic uint32_t next_query;

static void convert_out(char *field)
{
	int32_t pid;

	memcpy(&pid, field, sizeof(pid));
	pid = rs_watch_out(pid);
	memcpy(field, &pid, sizeof(pid));
}

void rs_fuse_request(char *head, size_t n)
{
	uint32_t opcode;
	uint64_t unique;

	memcpy(&opcode, head + BD_FUSE_OPCODE, sizeof(opcode));
	memcpy(&unique, head + BD_FUSE_UNIQUE, sizeof(unique));
	convert_out(head + BD_FUSE_PID);
	if (n < BD_FUSE_LK_IN_SIZE || !bd_fuse_has_lock(opcode))
		return;
	convert_out(head + BD_FUSE_LK_PID);
	if (opcode == BD_FUSE_GETLK)
		atomic_store(&queries[atomic_fetch_add(&next_query, 1) % QUERIES], unique);
}

bool rs_fuse_reply(char *reply, size_t n)
{
	uint64_t unique;
	int32_t error, pid;

	if (n != BD_FUSE_LK_OUT_SIZE)
		return false;
	memcpy(&error, reply + BD_FUSE_OUT_ERROR, sizeof(error));
	memcpy(&unique, reply + BD_FUSE_UNIQUE, sizeof(unique));
	for (unsigned int i = 0; i < QUERIES; i++) {
		if (!unique || atomic_load(&queries[i]) != unique)
			continue;
		memcpy(&pid, reply + BD_FUSE_LK_OUT_PID, sizeof(pid));
		if (error || pid <= 0)
			return false;
		pid = rs_in_pid(pid);
		memcpy(reply + BD_FUSE_LK_OUT_PID, &pid, sizeof(pid));
		return true;
	}
	return false;
}
