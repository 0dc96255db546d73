"""Writes package-cases.json: what implicit says of small data, to check the engine's neighbors and fold-in against.

Run: python3 -m venv /tmp/cases && /tmp/cases/bin/pip install implicit==0.7.3
     OPENBLAS_NUM_THREADS=1 /tmp/cases/bin/python make_package_cases.py > package-cases.json
"""
import json

import implicit
import numpy as np
from implicit.als import AlternatingLeastSquares
from implicit.nearest_neighbours import CosineRecommender
from scipy.sparse import csr_matrix

rng = np.random.default_rng(4)
users, items, dimensions = 24, 11, 16
histories = [sorted(int(item) for item in rng.choice(items, size=int(rng.integers(1, 7)), replace=False)) for _ in range(users)]
seen = np.zeros((users, items))
for user, history in enumerate(histories):
    seen[user, history] = 1

cosine = CosineRecommender(K=items, num_threads=1)
cosine.fit(csr_matrix(seen), show_progress=False)
similarity = cosine.similarity.toarray()

# implicit minimizes sum_j c_j (p_j - x.y_j)^2 + l |x|^2 with c = 1 for pairs that were not observed; the engine
# w sum_i (1 - x.y_i)^2 + a sum_j (x.y_j)^2 + L |x|^2. With c = 1 + w / a and l = L / a both have the same matrix, and the
# engine's solution is implicit's times w / (w + a).
weight, unobserved, regularization = 1.0, 0.25, 0.5
factors = rng.normal(size=(items, dimensions)).astype(np.float32)
als = AlternatingLeastSquares(factors=dimensions, regularization=regularization / unobserved, alpha=1.0, num_threads=1,
                              use_cg=False, use_native=False, random_state=0)
als.item_factors = factors
als.user_factors = np.zeros((users, dimensions), dtype=np.float32)
confidence = csr_matrix((seen * (1 + weight / unobserved)).astype(np.float32))
folded = np.stack([als.recalculate_user(user, confidence[user]) for user in range(users)]).reshape(users, dimensions)

print(json.dumps({
    "origin": f"implicit {implicit.__version__}, make_package_cases.py", "items": items, "histories": histories,
    "cosine": similarity.round(7).tolist(), "weight": weight, "unobservedWeight": unobserved, "regularization": regularization,
    "factors": np.asarray(factors, dtype=float).round(7).tolist(),
    "folded": (np.asarray(folded, dtype=float) * weight / (weight + unobserved)).round(7).tolist(),
}, separators=(",", ":")))
