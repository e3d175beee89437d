/* SPDX-License-Identifier: Apache-2.0 */
/* One planted bug a run, for the sanitizers to find. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int shared;
static void *volatile lost;

static void *race(void *arg)
{
	for (int i = 0; i < 1000; i++)
		shared++;
	return arg;
}

int main(int argc, char **argv)
{
	const char *bug = argc > 1 ? argv[1] : "";

	if (!strcmp(bug, "overflow")) {
		char *p = malloc(10);
		p[argc + 8] = 1;
		free(p);
	} else if (!strcmp(bug, "race")) {
		pthread_t t;
		pthread_create(&t, NULL, race, NULL);
		race(NULL);
		pthread_join(t, NULL);
	} else if (!strcmp(bug, "shift")) {
		printf("%d\n", 1 << (argc + 40));
	} else if (!strcmp(bug, "leak")) {
		lost = malloc(100);
		lost = NULL;
	}
	return 0;
}
