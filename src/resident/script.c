/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which interpreter and which argument a `#!` line names: for exec.c, because the kernel only ever sees the
 * resident.
 */
#include "resident/script.h"

#include <linux/errno.h>
#include <stdbool.h>

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

/* First byte in [s, end) for which blank() is `want`, or end. */
static const char *skip(const char *s, const char *end, bool want)
{
	while (s < end && blank(*s) != want)
		s++;
	return s;
}

/* First blank or NUL in [s, end), or end. */
static const char *word_end(const char *s, const char *end)
{
	while (s < end && *s && !blank(*s))
		s++;
	return s;
}

/*
 * The line ends at a newline within the buffer. Without one a NUL or blank must follow the interpreter's name,
 * which is cut off otherwise. 0 if this is no line: fs/binfmt_script.c:load_script.
 */
static const char *line_end(const char *s, const char *buf_end)
{
	const char *nl = s, *name;

	while (nl < buf_end && *nl != '\n')
		nl++;
	if (nl < buf_end)
		return nl;
	name = skip(s, buf_end - 1, false);
	return name == buf_end - 1 || word_end(name, buf_end) == buf_end ? 0 : buf_end - 1;
}

long rs_script_parse(const char *buf, const char *buf_end, struct rs_script *ret_s)
{
	const char *s = buf + 2, *end = line_end(s, buf_end), *stop, *arg, *arg_end;

	if (!end)
		return -ENOEXEC;
	while (end > s && blank(end[-1]))
		end--;
	s = skip(s, end, false);
	if (s == end)
		return -ENOEXEC;
	stop = word_end(s, end);
	if (stop == s)
		return -EACCES; /* an empty name: the working directory */
	arg = stop < end && *stop ? skip(stop, end, false) : end;
	for (arg_end = arg; arg_end < end && *arg_end; arg_end++)
		;
	*ret_s = (struct rs_script){s, arg, (size_t)(stop - s), (size_t)(arg_end - arg)};
	return 0;
}
