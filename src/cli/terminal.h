/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A terminal of its own for what exec starts: a process from outside cannot be put into the caller's session.
 */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>

/* The two ends; 0, or a positive errno. The size and the settings are those of the caller's, if it has one. */
int cli_pty_open(int *ret_master, int *ret_slave);

/*
 * Passes everything between the caller's terminal and master until `ended` is readable: raw mode, size,
 * what is still to be read at the end. The caller's settings are restored whatever happens.
 */
void cli_pty_relay(int master, int ended, bool input, bool output);

#endif
