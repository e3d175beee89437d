/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text building and number parsing without a C library; see fmt.h for the contract.
 */
#include "base/fmt.h"

#include "base/mem.h"

void sp_text_init(struct sp_text *t, char *buf, size_t cap)
{
	t->buf = buf;
	t->cap = cap;
	t->len = 0;
	t->overflow = false;
	buf[0] = '\0';
}

void sp_text_char(struct sp_text *t, char c)
{
	if (t->len + 1 >= t->cap) {
		t->overflow = true;
		return;
	}
	t->buf[t->len++] = c;
	t->buf[t->len] = '\0';
}

void sp_text_bytes(struct sp_text *t, const char *s, size_t n)
{
	size_t room = t->cap - t->len - 1;

	if (n > room) {
		t->overflow = true;
		n = room;
	}
	memcpy(t->buf + t->len, s, n);
	t->len += n;
	t->buf[t->len] = '\0';
}

void sp_text_str(struct sp_text *t, const char *s)
{
	while (*s)
		sp_text_char(t, *s++);
}

void sp_text_dec(struct sp_text *t, int64_t v)
{
	char tmp[20];
	size_t n = 0;
	uint64_t u = v < 0 ? -(uint64_t)v : (uint64_t)v;

	do {
		tmp[n++] = (char)('0' + u % 10);
		u /= 10;
	} while (u);
	if (v < 0)
		sp_text_char(t, '-');
	while (n)
		sp_text_char(t, tmp[--n]);
}

void sp_text_hex(struct sp_text *t, uint64_t v)
{
	int shift = 60;

	while (shift && !(v >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		sp_text_char(t, "0123456789abcdef"[v >> shift & 15]);
}

size_t sp_parse_dec(const char *s, size_t max, int32_t *ret_v)
{
	int64_t v = 0;
	size_t n = 0;

	while (n < max && s[n] >= '0' && s[n] <= '9') {
		if (n == 1 && s[0] == '0')
			return 0;
		v = v * 10 + (s[n] - '0');
		if (v > INT32_MAX)
			return 0;
		n++;
	}
	if (n)
		*ret_v = (int32_t)v;
	return n;
}

uint64_t sp_parse_hex(const char **s)
{
	uint64_t v = 0;

	for (;; (*s)++) {
		char c = **s;

		if (c >= '0' && c <= '9')
			v = v << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (uint64_t)(c - 'a' + 10);
		else
			return v;
	}
}
