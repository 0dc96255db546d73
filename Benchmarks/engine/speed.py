"""implicit's seconds for one ALS round, one user's top 10 and all users' top 100. speed.py TRAIN [--exact]; prints JSON."""
import json, os, sys, time

os.environ["OPENBLAS_NUM_THREADS"] = "1"
import numpy as np
from implicit.als import AlternatingLeastSquares
from peer import Data, cpu

data = Data(sys.argv[1])
x = data.matrix()
result = {}
for name, cg in [("cg", True)] + ([("exact", False)] if "--exact" in sys.argv else []):
    times = []
    for rounds in (2, 6):
        model = AlternatingLeastSquares(factors=64, iterations=rounds, use_cg=cg, num_threads=2, random_state=1)
        t, c = time.time(), cpu()
        model.fit(x, show_progress=False)
        times.append((time.time() - t, cpu() - c))
    result[name] = dict(seconds=(times[1][0] - times[0][0]) / 4, cpu=(times[1][1] - times[0][1]) / 4)
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
result.update(single_us=single[0], single_fold_in_us=single[1], batch_per_cpu_s=x.shape[0] / (cpu() - c))
print(json.dumps(result))
