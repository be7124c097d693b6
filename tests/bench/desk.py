#!/usr/bin/env python3
"""How fast the supervisor's desk answers with 1,000,000 inspections and 20,000 open alerts.

Fills a store of its own, starts the server on it, and asks for the queue's first page, a filtered
page, an alert's page, a search and the figures, as HTML, over loopback: median, 95th per cent and
the worst of so many requests each. Then 200 alerts a minute arrive while three people work, each
acting on the version they saw: no update may be lost or done twice.

    cargo build --release -p tidewaiter-server
    python3 tests/bench/desk.py target/release/tidewaiter-server [INSPECTIONS] [OPEN_ALERTS] [SECONDS]

Goals: 150 ms at the 95th per cent for the first three. The rows are made up here and not by stations:
their records are missing, so an alert's page opens none.
"""

import json
import os
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

SERVER = sys.argv[1]
INSPECTIONS = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
OPEN = int(sys.argv[3]) if len(sys.argv) > 3 else 20_000
SECONDS = int(sys.argv[4]) if len(sys.argv) > 4 else 60
REQUESTS = 200
PORT = 18480
BASE = f"http://127.0.0.1:{PORT}"
START = 1_542_000_000_000_000
WAYS = [("JS272", "VVO", "FNJ"), ("SU1701", "VVO", "SVO"), ("KE982", "VVO", "ICN"), ("CZ6018", "VVO", "PEK")]
CODES = ["undeclared_cash", "route_high_risk", "recount_required", "list_match_possible", "repeat_courier"]
SEVERITIES = [("critical", 4), ("high", 3), ("medium", 2), ("low", 1)]


def alert_row(number, state, at, draw):
    severity, grade = SEVERITIES[draw.randrange(4)]
    code = CODES[draw.randrange(len(CODES))]
    inspection = f"i{draw.randrange(INSPECTIONS):07d}"
    amount = draw.randrange(10_000, 200_000)
    identity = f"a_{number:08d}"
    raised = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at // 1_000_000))
    station = f"ruvvo/dep-{int(inspection[1:]) % 40:02d}"
    body = json.dumps({
        "id": identity, "code": code, "severity": severity, "score": 50, "station": station,
        "inspection": inspection, "subject": f"{int(inspection[1:]):032x}",
        "amount": {"currency": "USD", "amount": str(amount)}, "outcomes": ["vigilance"],
        "reasons": [{"rule": code, "rule_version": "1", "text": f"USD {amount} was carried and not declared",
                     "seen": [{"path": "carried", "value": f"USD {amount}", "test": "over USD 10000"}],
                     "records": [1, 2], "legal_basis": "Art. 260"}],
        "hits": [], "group": [], "state": state, "raised_at": raised})
    way = WAYS[int(inspection[1:]) % 4]
    return (identity, code, severity, grade * 1000 + 50, station, inspection, f"{int(inspection[1:]):032x}",
            state, None, 1, at, at, 1, body, int(state != "closed"), amount * 100, "USD", f",{code},", ",",
            f"{way[1]}-{way[2]}")


ALERT = ("INSERT INTO alert (id, code, severity, weight, station, inspection, subject, state, assignee, standing,"
         " raised_at, changed_at, version, body, open, amount, currency, rules, lists, route)"
         " VALUES (" + ",".join("?" * 20) + ")")


def fill(path):
    store = sqlite3.connect(path)
    store.executescript("PRAGMA synchronous=OFF; PRAGMA cache_size=-200000;")
    # An index grown row by row costs more than one sorted at the end: they go, and come back as they were.
    indexes = store.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").fetchall()
    for name, _ in indexes:
        store.execute(f"DROP INDEX {name}")
    draw = random.Random(20181116)
    for lane in range(40):
        store.execute("INSERT INTO station (station, signing_key, enrolled_at, arrival) VALUES (?,?,?,?)",
                      (f"ruvvo/dep-{lane:02d}", "00" * 32, START, 1))
    rows, sums = [], []
    for number in range(INSPECTIONS):
        way = WAYS[number % 4]
        at = START + number * 30_000_000
        key = number.to_bytes(16, "big")
        station, name = f"ruvvo/dep-{number % 40:02d}", f"i{number:07d}"
        rows.append((station, name, key, key, at, at + 60_000_000, 5, "exit", "passenger", "air", *way,
                     "released", None))
        declared = draw.randrange(100_00, 200_000_00) if number % 2 else None
        sums.append((station, name, "USD", declared, draw.randrange(100_00, 200_000_00)))
        if len(rows) == 20_000 or number + 1 == INSPECTIONS:
            store.executemany("INSERT INTO inspection VALUES (" + ",".join("?" * 15) + ")", rows)
            store.executemany("INSERT INTO cash VALUES (?,?,?,?,?)", sums)
            rows, sums = [], []
    closed = max(INSPECTIONS // 10, 1)
    made = [alert_row(n, "closed", START + n * 300_000_000, draw) for n in range(closed)]
    made += [alert_row(closed + n, "new", START + n * 1_000_000_000, draw) for n in range(OPEN)]
    store.executemany(ALERT, made)
    decisions = [(n + 1, row[0], row[10], "engine", "raised", "new", "new", "", "") for n, row in enumerate(made)]
    store.executemany("INSERT INTO decision VALUES (?,?,?,?,?,?,?,?,?)", decisions)
    store.execute("UPDATE counter SET value = ? WHERE name = 'arrival'", (len(decisions) + 1,))
    for _, sql in indexes:
        store.execute(sql)
    store.commit()
    store.close()
    return made


def ask(path, body=None, kind="text/html"):
    headers = {"accept": kind}
    data = None
    if body is not None:
        headers["content-type"] = "application/json"
        data = json.dumps(body).encode()
    request = urllib.request.Request(BASE + path, data=data, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def measure(name, paths, requests=REQUESTS):
    times = []
    for number in range(requests):
        begun = time.perf_counter()
        status, _ = ask(paths[number % len(paths)])
        times.append((time.perf_counter() - begun) * 1000)
        assert status == 200, (status, paths[number % len(paths)])
    times.sort()
    at = lambda share: times[min(int(len(times) * share), len(times) - 1)]
    print(f"{name}: median {statistics.median(times):.1f} ms, p95 {at(0.95):.1f} ms, worst {times[-1]:.1f} ms"
          f" ({requests} requests)", flush=True)


def start(config, log):
    server = subprocess.Popen([SERVER, "run", "--config", config, "--roles", "web"], stdout=log, stderr=log)
    for _ in range(600):
        try:
            if ask("/readyz")[0] == 200:
                return server
        except OSError:
            pass
        if server.poll() is not None:
            raise SystemExit("the server ended: see its log above")
        time.sleep(0.1)
    raise SystemExit("the server did not start")


def work(seconds, path):
    """200 alerts a minute arrive; three people act on what they see. Counts what was done and refused."""
    until = time.time() + seconds
    done, refused, failed, times, lock = {}, [0], [], [], threading.Lock()
    store = sqlite3.connect(path, timeout=30)
    draw = random.Random(7)
    arrived = [0]

    def arrive():
        number = 90_000_000
        own = sqlite3.connect(path, timeout=30)
        while time.time() < until:
            row = alert_row(number, "new", int(time.time() * 1_000_000), draw)
            own.execute(ALERT, row)
            own.commit()
            number += 1
            arrived[0] += 1
            time.sleep(0.3)
        own.close()

    def person(name):
        while time.time() < until:
            begun = time.perf_counter()
            status, answer = ask("/api/v1/alerts?state=new,claimed&limit=20", kind="application/json")
            if status != 200:
                # A read that fails is asked again, as a person does, and counted.
                with lock:
                    failed.append((status, answer))
                continue
            page = json.loads(answer)
            times.append((time.perf_counter() - begun) * 1000)
            for item in page["items"][:6]:
                status, answer = ask(f"/api/v1/alerts/{item['id']}/actions", {
                    "action": "comment", "officer": name, "version": item["version"], "text": f"seen by {name}"})
                with lock:
                    if status == 200:
                        done.setdefault(item["id"], []).append((json.loads(answer)["version"], name))
                    elif status == 409:
                        refused[0] += 1
                    else:
                        failed.append((status, answer))

    threads = [threading.Thread(target=arrive)]
    threads += [threading.Thread(target=person, args=(f"s-{n}",)) for n in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    total = sum(map(len, done.values()))
    for alert, acts in done.items():
        versions = [version for version, _ in acts]
        assert len(set(versions)) == len(versions), f"{alert}: one version was made twice"
        kept = store.execute("SELECT count(*) FROM decision WHERE alert = ? AND action = 'comment'", (alert,))
        assert kept.fetchone()[0] == len(acts), f"{alert}: an update was lost"
    times.sort()
    print(f"three people at work for {seconds} s while {arrived[0] * 60 // seconds} alerts a minute arrive:"
          f" {total} updates kept, {refused[0]} refused because somebody was faster, none lost;"
          f" queue p95 {times[int(len(times) * 0.95)]:.1f} ms; {len(failed)} answers were errors {failed[:2]}",
          flush=True)


def main():
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    print(f"machine: {os.cpu_count()} × {cpu}, load {os.getloadavg()[0]:.1f}", flush=True)
    with tempfile.TemporaryDirectory() as directory:
        config = os.path.join(directory, "server.toml")
        with open(config, "w") as out:
            out.write(f'[server]\nname = "ruvvo"\ndata = "{directory}/data"\n[http]\nlisten = "127.0.0.1:{PORT}"\n'
                      '[demonstration]\nclock = "2018-11-16T03:00:00Z"\n')
        with open(os.path.join(directory, "log"), "w") as log:
            server = start(config, log)
            server.terminate()
            server.wait()
            path = next(os.path.join(at, name) for at, _, names in os.walk(directory)
                        for name in names if name.endswith(".sqlite"))
            begun = time.time()
            made = fill(path)
            print(f"store: {INSPECTIONS} inspections, {OPEN} open alerts, {len(made) - OPEN} closed;"
                  f" {os.path.getsize(path) >> 20} MiB, filled in {time.time() - begun:.0f} s", flush=True)
            server = start(config, log)
            try:
                opened = [f"/alerts/{row[0]}" for row in made[-OPEN:]]
                measure("queue, first page", ["/"])
                measure("queue, filtered", ["/?severity=critical&state=new", "/?route=VVO-FNJ&amount=50000",
                                            "/?station=ruvvo/dep-07", "/?rule=repeat_courier&older=24"])
                measure("alert", random.Random(1).sample(opened, min(REQUESTS, len(opened))))
                measure("search, an amount", ["/search?q=USD+123456"], 20)
                measure("search, a flight", ["/search?q=JS272"], 20)
                measure("figures of 30 days", ["/figures"], 20)
                work(SECONDS, path)
            finally:
                server.terminate()
                server.wait()


if __name__ == "__main__":
    main()
