/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table and the codec of devioctl.h. The requests are literals because not every machine has the headers.
 */
#include "boundary/devioctl.h"

#include <stddef.h>

#include "base/mem.h"

static const struct bd_devioctl table[] = {
	{0xc0286405, 8, 8, false},   /* DRM_IOCTL_GET_CLIENT: drm_client.pid */
	{0xc0384b22, 44, 4, false},  /* AMDKFD_IOC_CRIU_OP: kfd_ioctl_criu_args.pid */
	{0xc0204b26, 0, 4, true},    /* AMDKFD_IOC_DBG_TRAP: kfd_ioctl_dbg_trap_args.pid */
	{0xc1105511, 76, 4, false},  /* SNDRV_CTL_IOCTL_ELEM_INFO: snd_ctl_elem_info.owner */
	{0xc0bc5310, 128, 4, false}, /* SNDRV_SEQ_IOCTL_GET_CLIENT_INFO: snd_seq_client_info.pid */
	{0xc0bc5351, 128, 4, false}, /* SNDRV_SEQ_IOCTL_QUERY_NEXT_CLIENT: the same */
};

const struct bd_devioctl *bd_devioctl_find(uint32_t request)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].request == request)
			return &table[i];
	return NULL;
}

int64_t bd_devioctl_get(const struct bd_devioctl *d, const void *structure)
{
	int64_t n = 0;
	int32_t n32;

	if (d->width == 8) {
		memcpy(&n, (const char *)structure + d->offset, 8);
		return n;
	}
	memcpy(&n32, (const char *)structure + d->offset, 4);
	return n32;
}

void bd_devioctl_put(const struct bd_devioctl *d, void *structure, int64_t number)
{
	int32_t n32 = (int32_t)number;

	if (d->width == 8)
		memcpy((char *)structure + d->offset, &number, 8);
	else
		memcpy((char *)structure + d->offset, &n32, 4);
}
