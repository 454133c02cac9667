# hotlined: `make help` lists the targets.
#
# One variant is one directory under $(BUILD): release, address-undefined, cov, fuzz.  BUILD and VARIANT may be given,
# so that two people (or two checks) work in one tree without meeting.

BUILD   ?= build
SAN     ?=
COV     ?=
FUZZ_SECONDS ?= 30
V       ?=
comma   := ,
VARIANT ?= $(if $(SAN),$(subst $(comma),-,$(SAN)),$(if $(COV),cov,release))
OUT     := $(BUILD)/$(VARIANT)

MAKEFLAGS += -rR -j$(shell nproc)
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := build
SHELL   := /bin/bash
export BUILD

CC      := gcc
AR      := ar

# Evaluated at the first use only: `make run` and `make help` must work before pkg-config is installed.
LIBS       := libevent libpq hiredis libcjson libsodium openssl libcurl zlib icu-i18n libxml-2.0 libmagic
once        = $(eval $(1) := $$(shell $(2)))$($(1))
PKG_CFLAGS  = $(call once,PKG_CFLAGS,pkg-config --cflags $(LIBS))
PKG_LIBS    = $(call once,PKG_LIBS,pkg-config --libs $(LIBS))
TAP_LIBS    = $(call once,TAP_LIBS,pkg-config --libs cmocka)

# A table row says what it needs and leaves the rest zero.
WARN    := -Wall -Wextra -Wno-missing-field-initializers -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes
ifeq ($(VARIANT),fuzz)
CC      := clang
MODE    := -O1 -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
else ifneq ($(SAN),)
MODE    := -O1 -fno-omit-frame-pointer -fsanitize=$(SAN) -fno-sanitize-recover=all
else ifneq ($(COV),)
MODE    := -O0 --coverage
else
MODE    := -O2 -D_FORTIFY_SOURCE=2
endif
INCLUDE := -Iengine -Iengine/text -Ichannels
CFLAGS   = -std=c11 -D_GNU_SOURCE -g -fPIE -fstack-protector-strong $(WARN) $(MODE) $(INCLUDE) $(PKG_CFLAGS) $(EXTRA_CFLAGS)
LDFLAGS  = $(filter-out -D%,$(MODE)) -pie -Wl,-z,relro,-z,now -Wl,--as-needed

ENGINE  := $(wildcard engine/*.c engine/text/*.c channels/*/*.c)
CTL     := $(wildcard tools/hotlinectl/*.c)
UNIT    := $(wildcard tests/unit/test_*.c)
FUZZERS := $(wildcard tests/fuzz/fuzz_*.c)
# Helpers shared by unit tests or fuzz harnesses.
UNIT_LIB := $(filter-out $(UNIT),$(wildcard tests/unit/*.c))

objects  = $(patsubst %.c,$(OUT)/%.o,$(1))
# Everything but main: linked from an archive, so that a test which includes a .c file replaces that member.
LIBRARY := $(OUT)/engine.a
DAEMON  := $(if $(wildcard engine/main.c),$(OUT)/hotlined)
HOTLINECTL := $(if $(CTL),$(OUT)/hotlinectl)
UNIT_BIN := $(UNIT:tests/unit/%.c=$(OUT)/unit/%)
FUZZ_BIN := $(FUZZERS:tests/fuzz/%.c=$(OUT)/fuzz/%)

# ---- targets ---------------------------------------------------------------------------------------------------------

help: ## List the targets
	@sed -n 's/^\([a-z][a-z-]*\):.*## /\1|/p' $(firstword $(MAKEFILE_LIST)) | sort | \
	    while IFS='|' read -r name text; do printf '  make %-10s %s\n' "$$name" "$$text"; done
	@echo
	@echo '  SAN=address,undefined   build and check under these sanitizers'
	@echo '  COV=1                   measure coverage and print it'
	@echo '  V=1                     show the commands'
	@echo '  BUILD=DIR               put everything made under DIR instead of build/'

build: $(DAEMON) $(HOTLINECTL) ## Build the daemon and hotlinectl

run: ## Install what is missing, build, start everything under var/ on http://127.0.0.1:12345
	@tools/packages build run
	@$(MAKE) --no-print-directory build pages
	@tools/run

test: ## Install what is missing and run every test, the C and HTTP suites under sanitizers too
	@tools/packages build run test
	@tests/run all

check: ## Run the checks of one variant: layers, C, SQL, HTTP and page tests
	@VARIANT=$(VARIANT) SAN=$(SAN) COV=$(COV) tests/run check

unit: $(UNIT_BIN) $(DAEMON) $(HOTLINECTL) ## Build everything the tests of one variant need

fuzzers: $(FUZZ_BIN)

fuzz: ## Run each fuzz harness for FUZZ_SECONDS (30)
	@tools/packages build test
	@FUZZ_SECONDS=$(FUZZ_SECONDS) tests/run fuzz

walk: ## Walk at random through months of everybody's work (SEED=, ACTIONS=200000, TICKETS=); figures go to build/walk
	@tools/packages build run test
	@ACTIONS=$${ACTIONS:-200000} WALK_DIR=$(abspath $(BUILD))/walk tests/run walk

faults: build ## Break everything under load, FAULTS times (200, about 15 minutes); SEED runs one again
	@tools/packages build run test
	@tools/faults

bench: build $(OUT)/load/http_load $(OUT)/load/stream_load ## Measure speed against the database alone (ONLY=lists,act: some rows); figures go to build/bench
	@tools/packages build run test
	@tools/bench

replay-2018: build $(OUT)/load/replay-2018 ## Replay January to August 2018 through HTTP and count it again (DAYS=N: the first N days)
	@tools/packages build run test
	@tools/replay-2018

pages: ## Build the pages of channels/web/ui into build/web
	@tools/pages

sample: deploy/hotlined.conf.sample ## Write the sample configuration again from the table of settings

deploy/hotlined.conf.sample: $(OUT)/hotlined
	@$< --print-config >$@.new && mv $@.new $@

fmt: ## Format the C code
	clang-format -i $(wildcard engine/*.[ch] engine/text/*.[ch] channels/*.[ch] channels/*/*.[ch] tools/*/*.[ch] tests/unit/*.[ch] tests/fuzz/*.[ch] tests/load/*.[ch] tests/load/*/*.[ch])

lint: ## Run clang-tidy and cppcheck; both must be silent
	@tools/packages build test lint
	@tools/lint

packages: ## Install the Debian packages needed to build, run and test
	@tools/packages build run test

clean: ## Remove what was built; the data under var/ stays
	rm -rf $(BUILD)

.PHONY: help build run test check unit fuzzers fuzz walk faults bench replay-2018 pages sample fmt lint packages clean

# ---- rules -----------------------------------------------------------------------------------------------------------

$(OUT)/%.o: %.c Makefile
	@mkdir -p $(@D)
	@$(if $(V),,echo "  $(if $(filter %.o,$@),CC,LD) $@";) $(if $(V),set -x;) $(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

$(OUT)/engine/openapi.o: engine/openapi.json

# q, not r: two members may have the same base name.
$(LIBRARY): $(call objects,$(filter-out engine/main.c,$(ENGINE)))
	@rm -f $@
	@$(AR) qcs $@ $^

$(OUT)/hotlined: $(call objects,engine/main.c) $(LIBRARY)
	@$(if $(V),,echo "  $(if $(filter %.o,$@),CC,LD) $@";) $(if $(V),set -x;) $(CC) $(LDFLAGS) -o $@ $^ $(PKG_LIBS) -lm

$(OUT)/hotlinectl: $(call objects,$(CTL)) $(LIBRARY)
	@$(if $(V),,echo "  $(if $(filter %.o,$@),CC,LD) $@";) $(if $(V),set -x;) $(CC) $(LDFLAGS) -o $@ $^ $(PKG_LIBS) -lm

$(OUT)/unit/%: $(OUT)/tests/unit/%.o $(call objects,$(UNIT_LIB)) $(LIBRARY)
	@mkdir -p $(@D)
	@$(if $(V),,echo "  $(if $(filter %.o,$@),CC,LD) $@";) $(if $(V),set -x;) $(CC) $(LDFLAGS) -o $@ $^ $(TAP_LIBS) $(PKG_LIBS) -lm

$(OUT)/load/%: $(OUT)/tests/load/%.o
	@mkdir -p $(@D)
	@$(if $(V),,echo "  $(if $(filter %.o,$@),CC,LD) $@";) $(if $(V),set -x;) $(CC) $(LDFLAGS) -o $@ $^

$(OUT)/load/stream_load: $(OUT)/tests/load/stream_load.o
	@mkdir -p $(@D)
	@$(if $(V),,echo "  $(if $(filter %.o,$@),CC,LD) $@";) $(if $(V),set -x;) $(CC) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(OUT)/load/replay-2018: $(OUT)/tests/load/replay-2018/replay.o
	@mkdir -p $(@D)
	@$(if $(V),,echo "  $(if $(filter %.o,$@),CC,LD) $@";) $(if $(V),set -x;) $(CC) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(OUT)/fuzz/%: $(OUT)/tests/fuzz/%.o $(LIBRARY)
	@mkdir -p $(@D)
	@$(if $(V),,echo "  $(if $(filter %.o,$@),CC,LD) $@";) $(if $(V),set -x;) $(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(PKG_LIBS) -lm

.SECONDARY:
-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
