#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every file of a large tree is looked at.
set -eu
find /usr/lib -xdev -newer /etc/hostname -name nothing -print >/dev/null 2>&1 || :
