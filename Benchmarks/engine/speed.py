"""implicit's speed beside ours on one set of pairs; prints JSON. speed.py TRAIN [--lists]

Rounds of ALS with 64 factors on two threads, ours and implicit's in turns, so that both meet the same load: CPU seconds of a round as
the least and the median, and the median and the extremes of the ratios. With --lists also one user's top 10 and all users' top 100."""
import json, os, subprocess, sys, tempfile, time

os.environ["OPENBLAS_NUM_THREADS"] = "1"
import numpy as np
from implicit.als import AlternatingLeastSquares
from peer import Data, cpu

# The first two rounds of ours are exact in either case, and fall out of the difference.
FEW, MANY = 2, 6


def theirs(x, solver, rounds):
    model = AlternatingLeastSquares(factors=64, iterations=rounds, use_cg=solver == "steps", num_threads=2, random_state=1)
    began = cpu()
    model.fit(x, show_progress=False)
    return cpu() - began, model


def in_turns(x, folder):
    pairs = f"{folder}/pairs.bin"
    x = x.tocsr()
    np.column_stack([np.repeat(np.arange(x.shape[0]), np.diff(x.indptr)), x.indices]).astype(np.int32).tofile(pairs)
    process = subprocess.Popen([os.environ["RANKING_CHECKS"], "rounds", pairs], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ours(solver, rounds):
        process.stdin.write(f"{solver} {rounds}\n")
        process.stdin.flush()
        return [float(word) for word in process.stdout.readline().split()]

    result, objectives = {}, {}
    for solver in ("steps", "exact"):
        own, other = [], []
        for _ in range(5 if x.nnz < 2_000_000 else 3):
            few, (many, objectives[solver]) = ours(solver, FEW)[0], ours(solver, MANY)
            own.append((many - few) / (MANY - FEW))
            other.append((theirs(x, solver, MANY)[0] - theirs(x, solver, FEW)[0]) / (MANY - FEW))
        ratios = np.array(own) / np.array(other)
        result[solver] = dict(ours=(min(own), float(np.median(own))), implicit=(min(other), float(np.median(other))),
                              ratios=(float(np.median(ratios)), float(min(ratios)), float(max(ratios))))
    process.stdin.close()
    process.wait()
    return dict(result, objective=objectives["steps"] / objectives["exact"] - 1, pairs=x.nnz, users=x.shape[0], items=x.shape[1])


def lists(x, model):
    rows = np.random.default_rng(1).integers(0, x.shape[0], 300)
    single = []
    for recalculate in (False, True):
        took = []
        for row in rows:
            c = time.thread_time()
            model.recommend(row, x[row], N=10, filter_already_liked_items=True, recalculate_user=recalculate)
            took.append(time.thread_time() - c)
        single.append(float(np.median(took)) * 1e6)
    c = cpu()
    for lo in range(0, x.shape[0], 4096):
        part = np.arange(lo, min(lo + 4096, x.shape[0]))
        model.recommend(part, x[part], N=100, filter_already_liked_items=True)
    return dict(single_us=single[0], single_fold_in_us=single[1], batch_per_cpu_s=x.shape[0] / (cpu() - c))


x = Data(sys.argv[1]).matrix()
with tempfile.TemporaryDirectory() as folder: result = in_turns(x, folder)
if "--lists" in sys.argv: result.update(lists(x, theirs(x, "steps", MANY)[1]))
print(json.dumps(result))
