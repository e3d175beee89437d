/* SPDX-License-Identifier: Apache-2.0 */
/* Prints address and number of what the recogniser takes in an ELF file's executable segments, for census.py. */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "arch/x86_64/site.h"

int main(int argc, char **argv)
{
	int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
	const uint8_t *file;
	const Elf64_Ehdr *eh;
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return 2;
	file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (file == MAP_FAILED || memcmp(file, ELFMAG, SELFMAG) != 0)
		return 2;
	eh = (const void *)file;
	for (unsigned i = 0; i < eh->e_phnum; i++) {
		const Elf64_Phdr *ph = (const void *)(file + eh->e_phoff + i * sizeof(*ph));

		if (ph->p_type != PT_LOAD || !(ph->p_flags & PF_X))
			continue;
		for (uint64_t at = AX_SITE_BEFORE; at + 2 <= ph->p_filesz; at++) {
			const uint8_t *p = file + ph->p_offset + at;
			uint32_t nr;

			if (p[0] != 0x0f || p[1] != 0x05)
				continue;
			memcpy(&nr, p - 4, sizeof(nr));
			if (ax_site_is_mov(p, nr))
				printf("%lx %u\n", (unsigned long)(ph->p_vaddr + at), nr);
		}
	}
	return 0;
}
