/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The requests of a seccomp listener that carry a task's number or a notification's cookie.
 */
#ifndef RESIDENT_NOTIFY_H
#define RESIDENT_NOTIFY_H

#include "resident/resident.h"

/* include/uapi/linux/seccomp.h, of any age */
#define RS_NOTIF_RECV 0xc0502100u
#define RS_NOTIF_SEND 0xc0182101u
#define RS_NOTIF_ID_VALID 0x40082102u
#define RS_NOTIF_ID_VALID_OLD 0x80082102u /* SECCOMP_IOCTL_NOTIF_ID_VALID_WRONG_DIR */
#define RS_NOTIF_ADDFD 0x40182103u

long rs_notify_ioctl(struct rs_frame *f);

#endif
