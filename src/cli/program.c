/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a command as it was written to a file that is executed: for run and exec, which say before anything is
 * started why it cannot be.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

/* What a file is, as far as run wants to know before it starts it. */
enum kind { KIND_LOADABLE, KIND_TEXT, KIND_32BIT, KIND_FOREIGN, KIND_UNREADABLE };

static enum kind kind_of(const char *path)
{
	unsigned char head[20] = {0};
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t n;

	if (fd < 0)
		return errno == EACCES ? KIND_UNREADABLE : KIND_LOADABLE;
	n = read(fd, head, sizeof(head));
	close(fd);
	if (n >= 2 && head[0] == '#' && head[1] == '!')
		return KIND_LOADABLE;
	if (n < (ssize_t)sizeof(head) || memcmp(head, "\177ELF", 4) != 0)
		return n < 4 || memcmp(head, "\177ELF", 4) != 0 ? KIND_TEXT : KIND_FOREIGN;
	if (head[4] == 1)
		return KIND_32BIT;
	return head[18] == 62 && head[19] == 0 ? KIND_LOADABLE : KIND_FOREIGN; /* EM_X86_64 */
}

char **cli_words(char *const *words, size_t n_words, char **argv)
{
	size_t n = 0;
	char **args;

	while (argv[n])
		n++;
	args = calloc(n + n_words + 1, sizeof(*args));
	if (!args)
		return NULL;
	memcpy(args, words, n_words * sizeof(*args));
	memcpy(args + n_words, argv + 1, n * sizeof(*args));
	return args;
}

int cli_program(char **argv, struct cli_program *ret)
{
	static char sh[] = "/bin/sh";
	const char *name = argv[0], *why;
	int err = cli_find_program(name, &ret->file, &why);

	if (err) {
		cli_say("%s: %s", name, why);
		return err == ENOENT ? CLI_NOT_FOUND : CLI_NOT_RUNNABLE;
	}
	ret->path = ret->file;
	ret->argv = argv;
	switch (kind_of(ret->file)) {
	case KIND_TEXT:
		/* The kernel refuses a text without #!; execvp(3) and every shell give it to /bin/sh. */
		ret->path = sh;
		ret->argv = cli_words((char *[]){sh, ret->file}, 2, argv);
		if (ret->argv)
			return 0;
		cli_say("no memory");
		return CLI_OWN;
	case KIND_32BIT:
		cli_say("%s: 32-bit programs are not supported", name);
		return CLI_NOT_RUNNABLE;
	case KIND_FOREIGN:
		cli_say("%s: not a program for this machine: %s", name, strerror(ENOEXEC));
		return CLI_NOT_RUNNABLE;
	case KIND_UNREADABLE:
		cli_say("%s: %s: subpid has to read a program in order to execute it; chmod +r "
			"would help",
			name, strerror(EACCES));
		return CLI_NOT_RUNNABLE;
	case KIND_LOADABLE:
		break;
	}
	return 0;
}
