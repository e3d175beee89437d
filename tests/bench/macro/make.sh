#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# make -j2 of the generated C tree, from nothing.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cp -r "$1/tree/." "$dir"
make -s -j2 -C "$dir" all
