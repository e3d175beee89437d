/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bounded text building into a caller's buffer, and bounded parsing of decimal numbers. A buffer
 * that is too small sets `overflow` and keeps what fits; text is always NUL-terminated.
 */
#ifndef BASE_FMT_H
#define BASE_FMT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sp_text {
	char *buf;
	size_t cap; /* bytes, the terminating NUL included; at least 1 */
	size_t len;
	bool overflow;
};

void sp_text_init(struct sp_text *t, char *buf, size_t cap);
void sp_text_bytes(struct sp_text *t, const char *s, size_t n);
void sp_text_str(struct sp_text *t, const char *s);
void sp_text_char(struct sp_text *t, char c);
void sp_text_dec(struct sp_text *t, int64_t v);
void sp_text_hex(struct sp_text *t, uint64_t v);

/*
 * Decimal digits at s (at most max bytes are read), no sign, no leading zero except for "0" itself:
 * the rule of fs/proc/util.c:name_to_int. Returns the number of digits read, 0 when there is none
 * or the value does not fit 31 bits; *ret_v is untouched then.
 */
size_t sp_parse_dec(const char *s, size_t max, int32_t *ret_v);

/* Lower-case hexadecimal digits at *s, moves *s behind them. */
uint64_t sp_parse_hex(const char **s);

#endif
