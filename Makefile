# make up     build and run everything on this machine; ARGS="--listen ..." and DEMO=no pass on
# make test   install what the tests need and run all of them
.PHONY: up build test check bench bench-engine guard-engine clean

up: build
	@exec .build/release/tastemaker up $(if $(filter no,$(DEMO)),--no-demo,$(if $(filter yes,$(DEMO)),--demo)) $(ARGS)

build:
	@scripts/install
	@scripts/build

test:
	@scripts/install
	@scripts/install-test
	@scripts/test

check:
	@swift format lint --strict --recursive --parallel Sources Tests Package.swift

bench: build
	@scripts/install-test
	@Benchmarks/run

# Recommendation quality and speed beside public packages; needs BENCH_DATA, see Benchmarks/engine/run.
bench-engine: build
	@Benchmarks/engine/run

# The default recipe beside its ingredients and simple peers on planted data; VARIANTS="clock sessions" runs some.
guard-engine: build
	@Benchmarks/engine/guard $(VARIANTS)

clean:
	@rm -rf .build .venv
