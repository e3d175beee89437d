/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the supervisor answers to a member that asks about namespaces below its own (resident/handover.h has the
 * protocol). Pure bookkeeping over the tree: no connection in here.
 */
#ifndef SUPERVISOR_ANSWER_H
#define SUPERVISOR_ANSWER_H

#include "resident/handover.h"
#include "supervisor/tree.h"

struct sv_answer {
	struct rs_answer a;
	int fd[2]; /* to be sent along, not closed */
	size_t n;
};

/*
 * The answer to ask from process peer on connection link. *ret_made: the namespace that NEW has made on this connection and
 * that waits for its keeper, else NULL; set by NEW. When KEEPER succeeds the connection is the tree's.
 */
void sv_answer(struct sv_tree *t, const struct rs_ask *ask, sp_hpid peer, int link,
	       struct sv_ns **ret_made, struct sv_answer *ret);

#endif
