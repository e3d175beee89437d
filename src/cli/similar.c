/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "Did you mean": the smallest number of insertions, deletions, substitutions and swaps of neighbours
 * between two words.
 */
#include <string.h>

#include "cli/cli.h"

#define LONGEST 31 /* a word of the user's that is longer was not meant to be one of ours */

static unsigned int least(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int m = a < b ? a : b;

	return m < c ? m : c;
}

static unsigned int distance(const char *a, size_t la, const char *b, size_t lb)
{
	unsigned int d[LONGEST + 1][LONGEST + 1];

	for (size_t i = 0; i <= la; i++)
		d[i][0] = (unsigned int)i;
	for (size_t j = 0; j <= lb; j++)
		d[0][j] = (unsigned int)j;
	for (size_t i = 1; i <= la; i++)
		for (size_t j = 1; j <= lb; j++) {
			d[i][j] = least(d[i - 1][j] + 1, d[i][j - 1] + 1,
					d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    d[i - 2][j - 2] + 1 < d[i][j])
				d[i][j] = d[i - 2][j - 2] + 1;
		}
	return d[la][lb];
}

const char *cli_similar(const char *word, const char *const *words, size_t n)
{
	size_t len = strlen(word);
	const char *best = NULL;
	unsigned int best_distance = 0;

	if (len == 0 || len > LONGEST)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t other = strlen(words[i]);
		unsigned int d;

		if (other > LONGEST)
			continue;
		d = distance(word, len, words[i], other);
		/* A third of the letters may be wrong. */
		if (d * 3 <= (len > other ? len : other) + 2 && d < len &&
		    (!best || d < best_distance)) {
			best = words[i];
			best_distance = d;
		}
	}
	return best;
}
