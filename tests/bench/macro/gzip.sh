#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A program that only computes, reads and writes.
set -eu
gzip -6 -c "$1/data" >/dev/null
