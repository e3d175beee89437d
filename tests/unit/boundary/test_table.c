/* build: src/boundary/table.c src/boundary/table_names.c */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table's own rules, and that docs/COMPATIBILITY.md says the same.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "boundary/table.h"

/* The tests run in the root of the tree. */
#define GENERATOR "tools/gen-compat"
#define DOCUMENT "docs/COMPATIBILITY.md"

static void every_number_has_a_row(void **state)
{
	(void)state;
	for (unsigned nr = 0; nr <= BD_SYSCALL_MAX; nr++) {
		const struct bd_row *r = &bd_row_of[nr];

		if (!r->name || !r->name[0] || !r->note || !r->when || r->support > BD_DENY)
			fail_msg("number %u has no row", nr);
		for (unsigned other = 0; other < nr; other++)
			assert_string_not_equal(r->name, bd_row_of[other].name);
	}
	assert_non_null(bd_row_unknown.note);
	assert_int_equal(bd_handler_for(3), BD_H_none);
	assert_int_equal(bd_handler_for(39), BD_H_getpid);
	assert_int_equal(bd_handler_for(BD_SYSCALL_MAX + 1), BD_H_unknown);
	assert_int_equal(bd_handler_for(~0ULL), BD_H_unknown);
}

/* The handlers that paths.def is for find their rows, and nobody else has any. */
static void paths_are_in_order(void **state)
{
	(void)state;
	for (unsigned i = 0; i < bd_path_count; i++) {
		const struct bd_path *p = &bd_paths[i];
		unsigned same = 0;
		uint8_t h = bd_handler_for(p->nr);

		assert_true(h == BD_H_path || h == BD_H_access || h == BD_H_mount ||
			    h == BD_H_inotify_add_watch);
		assert_int_equal(bd_when_of[p->nr].op, BD_ALWAYS);
		assert_true(p->path < 6 && (p->dirfd < 6 || p->dirfd == BD_PATH_CWD) && p->arg < 6);
		assert_true(p->dirfd != p->path && p->last <= BD_LAST_BIND);
		for (unsigned k = 0; k < bd_path_count; k++)
			same += bd_paths[k].nr == p->nr;
		assert_in_range(same, 1, h == BD_H_access ? 1 : 2);
		if (i)
			assert_true(p[-1].nr < p->nr || (p[-1].nr == p->nr && p[-1].path < p->path));
	}
	for (unsigned nr = 0; nr <= BD_SYSCALL_MAX; nr++) {
		bool found = false;

		if (bd_handler_of[nr] != BD_H_path && bd_handler_of[nr] != BD_H_access)
			continue;
		for (unsigned i = 0; i < bd_path_count; i++)
			found |= bd_paths[i].nr == nr;
		if (!found)
			fail_msg("%s has no path", bd_row_of[nr].name);
	}
}

static void gaps_are_in_words(void **state)
{
	(void)state;
	for (unsigned nr = 0; nr <= BD_SYSCALL_MAX; nr++) {
		const struct bd_row *r = &bd_row_of[nr];

		if ((r->support == BD_PARTIAL || r->support == BD_DENY) && strlen(r->note) < 5)
			fail_msg("%s is %s and does not say why", r->name, bd_support_name[r->support]);
		if (r->support == BD_DENY && !isupper((unsigned char)r->note[0]))
			fail_msg("%s: the note of a denied call starts with the errno", r->name);
		/* "as CALL" is a note of its own only if that call has one. */
		if (!strncmp(r->note, "as ", 3) && !strchr(r->note + 3, ' ')) {
			unsigned other = 0;

			while (other <= BD_SYSCALL_MAX && strcmp(bd_row_of[other].name, r->note + 3))
				other++;
			assert_in_range(other, 0, BD_SYSCALL_MAX);
			assert_true(strlen(bd_row_of[other].note) > 5);
			assert_int_equal(bd_row_of[other].support, r->support);
		}
	}
}

/* What traps is handled by somebody, and what does not is handled by nobody. */
static void handlers_and_conditions_agree(void **state)
{
	bool used[BD_H_COUNT] = {[BD_H_none] = true};

	(void)state;
	for (unsigned nr = 0; nr <= BD_SYSCALL_MAX + 1; nr++) {
		const struct bd_when *w = nr <= BD_SYSCALL_MAX ? &bd_when_of[nr] : &bd_when_unknown;
		uint8_t handler = bd_handler_for(nr);
		const char *name = nr <= BD_SYSCALL_MAX ? bd_row_of[nr].name : "unknown";

		assert_in_range(handler, 0, BD_H_COUNT - 1);
		assert_in_range(w->op, BD_NEVER, BD_WATCH_ANY);
		if (w->op == BD_WATCH) {
			assert_true(w->arg <= 5 || w->value <= 5);
			assert_true((w->arg <= 5 || w->arg == BD_NO_ARG) &&
				    (w->value <= 5 || w->value == BD_NO_ARG));
		} else {
			assert_in_range(w->arg, 0, 5);
		}
		if ((handler == BD_H_none) != (w->op == BD_NEVER || w->op == BD_ERRNO))
			fail_msg("%s: handler %s does not fit its condition", name,
				 bd_handler_name[handler]);
		if (w->op == BD_ERRNO && (w->value == 0 || w->value > 4095))
			fail_msg("%s: errno %u", name, w->value);
		if (w->op == BD_ARG_MASK && w->value == 0)
			fail_msg("%s: a mask without bits", name);
		if (nr <= BD_SYSCALL_MAX) {
			uint8_t support = bd_row_of[nr].support;

			if ((w->op == BD_ERRNO) != (support == BD_DENY))
				fail_msg("%s is refused and says %s, or the other way round", name,
					 bd_support_name[support]);
			if (support == BD_PASS && w->op != BD_NEVER)
				fail_msg("%s passes and traps", name);
		}
		used[handler] = true;
	}
	for (unsigned h = 0; h < BD_H_COUNT; h++)
		if (!used[h])
			fail_msg("no row uses the handler %s", bd_handler_name[h]);
}

static void sets_have_members(void **state)
{
	unsigned members[BD_SET_COUNT] = {0};

	(void)state;
	for (unsigned i = 0; i < bd_set_member_count; i++) {
		assert_in_range(bd_set_members[i].set, 0, BD_SET_COUNT - 1);
		members[bd_set_members[i].set]++;
		for (unsigned j = 0; j < i; j++)
			assert_false(bd_set_members[j].set == bd_set_members[i].set &&
				     bd_set_members[j].mask == bd_set_members[i].mask &&
				     bd_set_members[j].value == bd_set_members[i].value);
	}
	for (unsigned s = 0; s < BD_SET_COUNT; s++)
		assert_true(members[s] > 0);
}

/* Exit threads must not trap, whatever somebody writes into a row: prior art, a stack may be gone. */
static void some_calls_never_trap(void **state)
{
	static const char *const names[] = {"exit", "exit_group", "munmap", "restart_syscall"};
	unsigned found = 0;

	(void)state;
	for (unsigned nr = 0; nr <= BD_SYSCALL_MAX; nr++)
		for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (!strcmp(bd_row_of[nr].name, names[i])) {
				assert_int_equal(bd_when_of[nr].op, BD_NEVER);
				found++;
			}
	assert_int_equal(found, sizeof(names) / sizeof(names[0]));
}

static void document_is_up_to_date(void **state)
{
	(void)state;
	assert_int_equal(access(GENERATOR, X_OK), 0);
	assert_int_equal(system("python3 " GENERATOR " --check"), 0);
}

/* The generator reads the rows with its own eyes: compare with what the compiler made of them. */
static void document_has_every_row(void **state)
{
	bool seen[BD_SYSCALL_MAX + 1] = {0};
	char line[2048], name[64], level[16];
	FILE *f = fopen(DOCUMENT, "r");
	unsigned nr, last;

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "| %u | `%63[a-z0-9_]` | %15[a-z] |", &nr, name, level) == 3) {
			last = nr;
		} else if (sscanf(line, "| %u-%u | | %15[a-z] |", &nr, &last, level) == 3) {
			name[0] = '\0';
		} else {
			continue;
		}
		for (; nr <= last; nr++) {
			assert_in_range(nr, 0, BD_SYSCALL_MAX);
			assert_false(seen[nr]);
			seen[nr] = true;
			if (name[0])
				assert_string_equal(name, bd_row_of[nr].name);
			else
				assert_memory_equal(bd_row_of[nr].name, "unused_", 7);
			assert_string_equal(level, bd_support_name[bd_row_of[nr].support]);
		}
	}
	fclose(f);
	for (nr = 0; nr <= BD_SYSCALL_MAX; nr++)
		if (!seen[nr])
			fail_msg("%s is not in " DOCUMENT, bd_row_of[nr].name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_number_has_a_row),
		cmocka_unit_test(paths_are_in_order),
		cmocka_unit_test(gaps_are_in_words),
		cmocka_unit_test(handlers_and_conditions_agree),
		cmocka_unit_test(sets_have_members),
		cmocka_unit_test(some_calls_never_trap),
		cmocka_unit_test(document_is_up_to_date),
		cmocka_unit_test(document_has_every_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
