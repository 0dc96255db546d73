"""Writes linear-cases.json: closed forms in double precision with numpy, to check the engine's fits against.

Run: python3 make_linear_cases.py > linear-cases.json
"""
import json
import numpy as np

rng = np.random.default_rng(20)
users, items = 12, 7
sequences = [[int(item) for item in rng.permutation(items)[: int(rng.integers(2, items + 1))]] for _ in range(users)]
# One user comes back to an item.
sequences[0] = [2, 4, 2, 5, 4, 1]

counts = np.zeros(items)
X = np.zeros((users, items))
for user, sequence in enumerate(sequences):
    for item in set(sequence):
        X[user, item] = 1 + np.log(sequence.count(item))
        counts[item] += 1

# Steck 2019, equation 8.
ridge = 3.0
P = np.linalg.inv(X.T @ X + ridge * np.eye(items))
ease = np.eye(items) - P / np.diag(P)[None, :]
np.fill_diagonal(ease, 0)

# Choi et al. 2021: last W distinct items of every prefix to the next three events.
window, span, target_span, exponent = 4, 2.0, 1.5, 0.2
sources, targets = [], []
for sequence in sequences:
    for at in range(1, len(sequence)):
        past = []
        for item in sequence[:at]:
            if item in past:
                past.remove(item)
            past.append(item)
        past = past[-window:]
        x, y = np.zeros(items), np.zeros(items)
        for age, item in enumerate(reversed(past)):
            x[item] = np.exp(-age / span)
        for step, item in enumerate(sequence[at : at + 3]):
            y[item] += np.exp(-step / target_span)
        sources.append(x)
        targets.append(y)
A, B = np.array(sources), np.array(targets)
next_item = np.linalg.solve(A.T @ A + ridge * np.eye(items), A.T @ B) * (counts / counts.mean()) ** -exponent

# Shen et al. 2021: normalized item graph and its two strongest singular vectors.
R = (X > 0).astype(float)
normalized = R / np.sqrt(R.sum(1))[:, None] / np.sqrt(R.sum(0))[None, :]
graph = normalized.T @ normalized
V = np.linalg.svd(normalized, full_matrices=False)[2][:2].T

print(json.dumps({
    "origin": "numpy %s, make_linear_cases.py" % np.__version__, "items": items, "sequences": sequences, "ridge": ridge,
    "window": window, "span": span, "targetSpan": target_span, "popularityExponent": exponent,
    "ease": ease.round(9).tolist(), "nextItem": next_item.round(9).tolist(), "graph": graph.round(9).tolist(),
    "projection": (V @ V.T).round(9).tolist(),
}, indent=1))
