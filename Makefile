# Two commands do everything: `make run` and `make test`. Both install what is missing (scripts/setup).
CARGO ?= cargo
# PICTOR_HEVC=none builds without x265 (GPL): HEIC is still read, HEIF is not written.
export PICTOR_HEVC ?= x265
FEATURES := $(if $(filter none,$(PICTOR_HEVC)),--no-default-features)

.PHONY: run build test lint variants audit mutants judge bench-codecs setup-build setup-test

run: build
	target/release/pictor serve

build: setup-build
	$(CARGO) build --release --locked $(FEATURES)

test: setup-test lint
	$(CARGO) test --release --locked --workspace $(FEATURES)

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --locked --workspace --all-targets $(FEATURES) -- -D warnings
	$(CARGO) check --release --locked --manifest-path fuzz/Cargo.toml --target-dir target $(FEATURES)
	scripts/audit offline
	$(MAKE) --no-print-directory variants

# The builds that README promises besides the usual one are looked through, not built. Without x265 and without SVT-AV1 is one
# of them: that is another set of features, so that the usual build, which has SVT-AV1, stays as it is.
variants:
	PICTOR_HEVC=none PICTOR_SVT_AV1= $(CARGO) check --release --locked --workspace --no-default-features
	PICTOR_HEVC=none PICTOR_SVT_AV1= $(CARGO) check --release --locked --workspace --no-default-features --features ravif

# Licences, sources and known flaws of all crates; the last needs the database of RustSec, from GitHub.
audit:
	scripts/audit

# Changes one expression of the pure crate after the other and says which changes no test notices (docs/mutants.md).
# ROOM=access: one room; ARGS="--list": only say what would be changed. Without debug information, to build quickly.
MUTANTS := 27.1.0
mutants: .deps/cargo-mutants-$(MUTANTS)/bin/cargo-mutants
	CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_TEST_DEBUG=0 $< mutants --config conf/mutants.toml --package pictor-language \
	  --output target/mutants $(if $(ROOM),--file 'crates/language/src/$(ROOM)*' --file 'crates/language/src/$(ROOM)/**') $(ARGS)

.deps/cargo-mutants-$(MUTANTS)/bin/cargo-mutants:
	CARGO_TARGET_DIR=.deps/cargo-mutants-$(MUTANTS)/build $(CARGO) install cargo-mutants --locked --version $(MUTANTS) \
	  --root .deps/cargo-mutants-$(MUTANTS)
	rm -rf .deps/cargo-mutants-$(MUTANTS)/build

# Compares what is decoded with independent decoders, for every file of the corpus (libvips' command line is asked too).
CORPUS ?= ../shared/corpus
judge: .deps/venv-judge/ready
	$(CARGO) build --release --locked $(FEATURES) --example judge
	.deps/venv-judge/bin/python benches/judge.py $(CORPUS)

.deps/venv-judge/ready: benches/judge.txt
	rm -rf .deps/venv-judge
	python3 -m venv .deps/venv-judge
	.deps/venv-judge/bin/pip install --quiet --require-hashes --no-deps --only-binary=:all: -r benches/judge.txt
	touch $@

# Rate and distortion beside sharp, avifenc, heif-enc and cwebp; ARGS="quick avif" for a part of it.
bench-codecs:
	scripts/bench-codecs $(ARGS)

setup-build:
	scripts/setup build

setup-test:
	scripts/setup test
