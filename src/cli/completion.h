/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the shells' completions that do not depend on the tables.
 */
#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H

extern const char cli_completion_bash[], cli_completion_zsh[], cli_completion_fish[];

#endif
