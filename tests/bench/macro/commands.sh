#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A shell that runs 1,000 commands.
set -eu
i=0
while [ $i -lt 1000 ]; do
	/bin/true
	i=$((i + 1))
done
