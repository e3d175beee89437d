/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mapping a program as fs/binfmt_elf.c:load_elf_binary would have.
 */
#ifndef RESIDENT_LOAD_H
#define RESIDENT_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define RS_PHDRS_MAX 64 /* program headers of a file we load */

/* What was mapped. Addresses in this process. */
struct rs_image {
	uint64_t entry;	    /* where to jump: the interpreter's entry if there is one */
	uint64_t own_entry; /* AT_ENTRY */
	uint64_t phdr, phnum;
	uint64_t base; /* AT_BASE: load address of the interpreter, or 0 */
	uint64_t start_code, end_code, start_data, end_data;
	uint64_t end; /* first page behind the program's image */
	uint64_t brk; /* first address behind the program's bss, page aligned and randomised */
	bool exec_stack;
};

/*
 * Maps the ELF file open at fd (closed again, so that one free descriptor is enough) and its
 * interpreter, and notes where the program's image is. 0 or -errno; on failure the process is lost.
 */
sp_must_check long rs_load(int fd, struct rs_image *img);

#endif
