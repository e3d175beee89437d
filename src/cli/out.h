/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists on standard output: a table for people and scripts, or JSON (one array, an object a row), from one
 * description of the fields.
 */
#ifndef CLI_OUT_H
#define CLI_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cli_out;

/* A field of a row: a column, a key of JSON, or both. put calls one of cli_put_... once. */
struct cli_field {
	const char *column; /* NULL: JSON only */
	const char *key;    /* NULL: table only */
	bool by_default;    /* a column that is shown without being asked for */
	bool right;	    /* numbers */
	void (*put)(struct cli_out *out, const void *row);
};

void cli_put_int(struct cli_out *out, long long v);
void cli_put_text(struct cli_out *out, const char *text); /* NULL: null, "-" in a table */
void cli_put_bool(struct cli_out *out, bool v);
void cli_put_words(struct cli_out *out, const char *const *words, const char *instead);
void cli_put_ints(struct cli_out *out, const int *v, size_t n);

/* On standard output: a text without what would change the terminal; a JSON string. */
void cli_print_plain(const char *text);
void cli_print_json_string(const char *text);

struct cli_out_options {
	const char *columns; /* of -o, or NULL */
	bool no_headings;
};

/*
 * Starts a list of the fields (NULL put at the end). NULL: a column that does not exist was asked for; it has
 * been said.
 */
struct cli_out *cli_out_begin(const struct cli_field *fields, const struct cli_out_options *options);
void cli_out_row(struct cli_out *out, const void *row);
void cli_out_end(struct cli_out *out);

#endif
