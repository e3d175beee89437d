/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which call sites may be patched: whether the instruction in front of a `syscall` that was just executed
 * is `mov $nr,%eax` (b8 imm32), told from the bytes before it. The `syscall` is known to be an instruction; the
 * question is whether another instruction can end in the same five bytes. Decided for every place that the b8 could
 * have in it (docs/decisions/patching.md); in doubt the answer is no.
 */
#ifndef ARCH_X86_64_SITE_H
#define ARCH_X86_64_SITE_H

#include <stdbool.h>
#include <stdint.h>

#define AX_SITE_MOV 5u	   /* bytes that are replaced */
#define AX_SITE_BEFORE 13u /* bytes that are looked at in front of the `syscall` */

/* One-byte opcodes that take a ModRM byte and no immediate, of those that can have 7 in its middle. */
static inline bool ax_has_modrm(uint8_t op)
{
	return (op < 0x40 && (op & 7) < 4) || op == 0x62 || op == 0x63 ||
	       (op >= 0x84 && op <= 0x8f) || (op >= 0xd0 && op <= 0xd3) ||
	       (op >= 0xd8 && op <= 0xdf) || op == 0xf6 || op == 0xf7 || op >= 0xfe;
}

/* Opcodes with ModRM and a 32-bit immediate. */
static inline bool ax_has_imm32(uint8_t op)
{
	return op == 0x69 || op == 0x81 || op == 0xc7 || op == 0xf7;
}

static inline bool ax_rex_b(uint8_t b)
{
	return (b & 0xf1) == 0x41;
}

/* at: the `syscall`; AX_SITE_BEFORE bytes in front of it and two more can be read. */
static inline bool ax_site_is_mov(const uint8_t *at, uint32_t nr)
{
	const uint8_t *b = at - AX_SITE_MOV, p = b[-1], pp = b[-2], ppp = b[-3];
	uint32_t imm = b[1] | b[2] << 8 | b[3] << 16 | (uint32_t)b[4] << 24;

	if (at[0] != 0x0f || at[1] != 0x05 || b[0] != 0xb8 || imm != nr)
		return false;
	/* b8 with a REX prefix loads another register; 0f b8 is another instruction; so is a prefixed one. */
	if ((p & 0xf0) == 0x40 || p == 0x0f || p == 0x66 || p == 0x67 || p == 0xf0 || p == 0xf2 ||
	    p == 0xf3)
		return false;
	/*
	 * ModRM b8: a register and [base + disp32]. With base rax it would read address 2 * nr, where nothing is
	 * mapped, unless it is lea or does not read; other bases need a REX, VEX or EVEX prefix.
	 */
	if (p == 0x8d || (pp == 0x0f && p != 0x05) || (ppp == 0x0f && (pp == 0x38 || pp == 0x3a)))
		return false;
	if (ax_has_modrm(p) && ax_rex_b(pp))
		return false;
	if (b[-4] == 0xc4 || b[-4] == 0x8f || b[-5] == 0x62)
		return false;
	/* SIB b8 behind a ModRM with disp32. */
	if ((p & 0xc7) == 0x84)
		return false;
	/* b8 as disp8, or the last byte of a disp32, in front of an imm32. */
	if (ax_has_imm32(pp) && (p & 0xc0) == 0x40)
		return false;
	if (ax_has_imm32(ppp) && (pp & 0xc7) == 0x44)
		return false;
	if ((ax_has_imm32(b[-5]) && ((b[-4] & 0xc0) == 0x80 || (b[-4] & 0xc7) == 0x05)) ||
	    (ax_has_imm32(b[-6]) && (b[-5] & 0xc7) == 0x84))
		return false;
	/* b8 in the middle of a 64-bit immediate or address. */
	if ((b[-4] >= 0xb8 && b[-4] <= 0xbf && (b[-5] & 0xf8) == 0x48) || (b[-4] & 0xfc) == 0xa0)
		return false;
	return true;
}

#endif
