/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/segment.h"

#include <fcntl.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "core/pid.h"
#include "supervisor/util.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008u
#endif

int sv_segment_create(int *ret_fd, struct sp_segment **ret, int32_t pid_max)
{
	unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	void *p;
	int fd;

	*ret = NULL;
	fd = (int)syscall(SYS_memfd_create, "subpid", flags | MFD_NOEXEC_SEAL);
	if (fd < 0 && errno == EINVAL) /* Linux before 6.3 */
		fd = (int)syscall(SYS_memfd_create, "subpid", flags);
	*ret_fd = fd;
	if (fd < 0)
		return sv_errno();
	if (fchmod(fd, 0600) < 0 || ftruncate(fd, SP_SEGMENT_SIZE) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return sv_errno();
	p = mmap(NULL, SP_SEGMENT_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return sv_errno();
	*ret = p;
	return sp_ns_create(p, SP_SEGMENT_SIZE, pid_max);
}
