"""nomenklatura (PyPI, logic-v2) on the list and the names that bench-screening asks.

    python tests/python/nomenklatura_peer.py LIST.jsonl QUESTIONS.jsonl PAIRS.csv

LIST: one {"id", "schema", "names"} a line; QUESTIONS: one {"schema", "name"} a line; PAIRS: the columns
schema, name1, name2 and is_match. Prints one JSON object. Run with a Python that has
nomenklatura==4.17.4; bench-screening does so when told where that Python is.
"""

import csv
import json
import sys
import time

from followthemoney import model
from nomenklatura.matching import LogicV2

THRESHOLD = 0.7
# What yente hands to the scorer: ten candidates for each of five results.
CANDIDATES = 50

config = LogicV2.default_config()
numbers = iter(range(1 << 60))


def entity(schema, names):
    # It remembers names by id: one id twice would answer with the first one's names.
    made = model.make_entity(schema)
    made.id = f"e{next(numbers)}"
    for name in names:
        made.add("name", name)
    return made


def schema_of(word):
    return word if model.get(word) else "LegalEntity"


def times(values):
    ordered = sorted(values)
    place = lambda share: ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1e6
    return {"p50_us": place(0.5), "p95_us": place(0.95), "per_s": len(ordered) / sum(ordered)}


def pairs(path):
    right = wrong = missed = 0
    taken = []
    for row in csv.DictReader(open(path, encoding="utf-8")):
        own, other = (entity(schema_of(row["schema"]), [row[name]]) for name in ("name1", "name2"))
        began = time.perf_counter()
        score = LogicV2.compare(own, other, config).score
        taken.append(time.perf_counter() - began)
        found, true = score >= THRESHOLD, row["is_match"] == "true"
        right += found and true
        wrong += found and not true
        missed += true and not found
    return {"f1": 2 * right / (2 * right + wrong + missed), **times(taken)}


def trigrams(names):
    texts = [" " + " ".join(name.lower().replace(",", " ").split()) + " " for name in names]
    return {text[at : at + 3] for text in texts for at in range(len(text) - 2)}


def search(list_path, questions_path):
    listed = []
    for line in open(list_path, encoding="utf-8"):
        row = json.loads(line)
        listed.append((row["schema"], entity(row["schema"], row["names"]), trigrams(row["names"])))
    whole, scored = [], []
    for line in open(questions_path, encoding="utf-8"):
        row = json.loads(line)
        asked, own = entity(row["schema"], [row["name"]]), trigrams([row["name"]])
        same = [entry for entry in listed if entry[0] == row["schema"]]
        began = time.perf_counter()
        for _, other, _ in same:
            LogicV2.compare(asked, other, config)
        whole.append(time.perf_counter() - began)
        # Not timed: an index would find these; here the nearest by trigrams stand for them.
        nearest = sorted(same, key=lambda entry: -len(own & entry[2]))[:CANDIDATES]
        began = time.perf_counter()
        for _, other, _ in nearest:
            LogicV2.compare(asked, other, config)
        scored.append(time.perf_counter() - began)
    return {"questions": len(whole), "whole_list": times(whole), "fifty_candidates": times(scored)}


if __name__ == "__main__":
    list_path, questions_path, pairs_path = sys.argv[1:4]
    # The first comparison loads its tables, which takes seconds and is not what is measured.
    for schema in ("Person", "Organization", "Vessel"):
        LogicV2.compare(entity(schema, ["Warm Up Ltd"]), entity(schema, ["Warmed Up"]), config)
    print(json.dumps({"pairs": pairs(pairs_path), "search": search(list_path, questions_path)}))
