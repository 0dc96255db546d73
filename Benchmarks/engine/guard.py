"""The untouched default recipe beside each of its ingredients, settings by hand and simple peers, on data from planted processes.

guard.py [VARIANT …] [--seeds N]: prints a table per variant and the share that the default reaches of the best one; fails below the goal.
Peers are written out here in numpy; their best pair is weighed on the test part itself, which no fit could."""
import argparse, itertools, json, os, re, shutil, subprocess, sys, tempfile, time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
import numpy as np
import scipy.sparse as sp
from variants import VARIANTS, draw, texts

BINARY = os.environ.get("TASTEMAKER_BINARY", ".build/release/tastemaker")
RECIPE = "aws-user-personalization-v2"
GOAL = 0.97
QUERIES = 2000
INGREDIENTS = "next-item ease graph spectrum successors next-steps returns neighbors factors popularity".split()
HAND = [("factors=128", ["factors=128"]), ("iterations=20", ["iterations=20"]), ("small ridges", ["next_item_ridge=100", "ease_ridge=40"]),
        ("large ridges", ["next_item_ridge=900", "ease_ridge=400"])]


def parted(variant, seed):
    """Events to learn from, queries of (history, truth), the order of the events in the file, the only items that may be shown (None for
    all) and the items' traits."""
    rng = np.random.default_rng(seed + 1000)
    user, item, seconds, traits = draw(variant.process, seed)
    if variant.clock == "days": seconds = seconds // 86400 * 86400
    bounds = np.searchsorted(user, np.arange(variant.process.users + 1))
    hidden = np.zeros(len(user), bool)
    queries, shown = [], None
    if variant.split == "cold":
        met = np.unique(item)
        shown = np.sort(rng.permutation(met)[:len(met) // 5])
        hidden = np.isin(item, shown)
        for u in range(variant.process.users):
            span = np.arange(bounds[u], bounds[u + 1])
            kept, truth = item[span[~hidden[span]]], np.unique(item[span[hidden[span]]])
            if len(truth) and len(kept): queries.append((u, kept, list(truth)))
    elif variant.split == "session":
        last = seconds[bounds[1:] - 1]
        tested = np.argsort(last)[-variant.process.users // 10:]
        for u in tested:
            hidden[bounds[u]:bounds[u + 1]] = True
            for at in range(bounds[u] + 1, bounds[u + 1]): queries.append((int(u), item[bounds[u]:at], [item[at]]))
    else:
        for u in range(variant.process.users):
            span = np.arange(bounds[u], bounds[u + 1])
            if len(span) < 2: continue
            out = span[-1:] if variant.split == "last" else rng.permutation(span)[:max(1, len(span) // 5)]
            hidden[out] = True
            kept = item[span[~hidden[span]]]
            truth = item[out]
            if not variant.keeps_seen: truth = np.setdiff1d(truth, kept)
            if len(truth) and len(kept): queries.append((u, kept, list(truth)))
    picked = [queries[i] for i in np.sort(rng.permutation(len(queries))[:QUERIES])]
    if variant.clock == "none": seconds = np.full(len(user), 1_600_000_000)
    keep = np.flatnonzero(~hidden)
    order = rng.permutation(len(keep)) if variant.shuffled else np.argsort(seconds[keep], kind="stable")
    return user[keep], item[keep], seconds[keep], picked, order, shown, traits


def write(folder, user, item, seconds, order, queries, explicit, shown, words):
    os.makedirs(f"{folder}/train")
    if words:
        with open(f"{folder}/train/items.csv", "w") as out:
            out.write("ITEM_ID,TITLE,DESCRIPTION\n")
            out.writelines(f"i{n},{title},{description}\n" for n, (title, description) in enumerate(words))
    if shown is not None:
        with open(f"{folder}/candidates.txt", "w") as out: out.writelines(f"i{n}\n" for n in shown)
    with open(f"{folder}/train/interactions.csv", "w") as out:
        out.write("USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE\n")
        out.writelines(f"u{user[i]},i{item[i]},{seconds[i]},view\n" for i in order)
    with open(f"{folder}/queries.jsonl", "w") as out:
        for n, (u, history, _) in enumerate(queries):
            query = dict(q=n, user=f"u{u}")
            if explicit: query["history"] = [f"i{i}" for i in history]
            out.write(json.dumps(query) + "\n")


def ours(folder, count, settings):
    command = [BINARY, "rank", "--train", f"{folder}/train", "--queries", f"{folder}/queries.jsonl", "--recipe", RECIPE, "--out", f"{folder}/out.jsonl"]
    if os.path.exists(f"{folder}/candidates.txt"): command += ["--candidates", f"{folder}/candidates.txt"]
    for setting in settings: command += ["--set", setting]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode: return None, (done.stderr.strip().splitlines() or ["failed"])[-1]
    lists = [[int(name[1:]) for name in json.loads(line)["items"]] for line in open(f"{folder}/out.jsonl")]
    os.remove(f"{folder}/out.jsonl")
    return lists, float(re.search(r"fit.*CPU ([\d.]+)", done.stderr).group(1))


def ndcg(lists, queries, keeps_seen, depth=20):
    gain = 1 / np.log2(np.arange(2, depth + 2))
    sums = []
    for listed, (_, history, truth) in zip(lists, queries):
        seen = set() if keeps_seen else set(history)
        relevant = set(truth)
        shown = [i for i in listed if i not in seen][:depth]
        sums.append(sum(g for g, i in zip(gain, shown) if i in relevant) / gain[:min(depth, len(relevant))].sum())
    return float(np.mean(sums))


class Peers:
    """Scores of the queries, dense, by rules that everybody knows."""
    def __init__(self, variant, user, item, seconds, queries, shown, words):
        self.items, users = variant.process.items, variant.process.users
        self.x = sp.csr_matrix((np.ones(len(user), np.float32), (user, item)), (users, self.items))
        self.counts = np.asarray(self.x.sum(0)).ravel()
        self.x.data[:] = 1
        self.user, self.item, self.seconds, self.queries = user, item, seconds, queries
        self.has_clock = variant.clock != "none"
        self.keeps_seen = variant.keeps_seen
        self.shown, self.words = shown, words

    def history(self, span=None):
        """Queries x items: newest item 1, then exp(-age / span)."""
        rows, columns, values = [], [], []
        for n, (_, history, _) in enumerate(self.queries):
            seen = set()
            for item in history[::-1]:
                if item in seen: continue
                rows.append(n); columns.append(item); values.append(1 if span is None else np.exp(-len(seen) / span))
                seen.add(item)
        return sp.csr_matrix((np.array(values, np.float32), (rows, columns)), (len(self.queries), self.items))

    def popularity(self): return np.broadcast_to(self.counts, (len(self.queries), self.items))

    def recent_popularity(self):
        cut = np.quantile(self.seconds, 0.95)
        return np.broadcast_to(np.bincount(self.item[self.seconds >= cut], minlength=self.items) + self.counts * 1e-3, (len(self.queries), self.items))

    def cosine(self, span=None):
        norm = sp.diags(1 / np.sqrt(np.maximum(np.asarray(self.x.sum(0)).ravel(), 1)))
        w = norm @ (self.x.T @ self.x) @ norm
        w.setdiag(0)
        return (self.history(span) @ w).toarray()

    def pairs(self, window, power):
        """Counts of what follows what, by 1 / distance ^ power."""
        total = sp.csr_matrix((self.items, self.items), dtype=np.float32)
        for distance in range(1, window + 1):
            same = self.user[distance:] == self.user[:-distance]
            a, b = self.item[:-distance][same], self.item[distance:][same]
            total = total + sp.csr_matrix((np.full(len(a), distance ** -power, np.float32), (a, b)), (self.items, self.items))
        return sp.diags(1 / (np.asarray(total.sum(1)).ravel() + 5)) @ total

    def markov(self): return (self.history(0.4) @ self.pairs(1, 1)).toarray()
    def rules(self): return (self.history(2) @ self.pairs(10, 1)).toarray()
    def covisits(self):
        w = self.pairs(10, 0.7)
        return (self.history(2) @ (w + 0.5 * w.T)).toarray()

    def neighbors(self):
        """Users whose events overlap with the newest ones of the history (vector multiplication session kNN)."""
        history = self.history(2.5)
        rare = sp.diags(np.log(self.x.shape[0] / np.maximum(1, np.asarray(self.x.sum(0)).ravel())))
        size = sp.diags(1 / np.sqrt(np.maximum(1, np.asarray(self.x.sum(1)).ravel())))
        out = np.zeros((len(self.queries), self.items), np.float32)
        for lo in range(0, len(self.queries), 500):
            alike = (history[lo:lo + 500] @ rare @ self.x.T @ size).tolil()
            rows, data = alike.rows, alike.data
            r, c, v = [], [], []
            for n, (who, how) in enumerate(zip(rows, data)):
                best = np.argsort(how)[-200:]
                r += [n] * len(best); c += [who[i] for i in best]; v += [how[i] for i in best]
            out[lo:lo + 500] = (sp.csr_matrix((v, (r, c)), (alike.shape[0], self.x.shape[0])) @ self.x).toarray()
        return out

    def ease(self, ridge=100, span=None):
        g = (self.x.T @ self.x).toarray().astype(np.float64)
        g[np.diag_indices_from(g)] += ridge
        p = np.linalg.inv(g)
        w = p / -np.diag(p)
        w[np.diag_indices_from(w)] = 0
        return self.history(span) @ w.astype(np.float32)

    def next_item(self, ridge=50):
        """Choi et al. 2021: ridge from the last 20 items, decayed, to the next three."""
        rows, columns, values, trows, tcolumns, tvalues = [], [], [], [], [], []
        n, bounds = 0, np.searchsorted(self.user, np.unique(self.user))
        for lo, hi in zip(bounds, np.append(bounds[1:], len(self.user))):
            events = self.item[lo:hi]
            for at in range(1, len(events)):
                past = events[max(0, at - 20):at][::-1]
                rows += [n] * len(past); columns += past.tolist(); values += np.exp(-np.arange(len(past)) / 5).tolist()
                ahead = events[at:at + 3]
                trows += [n] * len(ahead); tcolumns += ahead.tolist(); tvalues += np.exp(-np.arange(len(ahead)) / 1.5).tolist()
                n += 1
        s, t = (sp.csr_matrix((np.array(v, np.float32), (r, c)), (n, self.items)) for v, r, c in ((values, rows, columns), (tvalues, trows, tcolumns)))
        g = (s.T @ s).toarray().astype(np.float64)
        g[np.diag_indices_from(g)] += ridge
        w = np.linalg.solve(g, (s.T @ t).toarray()) / np.maximum(1, self.counts) ** 0.2
        return self.history(5) @ w.astype(np.float32)

    def habit(self):
        rows, columns, values = [], [], []
        for n, (_, history, _) in enumerate(self.queries):
            for age, item in enumerate(history[::-1]):
                rows.append(n); columns.append(item); values.append(np.exp(-age / 8) + 0.05)
        return sp.csr_matrix((values, (rows, columns)), (len(self.queries), self.items)).toarray()

    def als(self, factors, alpha):
        from implicit.als import AlternatingLeastSquares
        model = AlternatingLeastSquares(factors=factors, regularization=0.05, iterations=12, num_threads=2, random_state=1)
        model.fit(self.x * alpha, show_progress=False)
        return np.asarray(model.recalculate_user(np.arange(len(self.queries)), self.history() * alpha)) @ np.asarray(model.item_factors).T

    def text_cosine(self, span=None):
        """Mean cosine of an item's words to those of the history, rare words weighing more."""
        place, rows, columns = {}, [], []
        for n, parts in enumerate(self.words):
            own = [place.setdefault(word, len(place)) for word in set(" ".join(parts).split())]
            rows += [n] * len(own)
            columns += own
        x = sp.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), (self.items, len(place)))
        x = x @ sp.diags(np.log(self.items / np.maximum(1, np.asarray(x.sum(0)).ravel())).astype(np.float32))
        x = sp.diags(1 / np.maximum(np.sqrt(np.asarray(x.multiply(x).sum(1)).ravel()), 1e-9)) @ x
        wanted = np.arange(self.items) if self.shown is None else self.shown
        scores = np.zeros((len(self.queries), self.items), np.float32)
        scores[:, wanted] = (self.history(span) @ x @ x[wanted].T).toarray()
        return scores

    def all(self):
        if self.words:
            yield "cosine of words", self.text_cosine
            if self.has_clock: yield "cosine of words, recent", lambda: self.text_cosine(3)
        if self.shown is not None: return
        yield "popularity", self.popularity
        yield "cosine", self.cosine
        yield "neighbors", self.neighbors
        if self.items <= 6000:
            yield "EASE 30", lambda: self.ease(30)
            yield "EASE 150", lambda: self.ease(150)
            if self.has_clock:
                yield "EASE 100 recent", lambda: self.ease(100, 5)
                yield "next-item 50", lambda: self.next_item(50)
        if self.has_clock:
            yield "recent popularity", self.recent_popularity
            yield "cosine recent", lambda: self.cosine(3)
            yield "markov", self.markov
            yield "rules", self.rules
            yield "covisits", self.covisits
        if self.keeps_seen: yield "habit", self.habit
        for factors, alpha in ((64, 1), (64, 10)): yield f"ALS {factors} {alpha}", lambda f=factors, a=alpha: self.als(f, a)


def top(scores, queries, keeps_seen, depth=100, shown=None):
    """Best items of every query, and the scores without what is seen or may not be shown."""
    scores = np.array(scores, np.float32)
    if shown is not None:
        kept = scores[:, shown]
        scores[:] = -np.inf
        scores[:, shown] = kept
    if not keeps_seen:
        for n, (_, history, _) in enumerate(queries): scores[n, history] = -np.inf
    best = np.argpartition(-scores, depth, axis=1)[:, :depth]
    values = np.take_along_axis(scores, best, 1)
    order = np.argsort(-values, axis=1, kind="stable")
    return np.take_along_axis(best, order, 1), scores


def fused(scores, names, queries, keeps_seen):
    """The best weighted pair of peers, weighed on the test part."""
    def scaled(name):
        s = np.where(np.isfinite(scores[name]), scores[name], 0)
        return s / np.maximum(np.sqrt((s ** 2).mean(1, keepdims=True)), 1e-12)
    best, label = 0, ""
    for a, b in itertools.permutations(names, 2):
        for weight in (0.15, 0.4, 1.0):
            if weight == 1.0 and a > b: continue
            value = ndcg(top(scaled(a) + weight * scaled(b), queries, keeps_seen)[0], queries, keeps_seen)
            if value > best: best, label = value, f"{a} + {weight} {b}"
    return best, label


def judge(name, seed, scratch):
    variant = VARIANTS[name]
    user, item, seconds, queries, order, shown, traits = parted(variant, seed)
    words = texts(variant.wording, variant.process.clusters, traits, seed) if variant.wording else None
    folder = f"{scratch}/{name}-{seed}"
    write(folder, user, item, seconds, order, queries, variant.split == "session", shown, words)
    print(f"\n### {name}, seed {seed}: {len(user)} events, {len(np.unique(user))} users, {len(np.unique(item))} items, {len(queries)} queries\n", flush=True)
    print("| model | NDCG@20 | CPU-s |\n| --- | --- | --- |")
    results = {}
    def note(label, value, cpu=""):
        results[label] = value
        print(f"| {label} | {value:.4f} | {cpu} |", flush=True)
    others = [(f"only {i}", [f"ingredients={i}"]) for i in INGREDIENTS] + [(f"hand: {l}", s) for l, s in HAND]
    for label, settings in [("default", [])] + (others if shown is None else []):
        lists, cpu = ours(folder, len(queries), settings)
        if lists is None: print(f"| {label} | {cpu} | |")
        else: note(label, ndcg(lists, queries, variant.keeps_seen), cpu)
    peers, scores = Peers(variant, user, item, seconds, queries, shown, words), {}
    small = len(queries) * variant.process.items < 3e7 and shown is None
    for label, make in peers.all():
        best, dense = top(make(), queries, variant.keeps_seen, shown=shown)
        note(f"peer: {label}", ndcg(best, queries, variant.keeps_seen))
        if small: scores[label] = dense
    if small:
        names = sorted(scores, key=lambda n: -results[f"peer: {n}"])[:4]
        value, label = fused(scores, names, queries, variant.keeps_seen)
        note(f"peers, weighed on the test part: {label}", value)
    shutil.rmtree(folder)
    best = max(results, key=results.get)
    print(f"\n{name}: default {results['default']:.4f}, {results['default'] / results[best]:.3f} of the best ({best}).", flush=True)
    return results["default"] / results[best]


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("variants", nargs="*")
    ap.add_argument("--seeds", type=int, default=1)
    a = ap.parse_args()
    scratch = tempfile.mkdtemp(prefix="guard-engine-")
    began = time.time()
    try:
        shares = {(n, s): judge(n, s, scratch) for n in (a.variants or VARIANTS) for s in range(1, a.seeds + 1)}
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print(f"\n| variant | seed | default / best |\n| --- | --- | --- |")
    for (name, seed), share in shares.items(): print(f"| {name} | {seed} | {share:.3f} |")
    print(f"\nIn {time.time() - began:.0f} s.")
    sys.exit(min(shares.values()) < GOAL)


if __name__ == "__main__":
    main()
