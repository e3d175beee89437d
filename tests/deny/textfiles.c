/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts with numbers that nobody inside can come by.
 */
#include "deny.h"

int main(void)
{
	uint64_t params[15] = {0};

	deny("proc-file", "/proc/N/fdinfo/F of io_uring", "SqThread:", SC(425, 8, params));
	return 0;
}
