/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The four functions a compiler may call on its own, and bounded strings. Freestanding code links
 * base/mem.c; hosted code gets the C library's, the prototypes are the same.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);

/* Length of s, at most max. */
static inline size_t sp_strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n])
		n++;
	return n;
}

/* True when the first strlen(prefix) bytes of s are prefix; s ends at its NUL. */
static inline int sp_has_prefix(const char *s, const char *prefix)
{
	while (*prefix)
		if (*s++ != *prefix++)
			return 0;
	return 1;
}

static inline int sp_streq(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

#endif
