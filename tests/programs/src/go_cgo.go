// SPDX-License-Identifier: Apache-2.0
// The cgo half: pthreads and fork from C inside a Go process.
package main

/*
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void *body(void *p)
{
	*(int *)p = syscall(SYS_getpid) == getpid();
	return 0;
}

static int threads(void)
{
	int n = 0;
	for (int i = 0; i < 200; i++) {
		pthread_t t;
		int ok = 0;
		if (pthread_create(&t, 0, body, &ok) || pthread_join(t, 0))
			return -1;
		n += ok;
	}
	return n;
}

static int forks(void)
{
	int n = 0;
	for (int i = 0; i < 50; i++) {
		int status;
		pid_t me = getpid(), child = fork();
		if (!child)
			_exit(getppid() == me && getpid() != me ? 5 : 6);
		if (waitpid(child, &status, 0) != child)
			return -1;
		n += WEXITSTATUS(status) == 5;
	}
	return n;
}
*/
import "C"

import "fmt"

func init() {
	extra = func() { fmt.Println(C.threads(), C.forks()) }
}
