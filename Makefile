# `make help` lists what there is. Everything else is SwiftPM's: `swift build`, `swift test`.

SHELL := /bin/bash
.SHELLFLAGS := -Eeuo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup build demo test soak million bench microbench format lint clean

swift := .ci/swift
sources := Package.swift Sources Tests
# Tests that run many processes take the machine for themselves, one after another.
heavy := 'FaultTests|EndToEndTests'

help: ## lists these commands
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

setup: ## installs what is missing: libpq, LZ4, PostgreSQL 15 or later, Python; looks for Swift
	@.ci/setup

build: setup ## builds everything, for debugging
	$(swift) build

demo: setup ## records simulated conversations on a PostgreSQL of its own, shows and replays them
	$(swift) build --product recorder
	.build/debug/recorder demo $(DEMO_FLAGS)

test: ## runs all tests, against a real PostgreSQL that they start themselves
	@.ci/setup --tests
	$(swift) build --build-tests
	$(swift) test --disable-xctest --skip-build --skip $(heavy) $(TEST_FLAGS)
	$(swift) test --disable-xctest --skip-build --no-parallel --filter $(heavy) $(TEST_FLAGS)

soak: setup ## the fault suite for 10 minutes; SOAK_SECONDS and FAULT_SEED in the environment change that
	SOAK_SECONDS=$${SOAK_SECONDS:-600} $(swift) test --disable-xctest --filter FaultTests.FaultTests $(TEST_FLAGS)

million: setup ## a million events: rebuilt beside readers, killed at half, beside projectors; SCALE_EVENTS changes that
	$(swift) build -c release --product recorder --scratch-path .build-release
	$(swift) build --build-tests
	SCALE_EVENTS=$${SCALE_EVENTS:-1000000} RECORDER_PROGRAM=$(CURDIR)/.build-release/release/recorder \
		$(swift) test --disable-xctest --skip-build --filter ScaleTests $(TEST_FLAGS)

bench: setup ## measures the recorder beside its limits, in about four minutes; BENCH_FLAGS="append --events 50000" for a part
	$(swift) build -c release --product recorder --scratch-path .build-release
	.build-release/release/recorder bench $(BENCH_FLAGS)

microbench: setup ## measures the functions that every event goes through, each alone; BENCH_FLAGS="--filter 'JSON.*'" for a part
	$(swift) package --package-path Tests/MicroBenchmarks --scratch-path .build-micro benchmark $(BENCH_FLAGS)

format: setup ## formats the Swift sources
	$(swift) format -i -r $(sources)

lint: setup ## checks the format and who imports whom
	$(swift) format lint --strict -r $(sources)
	$(swift) test --disable-xctest --filter ArchitectureTests

clean: ## removes what was built; .recorder, which holds the servers' data, stays
	$(swift) package clean
	rm -rf .venv .build-release .build-micro
