# SPDX-License-Identifier: Apache-2.0
# The front of meson.build, and of everything else a developer types.
#
#   make build          the product: build/subpid and build/subpid-resident; needs no root
#   make demo           a minute's tour
#   make check          every test suite; as root it first installs what is missing
#   make install        DESTDIR and prefix (/usr/local) are honoured
#   make deb            a Debian package, in build/
#   make deps           as root: packages for building and testing; nothing when all are there
#   make stress, bench  longer tests, and the costs
#   make build-sanitize the same tree with ASan and UBSan, in build-sanitize/
#   make build-faults   the same tree for fault injection, in build-faults/
#   make format, clean

prefix ?= /usr/local
BUILD ?= build
MESON ?= meson
# Extra arguments for `meson setup`, for example -Dwerror=true.
SETUP ?=

BUILD_PACKAGES = binutils gcc libc6-dev make meson ninja-build pkg-config scdoc
TEST_PACKAGES = clang-format $(shell sed 's/\#.*//' tests/lib/packages tests/*/packages 2>/dev/null)

BENCH_PACKAGES = $(shell sed 's/\#.*//' tests/bench/peers)

all: build

# Quiet and quick when nothing is missing.
deps:
	@tests/lib/deps $(sort $(BUILD_PACKAGES) $(TEST_PACKAGES))

tools:
	@command -v $(MESON) >/dev/null && command -v ninja >/dev/null && command -v gcc >/dev/null || { \
		echo "build tools are missing; as root: make deps" >&2; exit 1; }

build: tools
	@flock Makefile $(MAKE) --no-print-directory compile DIR=$(BUILD) OPTIONS='$(SETUP)'

build-sanitize: tools
	@flock Makefile $(MAKE) --no-print-directory compile DIR=build-sanitize \
		OPTIONS='-Db_sanitize=address,undefined $(SETUP)'

# For tests only: the supervisor's steps can be made to fail from outside.
build-faults: tools
	@flock Makefile $(MAKE) --no-print-directory compile DIR=build-faults \
		OPTIONS='-Dfaults=true $(SETUP)'

# Under the lock, for several makes at once. The folder is configured again when the options changed.
compile:
	@key='--prefix=$(prefix) $(OPTIONS)'; \
	if [ ! -f $(DIR)/build.ninja ]; then again=; \
	elif [ "$$key" = "$$(cat $(DIR)/.configured 2>/dev/null)" ]; then again=no; \
	else again=--reconfigure; fi; \
	[ "$$again" = no ] || $(MESON) setup $$again $$key $(DIR) >$(DIR).log 2>&1 || { cat $(DIR).log >&2; exit 1; }; \
	rm -f $(DIR).log; printf '%s\n' "$$key" >$(DIR)/.configured
	@ninja -C $(DIR) --quiet

demo:
	@tests/lib/deps --quiet-check $(BUILD_PACKAGES) || $(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory build
	@tools/demo

check: deps
	@$(MAKE) --no-print-directory build
	@tests/lib/setup
	@began=$$(date +%s); status=0; tests/run || status=$$?; \
		tests/lib/teardown $$began || status=1; exit $$status

stress: build
	@tests/run stress

bench: build
	@tests/lib/deps $(BENCH_PACKAGES) || echo "bench: goes on without them"
	@tests/bench/run --out docs/benchmarks

install: build
	@DESTDIR='$(DESTDIR)' $(MESON) install -C $(BUILD) --no-rebuild --quiet

deb: build
	@tools/make-deb $(BUILD) $(BUILD)

format:
	clang-format -i $$(find src tests tools -name '*.[ch]')

clean:
	rm -rf build build-sanitize build-faults build.log build-*.log

.PHONY: all deps tools compile build build-sanitize build-faults demo check stress bench install deb format clean
