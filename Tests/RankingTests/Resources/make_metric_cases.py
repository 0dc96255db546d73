"""Writes metric-cases.json: figures of ranked lists by trec_eval, seconded by ranx, to check the engine's against.

Run: python3 -m venv /tmp/metrics && /tmp/metrics/bin/pip install pytrec_eval-terrier==0.5.11 ranx==0.3.21
     /tmp/metrics/bin/python make_metric_cases.py > metric-cases.json
"""
import json
import random

import pytrec_eval
from ranx import Qrels, Run, evaluate

CUTOFFS = [5, 10, 20, 25, 100]
random.seed(11)


def name(item):
    """trec_eval puts equal scores in falling order of names; the engine in rising order of numbers."""
    return f"{999 - item:03d}"


def by_trec_eval(list_, scores, truth):
    measures = {f"{measure}.{k}" for measure in ("recall", "P", "ndcg_cut", "success") for k in CUTOFFS}
    # A query without relevant items is one whose items are all judged irrelevant.
    judged = {name(item): 1 for item in truth} or {name(0): 0}
    evaluator = pytrec_eval.RelevanceEvaluator({"q": judged}, measures)
    found = evaluator.evaluate({"q": {name(item): score for item, score in zip(list_, scores)}}).get("q", {})
    result = {}
    for k in CUTOFFS:
        result[f"recall@{k}"] = found.get(f"recall_{k}", 0.0)
        result[f"precision@{k}"] = found.get(f"P_{k}", 0.0)
        result[f"ndcg@{k}"] = found.get(f"ndcg_cut_{k}", 0.0)
        result[f"hit@{k}"] = found.get(f"success_{k}", 0.0)
        # trec_eval does not cut the reciprocal rank, so the list is cut.
        cut = {"q": {name(item): score for item, score in list(zip(list_, scores))[:k]}}
        first = pytrec_eval.RelevanceEvaluator({"q": judged}, {"recip_rank"}).evaluate(cut)
        result[f"mrr@{k}"] = first.get("q", {}).get("recip_rank", 0.0)
    return result


def by_ranx(list_, truth):
    qrels = Qrels({"q": {name(item): 1 for item in truth}})
    run = Run({"q": {name(item): float(len(list_) - place) for place, item in enumerate(list_)}})
    names = {"recall": "recall", "precision": "precision", "ndcg": "ndcg", "hit": "hit_rate", "mrr": "mrr"}
    wanted = {f"{theirs}@{k}": f"{ours}@{k}" for ours, theirs in names.items() for k in CUTOFFS}
    found = evaluate(qrels, run, list(wanted))
    return {wanted[measure]: float(value) for measure, value in found.items()}


def case(scored, truth):
    """`scored`: (item, score) in any order; stored in the order that the engine must put it in."""
    ordered = sorted(scored, key=lambda entry: (-entry[1], entry[0]))
    list_, scores = [item for item, _ in ordered], [score for _, score in ordered]
    expected = by_trec_eval(list_, scores, truth)
    if list_ and truth:
        second = by_ranx(list_, truth)
        for measure, value in expected.items():
            assert abs(second[measure] - value) < 1e-6, (measure, value, second[measure], len(list_), len(truth))
    return {"list": list_, "scores": scores, "truth": truth,
            "expected": {measure: round(value, 9) for measure, value in expected.items()}}


def drawn(length, truth, levels):
    items = random.sample(range(200), length)
    return case([(item, random.randrange(levels) if levels else length - place) for place, item in enumerate(items)],
                random.sample(range(200), truth))


cases = [drawn(length, truth, levels)
         for length, truth in [(100, 1), (100, 10), (100, 40), (25, 3), (60, 7), (7, 2), (3, 30), (1, 1)]
         for levels in (0, 6, 1)]
cases += [drawn(0, 3, 0), drawn(30, 0, 0), drawn(0, 0, 0)]
# Everything found, in the worst and in the best order.
cases += [case([(item, 10 - item) for item in range(10)], list(range(10))),
          case([(item, item) for item in range(10)], [0]), case([(4, 0), (9, 0), (1, 0)], [9])]

print(json.dumps({
    "origin": "make_metric_cases.py: pytrec_eval-terrier 0.5.11, equal to ranx 0.3.21 where it judges lists with truth",
    "cases": cases,
}, separators=(",", ":")))
