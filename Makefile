# Makefile of mapihttpd: one file, no recursion.   make help
#
#   make                the programs, in build/release/
#   make check          unit tests of every room, vectors with every truncation and bit flip
#   make flow           real nginx, redis-server and workers on free ports
#   make amnesia        the same with no worker serving two requests of a session in a row
#   make asan check     the same tests under AddressSanitizer and UBSan (SANITIZE=address,undefined)
#   make lint ledger fuzz bench soak install

ifneq ($(filter asan,$(MAKECMDGOALS)),)
SANITIZE = address,undefined
endif
O       ?= build/$(if $(SANITIZE),san,release)
CC      ?= cc
WERROR  ?= -Werror
PREFIX  ?= /usr/local
PKGS     = hiredis sqlite3 libxml-2.0 gmime-3.0 icu-uc icu-i18n libcrypto libssl libcrypt jansson krb5-gssapi libcurl ldap pam
# TLS to Redis where hiredis has it (1.0 or newer); redis_tls.c looks for the header
PKGS    += $(shell pkg-config --exists hiredis_ssl && echo hiredis_ssl)
CFLAGS  ?= $(if $(SANITIZE),-O1,-O2) -g
override CFLAGS += -std=c11 -D_GNU_SOURCE -I. -pthread -fstack-protector-strong \
           -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla $(WERROR)
override CPPFLAGS += $(shell pkg-config --cflags $(PKGS))
LDLIBS  += $(shell pkg-config --libs $(PKGS)) -lfcgi -lm
ifdef SANITIZE
override CFLAGS += -fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=undefined -DARENA_PER_ALLOCATION
LDFLAGS += -fsanitize=$(SANITIZE)
else
override CPPFLAGS += -D_FORTIFY_SOURCE=2
endif

# --- the rooms, lowest first; a room links itself and those below it, siblings are blind to each other -----------------
BASE     = backend-base
MAPI     = backend-mapi $(BASE)
BACKEND  = backend-jobs backend-mail backend-store backend-directory backend-event $(MAPI)
SESSION  = session session-discover session-offline session-rop session-nspi session-object session-context $(BACKEND)
ROOMS    = session session-discover session-offline session-rop session-nspi session-object session-context $(BACKEND)

SRC_backend-base      = $(wildcard backend/base/*.c)
SRC_backend-mapi      = $(wildcard backend/mapi/*.c)
SRC_backend-store     = $(wildcard backend/store/*.c backend/store/*/*.c)
SRC_backend-directory = $(wildcard backend/directory/*.c backend/directory/*/*.c)
SRC_backend-event     = $(wildcard backend/event/*.c)
SRC_backend-mail      = $(wildcard backend/mail/*.c)
SRC_backend-jobs      = $(wildcard backend/jobs/*.c)
SRC_session-context   = $(wildcard session/context/*.c)
SRC_session-object    = $(wildcard session/object/*.c)
SRC_session-discover  = $(wildcard session/discover/*.c)
SRC_session-offline   = $(wildcard session/offline/*.c)
SRC_session-rop       = $(wildcard session/rop/*.c)
SRC_session-nspi      = $(wildcard session/nspi/*.c)
SRC_session           = $(wildcard session/*.c)
SRC_fcgi              = $(wildcard fcgi/*.c)
SRC_tests-client      = $(wildcard tests/client/*.c)
SRC_deploy-decode     = $(wildcard deploy/mapictl/decode_*.c)

# what a room's unit tests may link: the room and those below
BELOW_backend-base      = $(BASE)
BELOW_backend-mapi      = $(MAPI)
BELOW_backend-store     = backend-store $(MAPI)
BELOW_backend-directory = backend-directory $(MAPI)
BELOW_backend-event     = backend-event $(MAPI)
BELOW_backend-mail      = backend-mail $(MAPI)
BELOW_backend-jobs      = $(BACKEND)
BELOW_session-context   = session-context $(BACKEND)
BELOW_session-object    = session-object session-context $(BACKEND)
BELOW_session-discover  = session-discover $(BACKEND)
BELOW_session-offline   = session-offline $(BACKEND)
BELOW_session-rop       = session-rop session-object session-context $(BACKEND)
BELOW_session-nspi      = session-nspi session-context $(BACKEND)
BELOW_session           = $(SESSION)
BELOW_fcgi              = fcgi $(SESSION)
BELOW_tests-client      = tests-client $(MAPI)
BELOW_deploy-decode     = deploy-decode tests-client $(SESSION)

obj  = $(patsubst %.c,$(O)/%.o,$(1))
libs = $(foreach r,$(1),$(O)/lib/$(r).a)

PROGRAMS = $(O)/mapihttpd $(O)/mapictl
UNITS    = $(foreach r,$(patsubst tests/unit/%/,%,$(sort $(dir $(wildcard tests/unit/*/*.c)))),$(O)/unit/$(r))
FUZZERS  = $(patsubst tests/fuzz/%.c,$(O)/%,$(wildcard tests/fuzz/fuzz_*.c))

.PHONY: all help amnesia units check flow ledger-forget asan lint ledger fuzz fuzzers bench soak install clean
.SECONDARY:
.DELETE_ON_ERROR:

all: $(PROGRAMS)

help:
	@sed -n '/^#/!q;s/^# \{0,1\}//p' Makefile

$(O)/%.o: %.c
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

define room_rule
$(O)/lib/$(1).a: $(call obj,$(SRC_$(1)))
	@mkdir -p $$(@D)
	@rm -f $$@
	$(AR) rcs $$@ $$^
endef
$(foreach r,$(ROOMS) fcgi tests-client deploy-decode,$(eval $(call room_rule,$(r))))

$(O)/mapihttpd: $(call libs,fcgi $(SESSION))
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ -Wl,--whole-archive $(O)/lib/fcgi.a -Wl,--no-whole-archive $(call libs,$(SESSION)) $(LDLIBS)

$(O)/mapictl: $(call obj,$(wildcard deploy/mapictl/*.c)) $(call libs,tests-client $(SESSION))
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# a worker as an older release would be: it knows layout 1 of saved sessions only (tests/flow/test_upgrade.c)
OLDER = $(patsubst %.c,$(O)/older/%.o,$(SRC_session-context) $(SRC_backend-directory))

$(O)/older/%.o: %.c
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS) -DCONTEXT_LAYOUT=1 $(CFLAGS) -MMD -MP -c -o $@ $<

$(O)/mapihttpd-older: $(OLDER) $(call libs,fcgi $(SESSION))
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(OLDER) -Wl,--whole-archive $(O)/lib/fcgi.a -Wl,--no-whole-archive $(call libs,$(SESSION)) $(LDLIBS)

# --- tests -------------------------------------------------------------------------------------------------------------
# Test objects are linked directly, since each registers its tests by a constructor.
define unit_rule
$(O)/unit/$(1): $(call obj,$(wildcard tests/unit/$(1)/*.c) tests/unit.c tests/mutate.c tests/oab.c) $(call libs,$(BELOW_$(1)))
	@mkdir -p $$(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $$@ $$^ $(LDLIBS) -lcunit -lmspack
endef
$(foreach r,$(ROOMS) fcgi tests-client deploy-decode,$(eval $(call unit_rule,$(r))))

units: $(UNITS) $(O)/flow $(O)/mapihttpd-older

check: $(UNITS)
	@tests/run-units $(O) $(UNITS)

# the soak without its program: a short one is among the flows
SOAK = $(filter-out tests/soak/test_soak.c,$(wildcard tests/soak/*.c))

$(O)/flow: $(call obj,$(wildcard tests/flow/*.c) $(SOAK) tests/unit.c tests/mutate.c tests/oab.c) $(call libs,tests-client $(SESSION))
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcunit -lmspack

flow: $(PROGRAMS) $(O)/mapihttpd-older $(O)/flow
	@tests/run-units $(O) $(O)/flow

# every session's requests go to another worker process than the one before; the clients check it
amnesia: $(PROGRAMS) $(O)/mapihttpd-older $(O)/flow
	@FLOW_AMNESIA=1 tests/run-units $(O) $(O)/flow

asan:
	@test -n "$(filter-out asan,$(MAKECMDGOALS))" || { echo "usage: make asan check"; exit 2; }

# Needs clang; its objects live apart.  usage: make fuzz FUZZ_SECONDS=60
fuzz:
	@$(MAKE) --no-print-directory O=build/fuzz CC=clang SANITIZE=address,undefined,fuzzer-no-link WERROR= CFLAGS="-O1 -g -w" fuzzers
	@tests/fuzz/run $(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))

fuzzers: $(FUZZERS)

$(O)/fuzz_%: $(O)/tests/fuzz/fuzz_%.o $(O)/tests/oab.o $(filter-out %/fcgi/main.o,$(call obj,$(SRC_fcgi))) $(call libs,deploy-decode $(SESSION))
	$(CC) -g -fsanitize=address,undefined,fuzzer $(LDFLAGS) -o $@ $^ $(LDLIBS) -lmspack

lint:
	@tests/lint/run

ledger-forget:
	@rm -f $(O)/ran.*

ledger:
	@awk -f tests/conform/count.awk $(wildcard $(O)/ran.*) tests/conform/ledger.csv

bench: $(PROGRAMS) $(O)/bench
	@tests/bench/run $(O)

# exactly once under fire, for SOAK_SECONDS (600); a seed that found something: SOAK_SEED=n make soak
soak: $(PROGRAMS) $(O)/soak
	@$(O)/soak

$(O)/soak: $(call obj,$(wildcard tests/soak/*.c) tests/flow/stack.c tests/unit.c tests/mutate.c) $(call libs,tests-client $(SESSION))
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcunit

$(O)/bench: $(call obj,$(wildcard tests/bench/*.c) $(addprefix tests/flow/,authkit.c ctl.c slapd.c walk.c) tests/flow/stack.c tests/unit.c tests/mutate.c) $(call libs,tests-client $(SESSION))
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcunit

install: $(PROGRAMS)
	install -D -m 755 $(O)/mapihttpd $(DESTDIR)$(PREFIX)/sbin/mapihttpd
	install -D -m 755 $(O)/mapictl $(DESTDIR)$(PREFIX)/bin/mapictl

clean:
	rm -rf build

-include $(shell test -d $(O) && find $(O) -name '*.d')
