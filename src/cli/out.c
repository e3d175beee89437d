/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables and JSON; see out.h. A table is held back until its end, when the widths of its columns are known.
 */
#include "cli/out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/cli.h"

#define COLUMNS_MAX 32
#define GAP 1

struct cli_out {
	const struct cli_field *fields;
	const struct cli_field *shown[COLUMNS_MAX];
	size_t columns;
	bool json, headings;
	size_t rows;
	/* table */
	char **cell; /* row by row */
	size_t cells;
	/* where cli_put_ writes */
	FILE *to;
};

static void *need(void *p)
{
	if (p)
		return p;
	cli_say("no memory");
	exit(CLI_FAILED);
}

/* ---- values ---- */

/* Bytes of a well-formed UTF-8 character at s, 0 if there is none. */
static size_t utf8(const unsigned char *s)
{
	size_t n = *s < 0x80		     ? 1
		   : *s >= 0xc2 && *s < 0xe0 ? 2
		   : *s >= 0xe0 && *s < 0xf0 ? 3
		   : *s >= 0xf0 && *s < 0xf5 ? 4
					     : 0;

	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] >= 0x90))
		return 0;
	return n;
}

static void json_string(FILE *f, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	fputc('"', f);
	while (*s) {
		size_t n = utf8(s);

		if (*s == '"' || *s == '\\')
			fprintf(f, "\\%c", *s);
		else if (*s < 0x20 || *s == 0x7f)
			fprintf(f, "\\u%04x", *s);
		else if (n == 0)
			fputs("\\ufffd", f);
		else
			fwrite(s, 1, n, f);
		s += n ? n : 1;
	}
	fputc('"', f);
}

/* What would change the terminal, or end the line, is shown as ps(1) shows it. */
static void plain(FILE *f, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	while (*s) {
		size_t n = utf8(s);

		if (n == 0 || *s < 0x20 || *s == 0x7f || (*s == 0xc2 && s[1] < 0xa0))
			fputc('?', f);
		else
			fwrite(s, 1, n, f);
		s += n ? n : 1;
	}
}

void cli_print_plain(const char *text)
{
	plain(stdout, text);
}

void cli_print_json_string(const char *text)
{
	json_string(stdout, text);
}

void cli_put_int(struct cli_out *out, long long v)
{
	fprintf(out->to, "%lld", v);
}

void cli_put_bool(struct cli_out *out, bool v)
{
	fputs(out->json ? (v ? "true" : "false") : (v ? "yes" : "no"), out->to);
}

void cli_put_text(struct cli_out *out, const char *text)
{
	if (!text)
		fputs(out->json ? "null" : "-", out->to);
	else if (out->json)
		json_string(out->to, text);
	else
		plain(out->to, text);
}

void cli_put_words(struct cli_out *out, const char *const *words, const char *instead)
{
	if (!out->json && !*words && instead)
		plain(out->to, instead);
	if (out->json)
		fputc('[', out->to);
	for (size_t i = 0; words[i]; i++) {
		if (i)
			fputs(out->json ? ", " : " ", out->to);
		cli_put_text(out, words[i]);
	}
	if (out->json)
		fputc(']', out->to);
}

void cli_put_ints(struct cli_out *out, const int *v, size_t n)
{
	if (out->json)
		fputc('[', out->to);
	for (size_t i = 0; i < n; i++)
		fprintf(out->to, "%s%d", i == 0 ? "" : out->json ? ", " : " ", v[i]);
	if (out->json)
		fputc(']', out->to);
}

/* ---- lists ---- */

static bool choose(struct cli_out *out, const char *columns)
{
	const char *names[COLUMNS_MAX], *meant;
	size_t n = 0;

	for (const struct cli_field *f = out->fields; f->put; f++)
		if (f->column)
			names[n++] = f->column;
	for (const char *c = columns; *c;) {
		size_t len = strcspn(c, ",");
		const struct cli_field *found = NULL;
		char word[32];

		for (const struct cli_field *f = out->fields; f->put; f++)
			if (f->column && strlen(f->column) == len && strncasecmp(f->column, c, len) == 0)
				found = f;
		if (!found || out->columns == COLUMNS_MAX) {
			snprintf(word, sizeof(word), "%.*s", (int)len, c);
			for (char *p = word; *p; p++)
				*p = *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p;
			meant = cli_similar(word, names, n);
			cli_say("unknown column '%.*s'%s%s%s", (int)len, c,
				meant ? "; did you mean " : "", meant ? meant : "", meant ? "?" : "");
			return false;
		}
		out->shown[out->columns++] = found;
		c += len + (c[len] == ',');
	}
	if (out->columns)
		return true;
	cli_say("no column was given");
	return false;
}

struct cli_out *cli_out_begin(const struct cli_field *fields, const struct cli_out_options *options)
{
	struct cli_out *out = need(calloc(1, sizeof(*out)));

	out->fields = fields;
	out->json = cli_global.json;
	out->headings = !options->no_headings;
	if (options->columns && !choose(out, options->columns)) {
		free(out);
		return NULL;
	}
	for (const struct cli_field *f = fields; f->put && !options->columns; f++)
		if (f->column && f->by_default && out->columns < COLUMNS_MAX)
			out->shown[out->columns++] = f;
	if (out->json)
		fputc('[', stdout);
	return out;
}

static void json_row(struct cli_out *out, const void *row)
{
	bool first = true;

	fputs(out->rows++ ? ",\n  {" : "\n  {", stdout);
	out->to = stdout;
	for (const struct cli_field *f = out->fields; f->put; f++) {
		if (!f->key)
			continue;
		fprintf(stdout, "%s\"%s\": ", first ? "" : ", ", f->key);
		f->put(out, row);
		first = false;
	}
	fputc('}', stdout);
}

void cli_out_row(struct cli_out *out, const void *row)
{
	if (out->json) {
		json_row(out, row);
		return;
	}
	out->cell = need(realloc(out->cell, (out->cells + out->columns) * sizeof(*out->cell)));
	for (size_t i = 0; i < out->columns; i++) {
		char *text = NULL;
		size_t len;

		out->to = need(open_memstream(&text, &len));
		out->shown[i]->put(out, row);
		if (fclose(out->to) != 0)
			need(NULL);
		out->cell[out->cells++] = text;
	}
	out->rows++;
}

/* Characters, not bytes; East Asian width is not looked at. */
static size_t width_of(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

static void print_cell(const char *text, size_t width, bool right, bool last, size_t room)
{
	size_t have = width_of(text);

	if (right)
		printf("%*s", (int)(width > have ? width - have : 0), "");
	/* On a terminal a long line is cut instead of being broken. */
	if (last && room && have > room) {
		size_t bytes = 0, n = 0;

		for (; text[bytes] && (n < room || (text[bytes] & 0xc0) == 0x80); bytes++)
			n += (text[bytes] & 0xc0) != 0x80;
		fwrite(text, 1, bytes, stdout);
		return;
	}
	fputs(text, stdout);
	if (!right && !last)
		printf("%*s", (int)(width > have ? width - have : 0), "");
}

static size_t terminal_width(void)
{
	struct winsize w;

	return isatty(1) && ioctl(1, TIOCGWINSZ, &w) == 0 ? w.ws_col : 0;
}

static void print_table(struct cli_out *out)
{
	size_t width[COLUMNS_MAX], line = 0, terminal = terminal_width();

	for (size_t i = 0; i < out->columns; i++) {
		width[i] = out->headings ? strlen(out->shown[i]->column) : 0;
		for (size_t r = 0; r < out->rows; r++) {
			size_t w = width_of(out->cell[r * out->columns + i]);

			width[i] = w > width[i] ? w : width[i];
		}
		/* As ps(1): columns of numbers do not jump between two calls. */
		if (out->shown[i]->right && width[i] < 6)
			width[i] = 6;
		line += i + 1 < out->columns ? width[i] + GAP : 0;
	}
	for (size_t r = out->headings ? 0 : 1; r <= out->rows; r++) {
		for (size_t i = 0; i < out->columns; i++) {
			bool last = i + 1 == out->columns;

			print_cell(r ? out->cell[(r - 1) * out->columns + i] : out->shown[i]->column,
				   width[i], out->shown[i]->right, last,
				   terminal > line ? terminal - line : 0);
			fputs(last ? "\n" : " ", stdout);
		}
	}
}

void cli_out_end(struct cli_out *out)
{
	if (out->json)
		fputs(out->rows ? "\n]\n" : "]\n", stdout);
	else
		print_table(out);
	for (size_t i = 0; i < out->cells; i++)
		free(out->cell[i]);
	free(out->cell);
	free(out);
}
