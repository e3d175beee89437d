/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subpid help [COMMAND]
 */
#include <string.h>

#include "cli/cli.h"

int cli_help(int argc, char **argv)
{
	if (argc < 2 || strcmp(argv[1], "help") == 0) {
		cli_print_usage();
		return CLI_OK;
	}
	if (strcmp(argv[1], "run") == 0) {
		cli_print_run_usage();
		return CLI_OK;
	}
	for (const struct cli_command *c = cli_commands; c->name; c++)
		if (strcmp(argv[1], c->name) == 0) {
			cli_say("'%s' is not in this version", argv[1]);
			return CLI_USAGE;
		}
	cli_say("unknown command '%s'; see subpid --help", argv[1]);
	return CLI_USAGE;
}
