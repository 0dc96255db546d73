"""The engine beside its peers; see run. Prints markdown. Every step is a process of its own with a bound on its time."""
import csv, gzip, json, os, re, shutil, subprocess, sys, tempfile, time

BINARY = os.environ["TASTEMAKER_BINARY"]
DATA = os.environ["BENCH_DATA"]
ONLY = [word for word in os.environ.get("BENCH_ONLY", "").split(",") if word]
RECIPE = os.environ.get("BENCH_RECIPE", "aws-user-personalization-v2")
LIMIT = int(os.environ.get("BENCH_LIMIT", "1700"))
HERE = os.path.dirname(os.path.abspath(__file__))
BEGAN = time.time()
WARM = ["als", "bpr", "cosine", "bm25", "ease"]
# Shares of the events before the cuts of a pooled temporal split: at any one moment few users of a small set have events on both sides.
CUTS = [0.9, 0.5, 0.6, 0.7, 0.8]
# folder, split, has a clock, peers, figures
PARTS = [
    ("ml-latest-small", "leave-last-out", True, WARM, ["ndcg@10", "recall@20", "ndcg@20"]),
    ("ml-latest-small", "temporal at cuts", True, WARM, ["ndcg@10", "recall@20", "ndcg@20"]),
    ("gowalla", "temporal=1100000000", False, WARM, ["ndcg@10", "recall@20", "ndcg@20"]),
    ("anime", "cold-item", False, ["content", "ridge"], ["ndcg@10", "ndcg@25", "recall@25"]),
]


def call(*command, limit=600):
    """Output and errors of a process, or None and why not."""
    left = LIMIT - (time.time() - BEGAN)
    if left < 10: return None, "no time left"
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=min(limit, left), cwd=HERE)
    except subprocess.TimeoutExpired:
        return None, f"over {min(limit, left):.0f} s"
    if done.returncode: return None, (done.stderr.strip().splitlines() or ["failed"])[-1]
    return done.stdout, done.stderr


def outside(*command, limit=900):
    """A process seen from outside: its errors, seconds, CPU-s and the most memory that was resident, in MB. The memory is looked up
    fifty times a second, since a process can set its own highest mark back. None and why not."""
    limit = min(limit, LIMIT - (time.time() - BEGAN))
    began, peak = time.time(), 0
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors, cwd=HERE)
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid: break
            if time.time() - began > limit:
                process.kill()
                process.wait()
                return None, f"over {limit:.0f} s"
            with open(f"/proc/{process.pid}/statm") as statm: peak = max(peak, int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20)
            time.sleep(0.02)
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        text = errors.read()
    if process.returncode: return None, (text.strip().splitlines() or ["failed"])[-1]
    return dict(seconds=time.time() - began, cpu=usage.ru_utime + usage.ru_stime, peak_mb=max(peak, usage.ru_maxrss >> 10)), text


def estimate(values, signed=False):
    form = "{:+.4f} [{:+.4f}, {:+.4f}]" if signed else "{:.4f} [{:.4f}, {:.4f}]"
    return form.format(*values)


def ours(folder, cold):
    out, err = call(BINARY, "rank", "--train", f"{folder}/train", "--queries", f"{folder}/queries.jsonl", "--recipe", RECIPE, "--seen", "drop",
                    "--out", f"{folder}/ours.jsonl", *(["--candidates", f"{folder}/candidates.txt"] if cold else []))
    if out is None: return None, err
    number = lambda pattern: float(re.search(pattern, err).group(1))
    return dict(fit=number(r"fit +([\d.]+) s"), fit_cpu=number(r"fit.*CPU ([\d.]+)"), per_cpu=number(r"(\d+) lists per"),
                peak_mb=max(int(n) for n in re.findall(r"peak (\d+)", err))), err


def size(folder):
    """Queries and the users that they are of."""
    groups = [json.loads(line)["group"] for line in open(f"{folder}/truth.jsonl")]
    return f"{len(groups)} queries of {len(set(groups))} users"


def asked(name, split, clock, peers, folder, settings):
    """Everybody's lists for the queries of one split, in its folder: what each cost, and why one is not there. None where ours failed.
    Peers are tuned where `settings` does not hold theirs, and leave them there."""
    out, err = call(BINARY, "evaluate", "--data", f"{DATA}/{name}", "--recipe", "aws-popularity-count", "--split", split, "--write", folder, "--json")
    if out is None: return print(f"The split failed: {err}")
    for note in json.loads(out)["notes"][1:3]: print(note)
    cold = os.path.exists(f"{folder}/candidates.txt")
    costs, words = {}, {}
    costs["tastemaker"], err = ours(folder, cold)
    if costs["tastemaker"] is None: return print(f"tastemaker rank failed: {err}")
    if not cold: os.rename(f"{folder}/lists-1.jsonl", f"{folder}/popularity.jsonl")
    for peer in peers:
        more = ["--items", f"{DATA}/{name}/items.csv.gz", "--candidates", f"{folder}/candidates.txt"] if cold else []
        if peer in settings: more += ["--params", json.dumps(settings[peer])]
        out, err = call(sys.executable, f"{HERE}/peer.py", peer, f"{folder}/train", f"{folder}/queries.jsonl", f"{folder}/{peer}.jsonl",
                        *more, *(["--clock"] if clock else []), limit=min(400, LIMIT))
        report = json.loads(out.strip().splitlines()[-1]) if out else dict(skipped=err)
        if "skipped" in report:
            words[peer] = report["skipped"]
            continue
        settings[peer] = report["params"]
        costs[peer] = dict(report, per_cpu=sum(1 for _ in open(f"{folder}/queries.jsonl")) / max(report["rank_cpu"], 1e-9))
    return costs, words


def compared(folder, figures, costs, words):
    """The table of all lists that are in the folder, ours first."""
    models = ["tastemaker"] + [m for m in ["popularity", *costs] if m != "tastemaker" and os.path.exists(f"{folder}/{m}.jsonl")]
    lists = [f"{m}={folder}/{'ours' if m == 'tastemaker' else m}.jsonl" for m in models]
    out, err = call(BINARY, "compare", "--train", f"{folder}/train", "--truth", f"{folder}/truth.jsonl", "--json", *lists)
    if out is None: return print(f"The comparison failed: {err}")
    print(f"\n{size(folder)}; intervals draw users.\n\n| model | {' | '.join(figures)} | {figures[0]} less ours | fit s (CPU) | lists per CPU-s | peak MB | setting |")
    print("| --- " * (len(figures) + 6) + "|")
    for recipe in json.loads(out)["recipes"]:
        label = recipe["name"]
        cost = costs.get(label, {})
        less = estimate(recipe["less_first"][figures[0]], True) if "less_first" in recipe else ""
        took = f"{cost['fit']:.1f} ({cost['fit_cpu']:.1f})" if cost else ""
        print(f"| {label} | {' | '.join(estimate(recipe['metrics'][f]) for f in figures)} | {less} | {took} | {cost.get('per_cpu', 0):.0f} | "
              f"{cost.get('peak_mb', '')} | {json.dumps(cost['params']) if 'params' in cost else 'default'} |")
    for peer, why in words.items(): print(f"\n{peer} is not there: {why}.")
    sys.stdout.flush()


def quality(name, split, clock, peers, figures, scratch):
    folder = f"{scratch}/{name}-{split.split('=')[0]}"
    print(f"\n### {name}, {split}\n", flush=True)
    done = asked(name, split, clock, peers, folder, {})
    if done: compared(folder, figures, *done)
    return folder if done else None


def moments(name):
    """The moment at every share of the events."""
    path = next(p for p in (f"{DATA}/{name}/interactions.csv", f"{DATA}/{name}/interactions.csv.gz") if os.path.exists(p))
    with (gzip.open if path.endswith("gz") else open)(path, "rt") as file: times = sorted(int(float(row["TIMESTAMP"])) for row in csv.DictReader(file))
    return {share: times[int(len(times) * share)] for share in CUTS}


def pooled(name, clock, peers, figures, scratch):
    """The temporal split at several moments, all queries judged together. A user who is a query at several cuts is drawn as one by the
    bootstrap. Peers are tuned at the first cut, which leaves most to learn from."""
    whole = f"{scratch}/{name}-pooled"
    print(f"\n### {name}, temporal, cut at {', '.join(f'{share:.0%}' for share in sorted(CUTS))} of the events\n", flush=True)
    settings, costs, words, folders = {}, {}, {}, []
    for share, moment in moments(name).items():
        folder = f"{scratch}/{name}-{moment}"
        done = asked(name, f"temporal={moment}", clock, peers, folder, settings)
        if not done: return
        for model, cost in done[0].items(): costs.setdefault(model, cost)
        words.update(done[1])
        folders.append(folder)
        print(f"At {share:.0%}: {size(folder)}.\n", flush=True)
    os.makedirs(whole)
    # What is counted by the training part (novelty, coverage) is not printed; any of them does.
    os.symlink(f"{folders[0]}/train", f"{whole}/train")
    for file in ["truth", "ours", "popularity", *(p for p in peers if p not in words)]:
        with open(f"{whole}/{file}.jsonl", "w") as out:
            for place, folder in enumerate(folders):
                for line in map(json.loads, open(f"{folder}/{file}.jsonl")): out.write(json.dumps(dict(line, q=f"{place}-{line['q']}")) + "\n")
    compared(whole, figures, costs, words)


def rounds(title, folder, *more):
    """Rounds of ALS, ours and implicit's in turns; what speed.py says, None where it failed."""
    print(f"\n### Speed on {title}\n", flush=True)
    out, why = call(sys.executable, f"{HERE}/speed.py", f"{folder}/train", *more, limit=1200)
    if out is None: return print(f"Not measured: {why}")
    result = json.loads(out.strip().splitlines()[-1])
    print(f"ALS rounds, 64 factors, {result['pairs']} pairs of {result['users']} users and {result['items']} items, load {os.getloadavg()[0]:.0f}\n")
    print("| solver | tastemaker, CPU-s: least, median | implicit | ratio: median (least to most) |\n| --- | --- | --- | --- |")
    for name, label in (("steps", "conjugate gradients (goal 0.6)"), ("exact", "every row exactly (goal 0.25)")):
        one = result[name]
        print("| {} | {:.4f}, {:.4f} | {:.4f}, {:.4f} | {:.3f} ({:.3f} to {:.3f}) |".format(label, *one["ours"], *one["implicit"], *one["ratios"]))
    print(f"\nThe objective after six rounds with conjugate gradients is {result['objective']:+.4%} off that of exact ones (goal at most +0.1 %).", flush=True)
    return result


def speed(title, folder):
    """Of training rounds, of one user's list, and of the way from CSV to lists."""
    peer = rounds(title, folder, "--lists")
    rank = [BINARY, "rank", "--train", f"{folder}/train", "--queries", f"{folder}/queries.jsonl", "--recipe", RECIPE, "--seen", "drop", "--out",
            f"{folder}/speed.jsonl", "--time-single", "1000"]
    out, alone = call(*rank, "--set", "ingredients=factors", "--set", "factors=64", "--set", "iterations=6")
    done, whole = call(*rank, limit=900)
    if peer is None or out is None or done is None: return print(f"Lists were not measured: {alone if out is None else whole}")
    single, per_cpu = ([re.search(pattern, text).group(1) for text in (alone, whole)] for pattern in (r"median ([\d.]+)", r"(\d+) lists per"))
    print("\n| what | tastemaker, ALS alone | tastemaker, default | implicit |\n| --- | --- | --- | --- |")
    print(f"| one user's top 10, µs of CPU | {single[0]} | {single[1]} | {peer['single_us']:.0f}, {peer['single_fold_in_us']:.0f} with fold-in |")
    print(f"| all users' top 100, lists per CPU-s | {per_cpu[0]} | {per_cpu[1]} | {peer['batch_per_cpu_s']:.0f} |")
    sys.stdout.flush()
    whole_way(folder)


def whole_way(folder):
    """From the CSV file to everybody's 100 items, by processes seen from outside: ours with all files of the folder and with the
    interactions alone, which are all that the peer reads."""
    alone = f"{folder}/alone"
    os.makedirs(alone, exist_ok=True)
    for name in os.listdir(f"{folder}/train"):
        if name.startswith("interactions") and not os.path.exists(f"{alone}/{name}"): os.symlink(f"{folder}/train/{name}", f"{alone}/{name}")
    lists = ["--queries", f"{folder}/queries.jsonl", "--top", "100", "--out", f"{folder}/whole.jsonl"]
    ways = [
        ("tastemaker, default", [BINARY, "rank", "--train", alone, "--recipe", RECIPE, *lists]),
        ("tastemaker, default, with metadata", [BINARY, "rank", "--train", f"{folder}/train", "--recipe", RECIPE, *lists]),
        ("implicit ALS, 64 factors, 15 rounds, pandas", [
            sys.executable, f"{HERE}/peer.py", "als", alone, f"{folder}/queries.jsonl", f"{folder}/whole-als.jsonl", "--params",
            json.dumps(dict(factors=64, regularization=0.05, alpha=1))]),
    ]
    if len(os.listdir(f"{folder}/train")) == len(os.listdir(alone)): del ways[1]
    print("\n| CSV to top-100 lists | s | CPU-s | peak MB |\n| --- | --- | --- | --- |")
    for name, command in ways:
        took, why = outside(*command)
        print(f"| {name} | " + (f"{took['seconds']:.1f} | {took['cpu']:.1f} | {took['peak_mb']} |" if took else f"{why} | | |"), flush=True)


def synthetic(events, scratch, measure):
    folder = f"{scratch}/synthetic-{events}"
    # A million events of few users and items have about as many pairs to a row as ten million of many.
    users, items = (6040, 3700) if events < 2_000_000 else (100_000, 20_000)
    done = call(sys.executable, f"{DATA}/synthetic/make_synthetic.py", f"{folder}/train", "--users", str(users), "--items", str(items), "--events", str(events))
    if done[0] is None: return print(f"The synthetic set failed: {done[1]}")
    with open(f"{folder}/queries.jsonl", "w") as out:
        for user in range(users): out.write(json.dumps(dict(q=user, user=f"u{user}")) + "\n")
    measure(f"{done[0].strip()} (synthetic)", folder)
    shutil.rmtree(folder, ignore_errors=True)


def main():
    scratch = tempfile.mkdtemp(prefix="bench-engine-")
    load = os.getloadavg()[0]
    print(f"Recipe {RECIPE}; {os.cpu_count()} cores, load {load:.1f} at the start; peers tuned over four settings each on a hold-out of the training part.")
    try:
        if "speed" in ONLY:
            split = f"{scratch}/gowalla"
            out, why = call(BINARY, "evaluate", "--data", f"{DATA}/gowalla", "--recipe", "aws-popularity-count", "--split", PARTS[2][1], "--write", split, "--json")
            if out is None: print(f"The split failed: {why}")
            else: rounds("gowalla", split)
        for name, split, clock, peers, figures in PARTS:
            if ONLY and not any(name.startswith(word) for word in ONLY): continue
            if split == "temporal at cuts":
                pooled(name, clock, peers, figures, scratch)
                continue
            folder = quality(name, split, clock, peers, figures, scratch)
            if folder and name == "gowalla": speed("gowalla", folder)
        for events in os.environ.get("BENCH_EVENTS", "1000000,10500000" if "speed" in ONLY else "").split(","):
            if events: synthetic(int(events), scratch, rounds if "speed" in ONLY else speed)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print(f"\nIn {time.time() - BEGAN:.0f} s, load {os.getloadavg()[0]:.1f} at the end.")


if __name__ == "__main__":
    main()
