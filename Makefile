# make up     build and run everything on this machine; ARGS="--listen ..." and DEMO=no pass on
# make test   install what the tests need and run all of them
.PHONY: up build test check fuzz tsan silences lists bench bench-engine guard-engine clean

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

# Damaged model files, read under the address sanitizer; FUZZ_SECONDS and FUZZ_SEED set how long and from where.
fuzz:
	@swift build --quiet --configuration release --sanitize=address --product RankingChecks --scratch-path .build/asan
	@.build/asan/release/RankingChecks fuzz $(or $(FUZZ_SECONDS),300) $(FUZZ_SEED)

# Fits and lists on several threads under the thread sanitizer.
tsan:
	@swift build --quiet --configuration release --sanitize=thread --product RankingChecks --scratch-path .build/tsan
	@OPENBLAS_NUM_THREADS=1 TSAN_OPTIONS=halt_on_error=1 .build/tsan/release/RankingChecks races

# The longest times between two progress reports of each recipe's fit, which is how long a cancelled one goes on; EVENTS of them.
silences:
	@swift build --quiet --configuration release --product RankingChecks
	@.build/release/RankingChecks silences $(or $(EVENTS),1000000)

# What inverted lists of ITEMS vectors cost and gain beside a look at all of them.
lists:
	@swift build --quiet --configuration release --product RankingChecks
	@.build/release/RankingChecks lists $(or $(ITEMS),1000000) $(or $(DIMENSIONS),64)

bench: build
	@scripts/install-test
	@Benchmarks/run

# Recommendation quality and speed beside public packages; needs BENCH_DATA, see Benchmarks/engine/run.
bench-engine: build
	@swift build --quiet --configuration release --product RankingChecks
	@Benchmarks/engine/run

# The default recipe beside its ingredients and simple peers on planted data; VARIANTS="clock sessions" runs some.
guard-engine: build
	@Benchmarks/engine/guard $(VARIANTS)

clean:
	@rm -rf .build .venv
