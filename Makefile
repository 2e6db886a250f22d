# webox: `make` lists what there is to do.

CARGO ?= cargo
BENCH ?=
FUZZ ?=
FUZZ_SECONDS ?= 60
KEEP ?=
CHAOS ?= long

# Tests wait more than they work: two threads more than a small machine has cores.
export RUST_TEST_THREADS ?= 4

.DEFAULT_GOAL := help
.PHONY: help demo build test test-api test-invoices test-signatures test-real chaos tools lint fmt bench fuzz man static deb ci

help: ## Lists these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Plays a whole call on this machine, without an account
	$(CARGO) run --release --locked -- demo

build: ## Builds the release binary, target/release/webox
	$(CARGO) build --release --locked

test: tools ## Runs the whole test suite
	$(CARGO) test --locked --workspace

test-api: ## Asks a daemon what its OpenAPI document promises, with made-up requests
	@tests/api_contract/run

test-invoices: ## Judges the XML of bills, also that in PDFs, by the schema and the rules of electronic invoicing
	@tests/electronic_invoices/run

test-signatures: ## Compares our signatures with those of Twilio's own library
	@tests/signatures/run

test-real: ## Runs the tests against a real model, voice, ear, mail server and storage, in a venv of their own
	@tests/real/run

chaos: tools ## Kills, fills disks, turns clocks, for CHAOS=long; with figures (long: about an hour)
	WEBOX_CHAOS=$(CHAOS) $(CARGO) test --locked --test webox -- chaos:: --test-threads=1 --nocapture
	WEBOX_CHAOS=$(CHAOS) $(CARGO) test --locked --lib -- store::writer::schedules

tools: ## Installs what the tests use beyond cargo, where that is possible
	@.ci/tools

lint: ## Checks format, clippy, and what is linked: licences, bans, advisories
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	@tests/dependencies/run advisories

fmt: ## Formats the source
	$(CARGO) fmt --all

bench: ## Measures; BENCH=name for one of the benchmarks
	$(CARGO) bench --locked $(if $(BENCH),--bench $(BENCH))

fuzz: ## Fuzzes each target for FUZZ_SECONDS, by the ways it goes; FUZZ=name for one, KEEP=--keep adds seeds
	RUSTC_WORKSPACE_WRAPPER=$(CURDIR)/fuzz/covered $(CARGO) run --release --locked -p webox-fuzz -- $(KEEP) $(FUZZ_SECONDS) $(FUZZ)

man: ## Writes the manual pages under man/ anew
	$(CARGO) run --locked -- man man

static: ## Builds a release binary that needs no library of the system, target/HOST/release/webox
	RUSTFLAGS="-C target-feature=+crt-static" $(CARGO) build --release --locked \
		--target $$(rustc -vV | sed -n 's/^host: //p')

deb: build ## Makes a Debian package under target/debian/, with cargo-deb
	@mkdir -p target/completions
	@target/release/webox completions bash >target/completions/webox
	@target/release/webox completions zsh >target/completions/_webox
	@target/release/webox completions fish >target/completions/webox.fish
	@packaging/licences >target/third-party.txt
	$(CARGO) deb --no-build

ci: ## Does what continuous integration does
	@.ci/run
