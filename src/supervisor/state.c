/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of a container's `state` file; see record.h. A line a field, "end" at the end: a file that was cut
 * off or edited is told from a whole one, and is then called damaged instead of being believed in part.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "supervisor/record.h"
#include "supervisor/state.h"
#include "supervisor/util.h"

#define MAGIC "subpid-state 1"
#define LARGEST (8u << 20) /* bytes; arguments are the largest part */
#define WORDS_MAX 65536

static const struct field {
	const char *name;
	size_t offset;
	bool wide;
} fields[] = {
	{"created", offsetof(struct sv_state, created_msec), true},
	{"ended", offsetof(struct sv_state, ended_msec), true},
	{"supervisor", offsetof(struct sv_state, supervisor), false},
	{"code", offsetof(struct sv_state, code), false},
	{"signal", offsetof(struct sv_state, sig), false},
	{"stop-signal", offsetof(struct sv_state, stop_signal), false},
	{"stop-timeout", offsetof(struct sv_state, stop_timeout_msec), true},
};
#define FIELDS (sizeof(fields) / sizeof(fields[0]))

static void put_escaped(FILE *f, const char *s)
{
	for (; *s; s++)
		if (*s == '\n')
			fputs("\\n", f);
		else if (*s == '\\')
			fputs("\\\\", f);
		else
			fputc(*s, f);
}

static char *format(const struct sv_state *s, size_t *ret_len)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, ret_len);

	if (!f)
		return NULL;
	fprintf(f, MAGIC "\nid %s\nkeep %d\ndetached %d\n", s->id, s->keep, s->detached);
	if (s->parent[0])
		fprintf(f, "parent %s\n", s->parent);
	for (size_t i = 0; i < FIELDS; i++) {
		const char *at = (const char *)s + fields[i].offset;
		int64_t v;

		if (fields[i].wide) {
			memcpy(&v, at, sizeof(v));
		} else {
			int32_t narrow;

			memcpy(&narrow, at, sizeof(narrow));
			v = narrow;
		}
		fprintf(f, "%s %" PRId64 "\n", fields[i].name, v);
	}
	for (char **w = s->command; w && *w; w++) {
		fputs("argument ", f);
		put_escaped(f, *w);
		fputc('\n', f);
	}
	fputs("end\n", f);
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

/* In a file of its own, so that a full disk leaves the old state as it is. */
int sv_state_write(int dir, const struct sv_state *s)
{
	size_t len, done = 0;
	char *text = format(s, &len);
	sv_auto_fd fd = -1;
	int r = 0;

	if (!text)
		return -ENOMEM;
	fd = openat(dir, "state.new", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || fchmod(fd, 0600) < 0)
		r = sv_errno();
	while (r == 0 && done < len) {
		ssize_t n = write(fd, text + done, len - done);

		if (n < 0 && errno != EINTR)
			r = sv_errno();
		if (n > 0)
			done += (size_t)n;
	}
	free(text);
	if (r == 0 && renameat(dir, "state.new", dir, "state") < 0)
		r = sv_errno();
	if (r < 0)
		unlinkat(dir, "state.new", 0);
	return r;
}

void sv_state_free(struct sv_state *s)
{
	for (char **w = s->command; w && *w; w++)
		free(*w);
	free(s->command);
	s->command = NULL;
}

static char *read_all(int dir, size_t *ret_len, int *ret_err)
{
	sv_auto_fd fd = openat(dir, "state", O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	size_t got = 0;
	char *text;

	*ret_err = -EBADMSG;
	if (fd < 0 || fstat(fd, &st) < 0) {
		*ret_err = sv_errno();
		return NULL;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > LARGEST)
		return NULL;
	text = malloc((size_t)st.st_size + 1);
	if (!text) {
		*ret_err = -ENOMEM;
		return NULL;
	}
	while (got < (size_t)st.st_size) {
		ssize_t n = read(fd, text + got, (size_t)st.st_size - got);

		if (n <= 0)
			break;
		got += (size_t)n;
	}
	text[got] = '\0';
	*ret_len = got;
	return text;
}

static char *unescaped(const char *s)
{
	char *r = malloc(strlen(s) + 1), *p = r;

	for (; r && *s; s++) {
		if (*s == '\\' && s[1]) {
			s++;
			*p++ = *s == 'n' ? '\n' : *s;
		} else {
			*p++ = *s;
		}
	}
	if (r)
		*p = '\0';
	return r;
}

static int add_word(struct sv_state *s, size_t *n, const char *text)
{
	char **more = *n < WORDS_MAX ? realloc(s->command, (*n + 2) * sizeof(*more)) : NULL;

	if (!more)
		return *n < WORDS_MAX ? -ENOMEM : -EBADMSG;
	s->command = more;
	more[*n] = unescaped(text);
	if (!more[*n])
		return -ENOMEM;
	more[++*n] = NULL;
	return 0;
}

static int take_number(struct sv_state *s, const char *name, const char *value)
{
	char *end, *at;
	long long v;
	int32_t narrow;
	int64_t wide;

	errno = 0;
	v = strtoll(value, &end, 10);
	if (errno || end == value || *end)
		return -EBADMSG;
	if (strcmp(name, "keep") == 0)
		s->keep = v == 1;
	if (strcmp(name, "detached") == 0)
		s->detached = v == 1;
	for (size_t i = 0; i < FIELDS; i++) {
		if (strcmp(name, fields[i].name) != 0)
			continue;
		at = (char *)s + fields[i].offset;
		if (!fields[i].wide && (v < INT32_MIN || v > INT32_MAX))
			return -EBADMSG;
		narrow = (int32_t)v;
		wide = v;
		if (fields[i].wide)
			memcpy(at, &wide, sizeof(wide));
		else
			memcpy(at, &narrow, sizeof(narrow));
	}
	return 0;
}

static int take_line(struct sv_state *s, size_t *words, char *line)
{
	char *value = strchr(line, ' ');

	if (!value)
		return -EBADMSG;
	*value++ = '\0';
	if (strcmp(line, "argument") == 0)
		return add_word(s, words, value);
	if (strcmp(line, "id") == 0 || strcmp(line, "parent") == 0) {
		if (strlen(value) != SV_ID_LEN || strspn(value, "0123456789abcdef") != SV_ID_LEN)
			return -EBADMSG;
		memcpy(*line == 'i' ? s->id : s->parent, value, SV_ID_LEN + 1);
		return 0;
	}
	return take_number(s, line, value);
}

/* A field that a later version may have is passed over. */
static int parse(char *text, size_t len, struct sv_state *s)
{
	char *line = text, *next;
	size_t words = 0;
	bool first = true;

	if (strlen(text) != len)
		return -EBADMSG;
	for (; (next = strchr(line, '\n')); line = next + 1, first = false) {
		int r;

		*next = '\0';
		if (first) {
			if (strcmp(line, MAGIC) != 0)
				return -EBADMSG;
			continue;
		}
		if (strcmp(line, "end") == 0)
			return !next[1] && s->id[0] && words ? 0 : -EBADMSG;
		r = take_line(s, &words, line);
		if (r < 0)
			return r;
	}
	return -EBADMSG;
}

int sv_state_read(int dir, struct sv_state *ret)
{
	size_t len = 0;
	int r;
	char *text = read_all(dir, &len, &r);

	memset(ret, 0, sizeof(*ret));
	if (!text)
		return r;
	r = parse(text, len, ret);
	free(text);
	if (r < 0)
		sv_state_free(ret);
	return r;
}
