"""One peer: tunes itself on a hold-out of the training part, fits on all of it, answers the queries. Prints what it took as JSON.

peer.py NAME TRAIN QUERIES OUT [--items FILE] [--candidates FILE] [--clock] [--params JSON]
Every peer gets a grid of four settings, judged by NDCG@10 over at most 3,000 users; --params skips the tuning."""
import argparse, gzip, itertools, json, os, re, resource, sys, time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1" if sys.argv[1] != "ease" else "2")
import numpy as np
import pandas as pd
import scipy.sparse as sp

GRIDS = {
    "als": [dict(factors=f, regularization=r, alpha=a) for f, r, a in [(64, 0.05, 1), (64, 0.05, 10), (128, 0.05, 1), (128, 5.0, 10)]],
    "bpr": [dict(factors=f, regularization=r, iterations=i) for f, r, i in [(64, 0.01, 100), (64, 0.002, 200), (128, 0.01, 100), (128, 0.01, 300)]],
    "cosine": [dict(K=k) for k in (20, 50, 100, 300)],
    "bm25": [dict(K=k, K1=k1, B=b) for k, k1, b in [(50, 1.2, 0.2), (100, 1.2, 0.75), (100, 100, 0.5), (300, 1.2, 0.2)]],
    "ease": [dict(weight=w) for w in (100, 300, 1000, 3000)],
    "content": [dict(power=p) for p in (0.5, 1.0, 1.5, 2.0)],
    "ridge": [dict(weight=w) for w in (0.3, 1.0, 3.0, 10.0)],
}
EASE_LIMIT = 12_000


class Data:
    def __init__(self, folder):
        self.frame = pd.read_csv(next(p for p in (f"{folder}/interactions.csv", f"{folder}/interactions.csv.gz") if os.path.exists(p)),
                                 usecols=["USER_ID", "ITEM_ID", "TIMESTAMP"], dtype={"USER_ID": str, "ITEM_ID": str})
        self.u, self.users = pd.factorize(self.frame.USER_ID)
        self.i, self.items = pd.factorize(self.frame.ITEM_ID)
        self.row = {u: n for n, u in enumerate(self.users)}
        self.column = {i: n for n, i in enumerate(self.items)}

    def matrix(self, keep=slice(None)):
        m = sp.csr_matrix((np.ones(len(self.u[keep]), np.float32), (self.u[keep], self.i[keep])), (len(self.users), len(self.items)))
        m.data[:] = 1
        return m

    def holdout(self, clock):
        """With a clock each user's last event, without one a tenth of them by a seed."""
        n = len(self.u)
        if clock:
            order = np.argsort(self.frame.TIMESTAMP.to_numpy(), kind="stable")
            last = {}
            for position in order: last[self.u[position]] = position
            held = np.zeros(n, bool)
            held[list(last.values())] = True
        else:
            held = np.random.default_rng(1).random(n) < 0.1
        return self.matrix(~held), self.matrix(held)


class Implicit:
    def __init__(self, name, params):
        from implicit.als import AlternatingLeastSquares
        from implicit.bpr import BayesianPersonalizedRanking
        from implicit.nearest_neighbours import BM25Recommender, CosineRecommender
        self.alpha = params.pop("alpha", 1)
        made = {"als": AlternatingLeastSquares, "bpr": BayesianPersonalizedRanking, "cosine": CosineRecommender, "bm25": BM25Recommender}[name]
        seed = dict(random_state=1) if name in ("als", "bpr") else {}
        self.model = made(num_threads=2, **seed, **params)

    def fit(self, x):
        self.model.fit(x * self.alpha, show_progress=False)
        return self

    def top(self, x, rows, count):
        out = np.full((len(rows), count), -1, np.int64)
        for lo in range(0, len(rows), 4096):
            part = rows[lo:lo + 4096]
            ids, scores = self.model.recommend(part, x[part], N=min(count, x.shape[1]), filter_already_liked_items=True)
            ids = np.where(scores > -1e30, ids, -1)
            out[lo:lo + len(part), :ids.shape[1]] = ids
        return out


class Ease:
    """Steck 2019: the closed form."""
    def __init__(self, params): self.weight = params["weight"]

    def fit(self, x):
        from scipy.linalg import lapack
        g = (x.T @ x).toarray().astype(np.float32)
        g[np.diag_indices_from(g)] += self.weight
        c, info = lapack.spotrf(g, lower=1, overwrite_a=1)
        p, info = lapack.spotri(c, lower=1, overwrite_c=1)
        p = np.tril(p) + np.tril(p, -1).T
        self.b = p / -np.diag(p)
        self.b[np.diag_indices_from(self.b)] = 0
        return self

    def top(self, x, rows, count):
        out = np.full((len(rows), count), -1, np.int64)
        for lo in range(0, len(rows), 1024):
            part = x[rows[lo:lo + 1024]]
            s = part @ self.b
            s[part.nonzero()] = -np.inf
            out[lo:lo + part.shape[0]] = best(s, count)
        return out


def best(scores, count):
    count = min(count, scores.shape[1])
    top = np.argpartition(-scores, count - 1, axis=1)[:, :count]
    order = np.argsort(-np.take_along_axis(scores, top, 1), axis=1, kind="stable")
    top = np.take_along_axis(top, order, 1)
    return np.where(np.isfinite(np.take_along_axis(scores, top, 1)), top, -1)


def features(path, ids):
    """TF-IDF of the words of all columns, rows in the order of ids."""
    frame = pd.read_csv(path, dtype=str).fillna("").set_index("ITEM_ID")
    text = frame.apply(lambda row: " ".join(f"{c}={t}" for c in frame.columns for t in re.findall(r"\w+", row[c].lower())), axis=1)
    docs = [text.get(i, "").split() for i in ids]
    vocabulary = {}
    rows, columns = [], []
    for n, doc in enumerate(docs):
        for token in doc:
            rows.append(n)
            columns.append(vocabulary.setdefault(token, len(vocabulary)))
    m = sp.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), (len(ids), len(vocabulary)))
    m.data[:] = 1
    df = np.asarray(m.sum(0)).ravel()
    m = m @ sp.diags(np.log(len(ids) / df) * (df > 1))
    norm = np.sqrt(np.asarray(m.multiply(m).sum(1)).ravel())
    return sp.diags(1 / np.maximum(norm, 1e-9)) @ m


def cold(name, params, data, x, known, hidden):
    """Scores users × hidden items from metadata: by the mean similarity to the history, or by a ridge to ALS factors."""
    if name == "content":
        s = (hidden @ known.T).toarray() ** params["power"]
        return x @ s.T
    model = Implicit("als", dict(factors=64, regularization=0.05, alpha=1)).fit(x).model
    f = known.T @ known + params["weight"] * sp.identity(known.shape[1])
    w = sp.linalg.splu(f.tocsc()).solve((known.T @ model.item_factors).astype(np.float64))
    return model.user_factors @ (hidden @ w).T


def ndcg(lists, truth):
    gain = 1 / np.log2(np.arange(2, 12))
    total = []
    for row, items in zip(lists, truth):
        relevant = set(items.tolist())
        total.append(sum(g for g, i in zip(gain, row) if i in relevant) / gain[:len(relevant)].sum())
    return float(np.mean(total))


def build(name, params):
    return Ease(dict(params)) if name == "ease" else Implicit(name, dict(params))


def tune_warm(name, data, clock):
    train, held = data.holdout(clock)
    rows = np.flatnonzero((np.diff(held.indptr) > 0) & (np.diff(train.indptr) > 0))
    rows = np.sort(np.random.default_rng(2).permutation(rows)[:3000])
    truth = [held[r].indices for r in rows]
    return [ndcg(build(name, p).fit(train).top(train, rows, 10), truth) for p in GRIDS[name]]


def tune_cold(name, data, path):
    mask = np.random.default_rng(1).random(len(data.items)) < 0.2
    x = data.matrix()
    known, hidden = x[:, ~mask], x[:, mask]
    f = features(path, data.items)
    rows = np.flatnonzero((np.diff(hidden.indptr) > 0) & (np.diff(known.indptr) > 0))[:3000]
    truth = [hidden[r].indices for r in rows]
    return [ndcg(best(np.asarray(cold(name, p, data, known, f[~mask], f[mask]))[rows], 10), truth) for p in GRIDS[name]]


def cpu():
    return sum(resource.getrusage(resource.RUSAGE_SELF)[:2])


def main():
    ap = argparse.ArgumentParser()
    for a in ("name", "train", "queries", "out"): ap.add_argument(a)
    ap.add_argument("--items")
    ap.add_argument("--candidates")
    ap.add_argument("--clock", action="store_true")
    ap.add_argument("--params")
    a = ap.parse_args()
    began = time.time()
    data = Data(a.train)
    read = time.time() - began
    if a.name == "ease" and len(data.items) > EASE_LIMIT:
        print(json.dumps(dict(skipped=f"{len(data.items)} items: the dense form would need {len(data.items) ** 2 * 8 >> 30} GB and over a minute")))
        return
    began = time.time()
    if a.params: params, validation = json.loads(a.params), None
    else:
        scores = tune_cold(a.name, data, a.items) if a.candidates else tune_warm(a.name, data, a.clock)
        params, validation = GRIDS[a.name][int(np.argmax(scores))], max(scores)
    tuning = time.time() - began
    began, cpu0 = time.time(), cpu()
    x = data.matrix()
    queries = [q for q in map(json.loads, open(a.queries)) if q["user"] in data.row]
    rows = np.array([data.row[q["user"]] for q in queries])
    if a.candidates:
        names = [line.rstrip("\n") for line in open(a.candidates)]
        f = features(a.items, list(data.items) + names)
        s = np.asarray(cold(a.name, params, data, x, f[:len(data.items)], f[len(data.items):]))
        fit, fit_cpu = time.time() - began, cpu() - cpu0
        began, cpu0 = time.time(), cpu()
        top = best(s[rows], 100)
    else:
        names = data.items
        model = build(a.name, params).fit(x)
        fit, fit_cpu = time.time() - began, cpu() - cpu0
        began, cpu0 = time.time(), cpu()
        top = model.top(x, rows, 100)
    rank, rank_cpu = time.time() - began, cpu() - cpu0
    with open(a.out, "w") as out:
        for q, row in zip(queries, top):
            out.write(json.dumps(dict(q=q["q"], items=[str(names[i]) for i in row if i >= 0])) + "\n")
    print(json.dumps(dict(params=params, validation=validation, tuning=tuning, read=read, fit=fit, fit_cpu=fit_cpu, rank=rank, rank_cpu=rank_cpu,
                          peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10)))


if __name__ == "__main__":
    main()
