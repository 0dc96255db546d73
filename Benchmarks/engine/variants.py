"""Seeded data sets from planted processes, each in the style of a published regime. Nothing here is fitted to a model: tastes, successors and
drift are drawn once, and what a model may know is only the events."""
import dataclasses
import numpy as np


@dataclasses.dataclass
class Process:
    """How events come about. Shares are of all events; what is left follows taste."""
    users: int
    items: int
    median: float                # events per user
    spread: float = 0.7          # of the logarithm of the events per user
    least: int = 3
    clusters: int = 40
    tastes: int = 3              # clusters that a user likes
    zipf: float = 0.9            # fall of popularity within a cluster
    narrow: float = 0.15         # width of a user's taste within a cluster, whose items lie on a line of length 1
    sticky: float = 0.0          # the cluster of the event before is kept
    follow: float = 0.0          # one of the last item's successors follows
    repeat: float = 0.0          # an item of the own history follows, newer and frequent ones rather
    drift: float = 0.0           # share of items that come out, rise and fade during the time
    noise: float = 0.08          # any item
    days: int = 365


def draw(process, seed):
    """Users, items and seconds of all events, by user and time; then the cluster of every item and its place there."""
    p, rng = process, np.random.default_rng(seed)
    cluster = np.sort(rng.integers(0, p.clusters, p.items))
    start = np.searchsorted(cluster, np.arange(p.clusters + 1))
    weight = np.empty(p.items)
    for c in range(p.clusters):
        size = start[c + 1] - start[c]
        weight[start[c]:start[c + 1]] = rng.permutation(1.0 / np.arange(1, size + 1) ** p.zipf)
    total = np.concatenate([[0], np.cumsum(weight)])
    place = rng.random(p.items)
    comes = np.where(rng.random(p.items) < p.drift, rng.random(p.items), -1.0)
    successors = np.clip(np.arange(p.items)[:, None] + rng.integers(-25, 26, (p.items, 4)), 0, p.items - 1)
    taste = rng.integers(0, p.clusters, (p.users, p.tastes))
    liked = rng.random((p.users, p.tastes))
    length = np.maximum(p.least, np.round(np.exp(rng.normal(np.log(p.median), p.spread, p.users)))).astype(int)
    length = np.minimum(length, 400)
    begin = rng.random(p.users) * 0.8
    history = np.full((p.users, length.max()), -1)
    moment = np.zeros((p.users, length.max()))
    current = rng.integers(0, p.tastes, p.users)
    for step in range(length.max()):
        active = np.flatnonzero(length > step)
        n = len(active)
        now = begin[active] + (1 - begin[active]) * (step + rng.random(n)) / length[active]
        kept = rng.random(n) < p.sticky
        current[active] = np.where(kept, current[active], np.minimum(rng.geometric(0.5, n) - 1, p.tastes - 1))
        c = taste[active, current[active]]
        center = liked[active, current[active]]
        chosen, best = np.zeros(n, int), np.full(n, -1.0)
        for _ in range(6):
            item = np.searchsorted(total, total[start[c]] + rng.random(n) * (total[start[c + 1]] - total[start[c]]), side="right") - 1
            item = np.clip(item, 0, p.items - 1)
            age = now - comes[item]
            alive = np.where(comes[item] < 0, 1.0, np.where(age < 0, 0.0, np.exp(-age / 0.15)))
            fit = np.exp(-np.abs(place[item] - center) / p.narrow) * alive * rng.random(n)
            known = (history[active] == item[:, None]).any(1)
            fit = np.where(known, fit * 1e-6, fit)
            chosen, best = np.where(fit > best, item, chosen), np.maximum(fit, best)
        chosen = np.where(rng.random(n) < p.noise, rng.integers(0, p.items, n), chosen)
        if step > 0:
            follows = (rng.random(n) < p.follow)
            next_item = successors[history[active, step - 1], np.minimum(rng.geometric(0.5, n) - 1, 3)]
            follows &= ~(history[active] == next_item[:, None]).any(1)
            chosen = np.where(follows, next_item, chosen)
            back = np.minimum(rng.geometric(0.15, n), step)
            chosen = np.where(rng.random(n) < p.repeat, history[active, step - back], chosen)
        history[active, step] = chosen
        moment[active, step] = now
    inside = np.arange(length.max())[None, :] < length[:, None]
    user = np.broadcast_to(np.arange(p.users)[:, None], history.shape)[inside]
    seconds = 1_600_000_000 + (moment[inside] * p.days * 86400).astype(np.int64)
    name = rng.permutation(p.items)
    traits = np.empty(p.items, int), np.empty(p.items)
    traits[0][name], traits[1][name] = cluster, place
    return user, name[history[inside]], seconds, traits


@dataclasses.dataclass
class Wording:
    """What items say of themselves: a title and a description whose words are of the item's cluster, those near its place rather, of
    another cluster, or of no cluster. Words are as frequent as Zipf has it, and some are of many clusters."""
    words: int = 30000
    cluster_words: int = 120
    shared: float = 0.3          # of a cluster's words, those that any cluster may have
    told: float = 0.25           # of the words of a description; twice that of a title
    strayed: float = 0.1         # are of another cluster
    near: float = 0.2            # width of the words about an item's place
    title: tuple = (3, 8)
    description: tuple = (50, 200)


def texts(wording, clusters, traits, seed):
    """Title and description of every item."""
    w, rng = wording, np.random.default_rng(seed + 2000)
    frequent = np.cumsum(1 / np.arange(1, w.words + 1) ** 1.05)
    frequent /= frequent[-1]
    common = lambda n: np.searchsorted(frequent, rng.random(n))
    # Words of clusters stand on a line as items do; most are rarer than the thousand commonest.
    own = rng.integers(1000, w.words, (clusters, w.cluster_words))
    often = rng.random(own.shape) < w.shared
    own[often] = common(often.sum())
    spot = np.sort(rng.random(own.shape), axis=1)
    result = []
    for cluster, place in zip(*traits):
        chance = np.cumsum(np.exp(-np.abs(spot[cluster] - place) / w.near))
        other = rng.integers(0, clusters)
        parts = []
        for (least, most), told in ((w.title, 2 * w.told), (w.description, w.told)):
            n = rng.integers(least, most + 1)
            kind = rng.random(n)
            about = own[cluster][np.searchsorted(chance, rng.random(n) * chance[-1])]
            stray = own[other][rng.integers(0, w.cluster_words, n)]
            word = np.where(kind < told, about, np.where(kind < told + w.strayed, stray, common(n)))
            parts.append(" ".join(f"w{i}" for i in word))
        result.append(parts)
    return result


@dataclasses.dataclass
class Variant:
    process: Process
    split: str = "last"          # last event of each user; "part": a fifth drawn at random; "session": prefixes of the newest tenth of users;
                                 # "cold": a fifth of the items lose all events and are ranked among themselves
    keeps_seen: bool = False
    clock: str = "seconds"       # "none": one time for all; "days"
    shuffled: bool = False
    wording: Wording | None = None


VARIANTS = {
    "clock": Variant(Process(3000, 2500, 40, follow=0.25, sticky=0.7, drift=0.3)),
    "no-clock": Variant(Process(4000, 3000, 30, spread=0.9), split="part", clock="none"),
    "sessions": Variant(Process(30000, 6000, 4, 0.6, least=2, clusters=150, tastes=1, follow=0.3, sticky=1, repeat=0.12, drift=0.2, narrow=0.08),
                        split="session", keeps_seen=True),
    "short": Variant(Process(60000, 40000, 6, 0.7, least=2, clusters=600, tastes=2, follow=0.15, sticky=0.5, drift=0.2)),
    "short-no-clock": Variant(Process(60000, 40000, 6, 0.7, least=2, clusters=600, tastes=2), split="part", clock="none"),
    "dense": Variant(Process(1500, 1200, 90, 0.8, clusters=15, tastes=4, narrow=0.3), split="part", clock="none"),
    "repeats": Variant(Process(3000, 2000, 40, repeat=0.5, follow=0.1, sticky=0.5), keeps_seen=True),
    "days": Variant(Process(5000, 4000, 15, follow=0.2, sticky=0.6, drift=0.4, days=60), clock="days"),
    "shuffled": Variant(Process(3000, 2500, 40, follow=0.25, sticky=0.7, drift=0.3), shuffled=True),
    "text": Variant(Process(60000, 40000, 6, 0.7, least=2, clusters=300, tastes=2, follow=0.1, sticky=0.5, drift=0.2), wording=Wording()),
    "text-cold": Variant(Process(60000, 40000, 6, 0.7, least=2, clusters=300, tastes=2, follow=0.1, sticky=0.5, drift=0.2), split="cold", wording=Wording()),
}
