# make build   bin/parley
# make test    install what the tests need (Debian packages, npm packages) and run them all, with the race detector (browsers without)
# make check   gofmt, vet, staticcheck, govulncheck, the layers
# make fuzz    every fuzzer for FUZZTIME (30s)
# make simulate   SEEDS seeds (200) of the simulator from FIRST (1) on; SEED=7 replays one and prints its events;
#                 NODES=3 plays that many nodes instead of a number by the seed
# make planted    plant mistakes into the server, which the simulator has to find
# make bench   parley beside Prosody, ejabberd and a bare relay; takes long

SHELL := /bin/bash
FUZZTIME ?= 30s

.PHONY: build test check deps fuzz simulate planted bench clean

build:
	CGO_ENABLED=0 go build -trimpath -o bin/parley ./cmd/parley

deps:
	@scripts/deps

test: deps
	@scripts/test

check:
	@scripts/check

fuzz:
	@scripts/fuzz $(FUZZTIME)

simulate:
	@SEEDS="$(SEEDS)" FIRST="$(FIRST)" SEED="$(SEED)" NODES="$(NODES)" scripts/simulate

planted:
	PARLEY_TEST_PLANTED=1 go test ./testrig/sim -run '^TestPlanted$$' -v -timeout 30m

bench:
	go run ./bench/cmd/bench

clean:
	rm -rf bin
