/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest program that forks, waits and knows its number. */
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	int status;
	pid_t p = fork();

	if (!p)
		_exit(5);
	return !(p > 0 && waitpid(p, &status, 0) == p && WEXITSTATUS(status) == 5 && getpid() > 0);
}
