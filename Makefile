# Swipewell. `make help` lists what there is; `make run` needs only Go and make.
SHELL := /bin/bash
GO ?= go
export CGO_ENABLED ?= 0
BIN := bin
CMDS := posd posbench hostsim postool
LDFLAGS := -s -w
# What runs once a connection or once a start is compiled without inlining: a fiftieth of the device's program.
GCFLAGS := $(shell cat scripts/gcflags)
FUZZTIME ?= 5s
KILLS ?= 500
IMAGES ?= 10000
SEEDS ?= 1,2,3,4
SALES ?= 20000
DAYS ?= 10000
SEED ?= 1000
RUNS ?= 12
CARDS ?= 5000
BOARD ?= qemu-arm64
BOOTS ?= 5
QEMUFILES := $(addprefix firmware/cmd/posbench/testdata/,approval.txtar chip-first.txtar cut-sent.txtar)
FILES ?= firmware/cmd/posbench/testdata/*.txtar

.PHONY: help run test check fuzz bench cross crash soak sieve days scenarios model journal flash mutants build scripts cases generate clean image qemu qemu-run qemu-flash qemu-bench qemu-rollback qemu-cuts

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## every binary for this machine, into bin/
	@$(GO) build -trimpath -ldflags '$(LDFLAGS)' $(GCFLAGS) -o $(BIN)/ $(addprefix ./firmware/cmd/,$(CMDS))

run: build ## the whole device with its world: open http://127.0.0.1:8583
	@$(BIN)/posbench serve

test: ## all tests, with a summary of what was skipped for want of a tool
	@scripts/test.sh

check: ## gofmt, vet, staticcheck, pinned modules, a clean tree after go generate
	@scripts/check.sh

scripts: build ## play scripts against the real posd: make scripts FILES=...
	@$(BIN)/posbench run $(FILES)

fuzz: ## every fuzz target for FUZZTIME each (default 5s)
	@scripts/fuzz.sh $(FUZZTIME)

bench: build ## the figures of the README, measured here, as a table
	@$(BIN)/posbench bench

crash: build ## kill -9 of posd, then disks as power cuts leave them: KILLS=500 IMAGES=10000
	@$(BIN)/posbench crash --kills $(KILLS)
	@$(BIN)/posbench images --count $(IMAGES)

cases: build ## the exports of firmware/doc/cases anew, from the scripts beside them
	@scripts/cases.sh

soak: build ## whole days in virtual time, with random faults: SEEDS=1,2,3,4 SALES=20000
	@$(BIN)/posbench soak --seeds $(SEEDS) --sales $(SALES)

sieve: build ## known cards, tracks and PINs, then all that posd wrote and remembers: CARDS=5000 PANS=FILE PINS=FILE
	@$(BIN)/posbench sieve --count $(CARDS) $(if $(PANS),--pans $(PANS)) $(if $(PINS),--pins $(PINS))

days: build ## honest days of every kind of shop, beside other products: DAYS=10000
	@$(BIN)/posbench days --days $(DAYS)

scenarios: build ## 36 shapes of trouble through the real stack, and what the diagnosis says of them: SEED=1000 RUNS=12
	@$(BIN)/posbench scenarios --seed $(SEED) --count $(RUNS)

model: build ## every interleaving of the reducer with a small host, to the end
	@$(BIN)/posbench model

journal: build ## what the log costs and how fast it answers, beside journald where it can be started
	@$(BIN)/posbench journal

flash: build ## what an update over the service cable takes, beside sz and sb: five minutes
	@$(BIN)/posbench flash

mutants: ## seeded bugs, each of which a test must find
	@$(GO) run ./firmware/cmd/posbench/mutants

cross: ## every binary for linux/arm (v7), arm64, amd64, CGO_ENABLED=0
	@scripts/cross.sh $(CMDS)

image: build ## a bootable disk in out/image: BOARD=qemu-arm64 or qemu-armv7 (scripts/deps-image.sh first)
	@scripts/image.sh $(BOARD)

qemu: build ## that disk on QEMU with its world: open http://127.0.0.1:8583
	@$(BIN)/posbench serve --qemu out/image/$(BOARD)

qemu-run: build ## play scripts against that disk on QEMU: make qemu-run FILES=...
	@$(BIN)/posbench run --qemu out/image/$(BOARD) $(if $(filter command line,$(origin FILES)),$(FILES),$(QEMUFILES))

qemu-flash: build ## an update over the service cable on QEMU: the next build confirmed, a bad one rolled back
	@$(BIN)/posbench qemu next --board $(BOARD)
	@$(BIN)/posbench run -v --qemu out/image/$(BOARD) firmware/cmd/posbench/testdata/qemu/*.txtar

qemu-bench: build ## power-on to the ready prompt and memory, as a table: BOOTS=5
	@$(BIN)/posbench qemu bench --board $(BOARD) --boots $(BOOTS)

qemu-rollback: build ## builds that crash, hang, fail their check or are forged, on trial on QEMU
	@$(BIN)/posbench qemu rollback --board $(BOARD)

qemu-cuts: build ## the power fails while it starts on QEMU, again and again; then it must start
	@$(BIN)/posbench qemu cuts --board $(BOARD)

generate: ## write generated files anew
	@$(GO) generate ./...

clean: ## remove what was built
	@rm -rf $(BIN) out
