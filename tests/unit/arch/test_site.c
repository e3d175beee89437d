/* build: plain asan */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which bytes in front of a `syscall` are a mov of its number for sure, and which may be the end of
 * another instruction.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "arch/x86_64/site.h"

/* What is in front of b8 NR 00 00 00 0f 05, filled up with nops. */
struct row {
	const char *what;
	uint32_t nr;
	uint8_t n, before[8];
};

static bool told(const struct row *r)
{
	uint8_t text[AX_SITE_BEFORE + 2];

	memset(text, 0x90, sizeof(text));
	memcpy(text + AX_SITE_BEFORE - AX_SITE_MOV - r->n, r->before, r->n);
	text[AX_SITE_BEFORE - AX_SITE_MOV] = 0xb8;
	memcpy(text + AX_SITE_BEFORE - AX_SITE_MOV + 1, &r->nr, 4);
	text[AX_SITE_BEFORE] = 0x0f;
	text[AX_SITE_BEFORE + 1] = 0x05;
	return ax_site_is_mov(text + AX_SITE_BEFORE, r->nr);
}

static void movs_are_taken(void **state)
{
	static const struct row rows[] = {
		{"nop", 39, 1, {0x90}},
		{"ret of the function before", 39, 1, {0xc3}},
		{"endbr64", 39, 4, {0xf3, 0x0f, 0x1e, 0xfa}},
		{"mov %rcx,%r10", 257, 3, {0x49, 0x89, 0xca}},
		{"xor %edi,%edi", 110, 2, {0x31, 0xff}},
		{"mov $8,%r10d", 14, 6, {0x41, 0xba, 0x08, 0x00, 0x00, 0x00}},
		{"syscall", 186, 2, {0x0f, 0x05}},
		{"push %rbx", 62, 1, {0x53}},
		{"lea 0x10(%rsp),%rdx", 14, 5, {0x48, 0x8d, 0x54, 0x24, 0x10}},
		{"nopl 0(%rax)", 39, 7, {0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00}},
		{"mov %edi,%esi", 39, 2, {0x89, 0xfe}},
		{"movl $5,0x8(%rsp)", 39, 8, {0xc7, 0x44, 0x24, 0x08, 0x05, 0x00, 0x00, 0x00}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!told(&rows[i]))
			fail_msg("refused: %s", rows[i].what);
}

static void everything_else_is_not(void **state)
{
	static const struct row rows[] = {
		{"mov $39,%r8d", 39, 1, {0x41}},
		{"movabs, upper half", 39, 1, {0x48}},
		{"mov $39,%ax with a prefix", 39, 1, {0x66}},
		{"popcnt", 39, 2, {0xf3, 0x0f}},
		{"mov 0x10b(%r8),%rdi", 267, 2, {0x49, 0x8b}},
		{"mov 0x10b(%r8,%rdi,4),%esi", 267, 3, {0x41, 0x8b, 0xb4}},
		{"lea 0x10b(%rax),%rdi", 267, 2, {0x48, 0x8d}},
		{"movzbl 0x10b(%r8),%edi", 267, 3, {0x41, 0x0f, 0xb6}},
		{"pshufb 0x10b(%r8),%xmm7", 267, 5, {0x66, 0x41, 0x0f, 0x38, 0x00}},
		{"vmovdqu 0x10b(%r8),%xmm7", 267, 4, {0xc4, 0xc1, 0x7a, 0x6f}},
		{"EVEX load", 267, 5, {0x62, 0xd1, 0x7e, 0x08, 0x6f}},
		{"movl $39,-0x48(%rbp)", 39, 2, {0xc7, 0x45}},
		{"movl $39,-0x48(%rsp)", 39, 3, {0xc7, 0x44, 0x24}},
		{"cmpl $39,-0x48(%rbp)", 39, 2, {0x81, 0x7d}},
		{"imul $39,-0x48(%rsi),%esi", 39, 2, {0x69, 0x76}},
		{"testl $39,-0x48(%rbp)", 39, 2, {0xf7, 0x45}},
		{"movl $39,disp32(%rbp)", 39, 5, {0xc7, 0x85, 0x00, 0x00, 0x00}},
		{"movabs $0x27b8000000,%rax", 39, 5, {0x48, 0xb8, 0x00, 0x00, 0x00}},
		{"movabs 0x27b8000000,%eax", 39, 4, {0xa1, 0x00, 0x00, 0x00}},
	};
	struct row other = {"another number", 39, 1, {0x90}};
	uint8_t text[AX_SITE_BEFORE + 2];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (told(&rows[i]))
			fail_msg("taken: %s", rows[i].what);
	assert_true(told(&other));
	memset(text, 0x90, sizeof(text));
	memcpy(text + AX_SITE_BEFORE - AX_SITE_MOV, "\xb8\x27\0\0\0\x0f\x05", 7);
	assert_true(ax_site_is_mov(text + AX_SITE_BEFORE, 39));
	assert_false(ax_site_is_mov(text + AX_SITE_BEFORE, 40));
	text[AX_SITE_BEFORE + 1] = 0x34; /* sysenter */
	assert_false(ax_site_is_mov(text + AX_SITE_BEFORE, 39));
	text[AX_SITE_BEFORE + 1] = 0x05;
	text[AX_SITE_BEFORE - AX_SITE_MOV] = 0xe9; /* a patched one */
	assert_false(ax_site_is_mov(text + AX_SITE_BEFORE, 39));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(movs_are_taken),
		cmocka_unit_test(everything_else_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
