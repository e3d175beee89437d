#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# container.sh VARIANT STAGE DIR PROFILE CMD...: runs a command in a runc container of
# the given variant (see oci.py), its root an overlay of the machine's. Runs as root inside the
# fence. The container and its cgroups are called as DIR's last part.
set -eu

variant=$1 stage=$2 dir=$3 profile=$4
shift 4
here=$(dirname "$0")
# shellcheck source=overlay.sh
. "$here/overlay.sh"

root=$(overlay_root "$dir")
[ -n "$root" ] || {
	echo 'skip no overlay file system on this machine'
	exit 0
}
mkdir "$dir/bundle" "$dir/state"
"$here/oci.py" "$variant" "$profile" "$root" "$stage" "$@" >"$dir/bundle/config.json"
# Called rootless although it is not, runc does without the cgroups it may not make here.
exec runc --rootless true --root "$dir/state" run --bundle "$dir/bundle" "$(basename "$dir")"
