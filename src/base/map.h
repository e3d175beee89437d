/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where our parts live in every process of every namespace. One window of 6 GiB that starts at
 * 0x5500_0000_0000: below the PIE base (ELF_ET_DYN_BASE, 0x5555_5555_4000), inside TSan's and MSan's
 * application ranges, outside those of ASan's shadow, the JVM, Go and Wine. Never moved between
 * versions, because a tree's seccomp filter names the resident's text for ever.
 *
 * What every process touches lies within 2 MiB: each page of page tables more is one more to allocate,
 * to clear and to free for every task. Where PR_SET_MM_MAP is missing the kernel's brk area stays in this
 * window, somewhere in the 32 MiB behind the image: mostly behind the segment, sometimes without room.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

/* The resident's ELF image (its link address), and behind it, under the same page table, the segment. */
#define SP_RESIDENT_ADDR 0x550000000000UL
#define SP_RESIDENT_END 0x550000080000UL
#define SP_SEGMENT_ADDR \
	0x550000080000UL /* the namespace's segment; at most SP_SEGMENT_SPAN bytes */
#define SP_SEGMENT_SPAN 0x000001f80000UL
#define SP_FILTERS_ADDR \
	0x550020000000UL /* copies of the program's seccomp filters; mapped when it has any */
#define SP_FILTERS_END 0x550022000000UL
#define SP_AREAS_ADDR 0x550080000000UL /* thread areas, in chunks */
#define SP_AREAS_END 0x550180000000UL
#define SP_WINDOW_START 0x550000000000UL /* of the window */
#define SP_WINDOW_END 0x550180000000UL

#endif
