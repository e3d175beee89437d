/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The resident's file, carried inside the program so that one file is all a user has to copy. The
 * assembler finds subpid-resident.blob in its working directory or by -Wa,-I.
 */
	.section .rodata
	.balign 16
	.globl rs_blob_start
	.hidden rs_blob_start
	.type rs_blob_start, @object
rs_blob_start:
	.incbin "subpid-resident.blob"
	.globl rs_blob_end
	.hidden rs_blob_end
	.type rs_blob_end, @object
rs_blob_end:
	.byte 0
	.section .note.GNU-stack, "", @progbits
