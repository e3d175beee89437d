/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every call number that syscalls.def refuses as a whole, made with no arguments, with all bits set
 * and with bits in the upper halves only; and numbers above the table.
 */
#include "deny.h"

static void try_with(const char *name, long nr, long arg)
{
	deny("call", name, "", SC(nr, arg, arg, arg, arg, arg, arg));
}

static void try_all(const char *name, long nr)
{
	try_with(name, nr, 0);
	try_with(name, nr, -1);
	try_with(name, nr, (long)0xdeadbeef00000000ul);
}

/* From here on SC is a row of the table. */
#undef SC
#define SC(nr, name, support, when, handler, note) ROW_##support(nr, name)
#define SC_UNKNOWN(support, when, handler, note)
#define ROW_FULL(nr, name)
#define ROW_PARTIAL(nr, name)
#define ROW_PASS(nr, name)
#define ROW_DENY(nr, name) try_all(#name, nr);

int main(void)
{
	static const long unknown[] = {472, 511, 512, 547, 1000, 100000, 0x3fffffff, 0x7fffffff};

#include "../../src/boundary/syscalls.def"
	for (size_t i = 0; i < COUNT(unknown); i++)
		try_all("unknown", unknown[i]);
	return 0;
}
