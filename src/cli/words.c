/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of options: durations, signals, numbers.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

#define LONGEST_SECONDS 1e9 /* thirty years */

/* As timeout(1) has them: "1.5", "90s", "10m", "1h", "2d"; and "1h30m". Never "inf", "nan" or "0x1". */
bool cli_parse_duration(const char *text, long long *ret_msec)
{
	double seconds = 0;

	if (!*text)
		return false;
	while (*text) {
		double v, unit = 1;
		char *end;

		if (strspn(text, "0123456789.") == 0 || text[1] == 'x' || text[1] == 'X')
			return false;
		v = strtod(text, &end);
		if (end == text)
			return false;
		if (strncmp(end, "ms", 2) == 0) {
			unit = .001;
			end += 2;
		} else if (*end) {
			switch (*end++) {
			case 's':
				break;
			case 'm':
				unit = 60;
				break;
			case 'h':
				unit = 3600;
				break;
			case 'd':
				unit = 86400;
				break;
			default:
				return false;
			}
		}
		seconds += v * unit;
		text = end;
	}
	if (seconds > LONGEST_SECONDS)
		seconds = LONGEST_SECONDS;
	*ret_msec = (long long)(seconds * 1000 + .999);
	return true;
}

bool cli_parse_number(const char *text, long long min, long long max, long long *ret)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*ret = strtoll(text, &end, 10);
	return !errno && !*end && *ret >= min && *ret <= max;
}

/* kill -l's names; the real-time signals are counted from both ends. */
static const char *const names[] = {
	NULL,	"HUP",	"INT",	"QUIT", "ILL",	  "TRAP",   "ABRT",  "BUS",  "FPE",  "KILL", "USR1",
	"SEGV", "USR2", "PIPE", "ALRM", "TERM",	  "STKFLT", "CHLD",  "CONT", "STOP", "TSTP", "TTIN",
	"TTOU", "URG",	"XCPU", "XFSZ", "VTALRM", "PROF",   "WINCH", "IO",   "PWR",  "SYS",
};
#define NAMES (int)(sizeof(names) / sizeof(names[0]))
#define RT_FIRST 34
#define RT_LAST 64

int cli_parse_signal(const char *text)
{
	static const struct {
		const char *name;
		int sig;
	} others[] = {{"IOT", SIGABRT}, {"CLD", SIGCHLD}, {"POLL", SIGIO}};
	long long n;

	if (cli_parse_number(text, 1, RT_LAST, &n))
		return (int)n;
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	for (int sig = 1; sig < NAMES; sig++)
		if (strcasecmp(text, names[sig]) == 0)
			return sig;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strcasecmp(text, others[i].name) == 0)
			return others[i].sig;
	if (strcasecmp(text, "RTMIN") == 0)
		return RT_FIRST;
	if (strcasecmp(text, "RTMAX") == 0)
		return RT_LAST;
	if (strncasecmp(text, "RTMIN+", 6) == 0 &&
	    cli_parse_number(text + 6, 0, RT_LAST - RT_FIRST, &n))
		return RT_FIRST + (int)n;
	if (strncasecmp(text, "RTMAX-", 6) == 0 &&
	    cli_parse_number(text + 6, 0, RT_LAST - RT_FIRST, &n))
		return RT_LAST - (int)n;
	return 0;
}

const char *cli_signal_name(int sig)
{
	static char text[16];

	if (sig > 0 && sig < NAMES)
		return names[sig];
	if (sig == RT_FIRST)
		return "RTMIN";
	if (sig == RT_LAST)
		return "RTMAX";
	if (sig < RT_FIRST || sig > RT_LAST)
		return NULL;
	snprintf(text, sizeof(text), sig - RT_FIRST <= RT_LAST - sig ? "RTMIN+%d" : "RTMAX-%d",
		 sig - RT_FIRST <= RT_LAST - sig ? sig - RT_FIRST : RT_LAST - sig);
	return text;
}
