# Thin on purpose: each target is one word for what CMake, CTest or a script does.
# Every variant of the build has a directory of its own, build/<variant>.

.DEFAULT_GOAL := build
.NOTPARALLEL:
.SECONDARY:
# CMake's builds start a make of their own with their own -j; the flags of this one disturb it.
unexport MAKEFLAGS

SEEDS    ?= 1000
FIRST    ?= 1
MINUTES  ?= 10
KILLS    ?= 50
ROUNDS   ?= 3
SECONDS  ?= 5
KEYS     ?= 1000000
COMMANDS ?= 200000
FAMILIES ?= string bitmap hash generic transactions server connection

jobs      := $(shell nproc)
variant   :=
compiler  := gcc
simulator := tests/sim/conclave-sim
# Many tests wait most of the time, for elections and deadlines, disks and each other's processes: so
# that no processor is idle meanwhile, one test more runs than there are processors.
ctest     := ctest --output-on-failure --no-tests=error -j $(shell expr $(jobs) + 1)

# The programs of a variant, under their plain names in build/.
link = find build/$(1) -type f -executable -name 'conclave-*' -exec ln -srf -t build {} +

# Many seeds, or one alone. For a mutant so many are tried, at most, unless another number is asked for.
seeds        = $(if $(SEED),--seed $(SEED) $(if $(TRACE),--trace),\
	       --first-seed $(FIRST) --seeds $(SEEDS) --jobs $(jobs))
mutant_seeds = --seeds $(if $(filter-out file,$(origin SEEDS)),$(SEEDS),10000)

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | awk -F '\t' '{ printf "%-15s %s\n", $$1, $$2 }'

run: release ## install what is missing, build, start a server on 127.0.0.1:6379
	build/conclave-server

demo: release ## a small simulated cluster at work: elections, a kill, a damaged log
	build/conclave-sim demo

build: need-build need-test compile-debug ## build/conclave-*, every check on
	@$(call link,debug)

release: need-build need-test compile-release ## build/conclave-*, optimised
	@$(call link,release)

# One CTest run over the directories of all suites; its summary gives the time of each label.
test: need-build need-test need-clients need-tidy need-fuzz
test: compile-debug compile-clang compile-asan compile-release compile-fuzz configure-tidy
test: ## install what is missing, build, run every test that CI runs
	@printf 'subdirs(debug asan release fuzz/tests/fuzz tidy)\n' > build/CTestTestfile.cmake
	$(ctest) --test-dir build

test-full: MINUTES := 1
test-full: test tsan sim sim-members sim-asan sim-mutants fuzz ## test, then TSan, SEEDS= seeds twice, all mutants, fuzzing

test-clients: need-build need-test need-clients compile-debug ## client libraries and tools against a real server
	$(ctest) --test-dir build/debug -L clients

test-rewrite: need-build need-test compile-debug ## write the scenarios' expected output anew; read the diff
	REWRITE=1 $(ctest) --test-dir build/debug -R unit/
	git diff --stat -- tests/data conf docs

compat: need-build need-test compile-release ## COMMANDS= requests of each family to redis-server and a member, from SEED=
	@set -e; for family in $(FAMILIES); do tests/compat/compare.py build/release/tests/compat/compat_runner \
		generated $(COMMANDS) $(or $(SEED),1) $$family; done

reference: need-build need-test compile-debug ## write what is made from the table of commands: docs/commands.md, the index
	build/debug/tests/compat/command_reference > docs/commands.md
	build/debug/tests/compat/command_reference index > src/command/table_index.c

asan: need-build need-test compile-asan ## build and test with the address and UB sanitizers
	$(ctest) --test-dir build/asan

tsan: need-build need-test compile-tsan ## build and test with the thread sanitizer
	$(ctest) --test-dir build/tsan

clang: need-build need-test need-clang compile-clang ## build with clang and its warnings

sim: need-build need-test compile-release ## simulate SEEDS= seeds, or SEED= alone, with TRACE=1 step by step
	build/release/$(simulator) run $(seeds)

sim-members: need-build need-test compile-release ## the same with whole members: store, sessions, RESP
	build/release/$(simulator) run --members $(seeds)

sim-asan: need-build need-test compile-asan ## the same under the sanitizers
	build/asan/$(simulator) run $(seeds)
	build/asan/$(simulator) run --members $(seeds)

sim-mutants: need-build need-test compile-mutants ## each deliberate mistake, or ONLY=, must be noticed
	build/mutants/$(simulator) mutants $(if $(ONLY),--only $(ONLY)) $(mutant_seeds) --jobs $(jobs)

crash: need-build need-test compile-debug ## take a server's power KILLS= times, from SEED= on
	tests/crash/crash.py --kills $(KILLS) $(if $(SEED),--seed $(SEED)) --server build/debug/conclave-server \
		--ctl build/debug/conclave-ctl --shim build/debug/tests/crash/libpower_shim.so

chaos: need-build need-test compile-release ## kill, stop and cut off members of real clusters for MINUTES=, from SEED= on
	tests/chaos/chaos.py --seconds $$(($(MINUTES) * 60)) $(if $(SEED),--seed $(SEED)) \
		--server build/release/conclave-server --ctl build/release/conclave-ctl \
		--wire build/release/tests/chaos/conclave-wire --checker build/release/tests/chaos/conclave-history-check

fuzz: need-build need-fuzz compile-fuzz ## fuzz each target, or those of ONLY=, for MINUTES=, two at a time
	@scripts/fuzz build/fuzz $(MINUTES) $(ONLY)

fuzz-keep: need-build need-fuzz compile-fuzz ## add what fuzzing found out to the kept corpora
	@scripts/fuzz --keep build/fuzz

bench: need-build need-test compile-release ## print the figures of each bench program
	cmake --build build/release -j $(jobs) --target benches -- --no-print-directory
	@set -e; for bench in build/release/bench/*_bench; do echo "$$bench"; "$$bench"; done

bench-spine: need-build need-test need-bench compile-release ## conclave-server beside redis-server: ROUNDS=, SECONDS=, KEYS=, TSV=file, CLIENT=
	@bench/spine --rounds $(ROUNDS) --seconds $(SECONDS) --keys $(KEYS) $(if $(TSV),--tsv $(TSV)) \
		$(if $(CLIENT),--client $(CLIENT))

bench-failover: need-build need-test compile-release ## how long a cluster of three takes no writes when a leader goes or all start anew, and what a lagging member costs
	@bench/failover

tidy: need-build need-test need-tidy build/debug/Makefile ## check what compilers do not; scripts/tidy --list
	@cmake build/debug > /dev/null
	@scripts/tidy

fmt: need-tidy ## lay the C files out by .clang-format
	@scripts/tidy --fix

evidence: need-test ## run CMD= and note it in docs/evidence.tsv
	@scripts/evidence "$$CMD"

clean: ## remove everything that was built
	rm -rf build

need-%:
	@scripts/install-deps $*

compile-%: build/%/Makefile
	cmake --build build/$* -j $(jobs) -- --no-print-directory

configure-tidy:
	cmake -S tests/tidy -B build/tidy --log-level=WARNING

build/%/Makefile:
	cmake -S . -B build/$* -G 'Unix Makefiles' --log-level=WARNING \
		-DCONCLAVE_VARIANT=$(or $(variant),$*) -DCMAKE_C_COMPILER=$(compiler)

build/clang/Makefile: variant := debug
build/clang/Makefile build/fuzz/Makefile: compiler := clang

.PHONY: help run demo build release test test-full test-rewrite compat reference asan tsan clang sim sim-members \
	sim-asan sim-mutants crash chaos fuzz fuzz-keep bench bench-spine bench-failover tidy fmt evidence clean \
	configure-tidy test-clients
