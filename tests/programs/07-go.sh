# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Go, as a static binary and through cgo: os/exec, signals, preemption signals under load.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2016
. "$(dirname "$0")/lib.sh"
needs go gcc

build static env CGO_ENABLED=0 GO111MODULE=off GOFLAGS= go build -o static "$src/go_main.go"
build cgo env CGO_ENABLED=1 GO111MODULE=off GOFLAGS= go build -o cgo "$src/go_main.go" "$src/go_cgo.go"
for kind in static cgo; do
	numbers "$kind: numbers" "$work/$kind" numbers
	same "$kind: os/exec" "$work/$kind" exec
	same "$kind: signals" "$work/$kind" signals
	same "$kind: many goroutines, preemption" "$work/$kind" load
done
same 'cgo: C threads and fork' "$work/cgo" c
finish
