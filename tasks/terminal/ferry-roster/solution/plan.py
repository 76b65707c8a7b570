"""Simulated annealing over rosters that always cover the demand: two people exchange some days in a row."""
import csv
import datetime
import json
import math
import random

FOLDER = "/srv/roster/"
START = datetime.date(2026, 6, 1)
DAYS = 14
BEFORE = 7
TARGET = 104
WEIGHT = 15, 40         # of a broken rule, at the beginning and the end
HEAT = 3.5, 1.0
STEPS = 250_000
LENGTHS = 1, 1, 1, 2, 2, 3, 4, 5, 7, 9


def lines(name):
    with open(FOLDER + name, encoding="utf-8") as f:
        return [line.rstrip("\n") for line in f if line.strip() and not line.startswith("#")]


class Person:
    def __init__(self, line, last):
        self.code = line[:3]
        self.skills = line[23:27].strip()
        self.least, self.most, self.nights = int(line[28:30]), int(line[31:33]), int(line[34:36])
        self.last = last[self.code][-BEFORE:]
        self.absent = set()
        self.wish = [dict.fromkeys("ELN.", 0) for _ in range(DAYS)]
        self.known = {}

    def cost(self, row):
        """(broken rules, cost) of what only this person's days decide"""
        got = self.known.get(row)
        if got is None:
            if len(self.known) > 100_000:
                self.known.clear()
            got = self.known[row] = self.compute(row)
        return got

    def compute(self, row):
        s = self.last + row
        n = len(s)
        work = DAYS - row.count(".")
        bad = max(0, self.least - work) + max(0, work - self.most) + sum(row[d] != "." for d in self.absent)
        if "D" in self.skills:
            bad += row.count("N")
        bad += all(s[i:i + 2] != ".." for i in (5, 12, 19))
        cost = 2 * (row.count("N") - self.nights) ** 2
        cost += 5 * sum((row[i] == ".") != (row[i + 1] == ".") for i in (5, 12))
        cost += sum(wish[letter] for wish, letter in zip(self.wish, row))
        stretch = nights = 0
        for i, letter in enumerate(s):
            stretch = 0 if letter == "." else stretch + 1
            if i >= BEFORE:
                bad += stretch > 5
                change = s[i - 1] + letter
                bad += change in ("LE", "NE", "NL")
                cost += {"EL": 1, "EN": 3, "LN": 2}.get(change, 0)
            if letter == "N":
                nights += 1
                bad += nights > 4
            else:
                if nights:
                    bad += i >= BEFORE and nights < 2
                    bad += BEFORE <= i + 1 < n and s[i + 1] != "."
                nights = 0
            if BEFORE - 1 <= i < n - 1:
                free = [s[j] == "." for j in (i - 1, i, i + 1)]
                cost += 6 if free == [True, False, True] else 4 if free == [False, True, False] else 0
        return bad, cost


def read():
    last = dict(line.split() for line in lines("2026-05.txt"))
    people = [Person(line, last) for line in lines("crew.txt")]
    by_code = {p.code: p for p in people}
    place = {p.code: i for i, p in enumerate(people)}

    need = [None] * DAYS
    names = "Mo Tu We Th Fr Sa Su".split()
    for r in csv.DictReader(lines("demand.csv"), delimiter=";"):
        first = int(r["from"][:2]) - 1
        until = int(r["until"][:2]) - 1 if r["until"] else first
        on = set()
        for part in (r["days"] or "Mo-Su").split(","):
            a, _, b = part.partition("-")
            on |= set(range(names.index(a), names.index(b or a) + 1))
        for d in range(first, until + 1):
            if d % 7 in on:
                need[d] = "".join(s * int(r[s]) for s in "ELN")

    def day(text):
        return (datetime.datetime.strptime(text, "%Y%m%d").date() - START).days
    with open(FOLDER + "absences.ics", encoding="utf-8") as f:
        for entry in f.read().replace("\n ", "").split("BEGIN:ABSENCE")[1:]:
            got = dict(line.split(":", 1) for line in entry.split("\n") if ":" in line)
            who = next(v for k, v in got.items() if k.startswith("ATTENDEE"))
            by_code[who[-3:]].absent |= set(range(day(got["DTSTART"]), day(got["DTEND"]))) & set(range(DAYS))

    with open(FOLDER + "wishes.json", encoding="utf-8") as f:
        for w in json.load(f):
            for d in range(DAYS):
                date = (START + datetime.timedelta(d)).isocalendar()
                if w["when"] in ("%d-W%02d-%d" % date, "W-%d" % date[2]):
                    for s in "ELN.":
                        if s != w["want"] if "want" in w else s == w["avoid"]:
                            by_code[w["who"]].wish[d][s] += w["weight"]

    pairs = []
    for line in lines("pairs.txt"):
        a, sign, b = line.split(None, 2)
        pairs.append((sign, place[a], [place[x.strip()] for x in b.split(",")]))
    return people, need, pairs


def day_costs(people, pairs):
    """A function of a day's letters: (broken rules, cost)"""
    skilled = [[i for i, p in enumerate(people) if skill in p.skills] for skill in "MK"]
    known = {}

    def cost(column):
        if column not in known:
            bad = sum(all(column[i] != s for i in g) for g in skilled for s in "ELN")
            price = 0
            for sign, a, others in pairs:
                if column[a] != ".":
                    same = any(column[b] == column[a] for b in others)
                    if sign == "x":
                        bad += same
                    elif sign == ">":
                        bad += not same
                    else:
                        price += 2 * (not same and column[others[0]] != ".")
            known[column] = bad, price
        return known[column]
    return cost


def anneal(seed, people, need, day_cost):
    """(cost, rows) of the best roster without a broken rule, or (None, None)"""
    draw = random.Random(seed).random
    n = len(people)
    columns = []
    for d in range(DAYS):
        letters = sorted(need[d].ljust(n, "."), key=lambda _: draw())
        columns.append("".join(letters))
    rows = ["".join(c[i] for c in columns) for i in range(n)]
    mine = [p.cost(r) for p, r in zip(people, rows)]
    daily = [day_cost(c) for c in columns]
    broken = sum(x for x, _ in mine + daily)
    cost = sum(y for _, y in mine + daily)
    best, best_rows = None, None
    for step in range(STEPS):
        if not step % 500:
            weight, heat = (a * (b / a) ** (step / STEPS) for a, b in (WEIGHT, HEAT))
        i, j = int(draw() * n), int(draw() * n)
        a = int(draw() * DAYS)
        b = min(DAYS, a + LENGTHS[int(draw() * len(LENGTHS))])
        x, y = rows[i], rows[j]
        if i == j or x[a:b] == y[a:b]:
            continue
        if draw() < .15:        # three in a ring
            k = int(draw() * n)
            if k in (i, j):
                continue
            z = rows[k]
            new = [(i, x[:a] + y[a:b] + x[b:]), (j, y[:a] + z[a:b] + y[b:]), (k, z[:a] + x[a:b] + z[b:])]
        else:
            new = [(i, x[:a] + y[a:b] + x[b:]), (j, y[:a] + x[a:b] + y[b:])]
        costs = [people[p].cost(r) for p, r in new]
        more_broken = sum(c[0] - mine[p][0] for (p, _), c in zip(new, costs))
        more_cost = sum(c[1] - mine[p][1] for (p, _), c in zip(new, costs))
        limit = -heat * math.log(draw() + 1e-300)
        if weight * more_broken + more_cost > limit + 2 * weight + 10:
            continue            # the days will not make up for it
        changed = []
        for d in range(a, b):
            letters = list(columns[d])
            for p, r in new:
                letters[p] = r[d]
            column = "".join(letters)
            if column != columns[d]:
                c = day_cost(column)
                more_broken += c[0] - daily[d][0]
                more_cost += c[1] - daily[d][1]
                changed.append((d, column, c))
        if weight * more_broken + more_cost > limit:
            continue
        for (p, r), c in zip(new, costs):
            rows[p], mine[p] = r, c
        for d, column, c in changed:
            columns[d], daily[d] = column, c
        broken += more_broken
        cost += more_cost
        if not broken and (best is None or cost < best):
            best, best_rows = cost, list(rows)
    return best, best_rows


def main():
    people, need, pairs = read()
    day_cost = day_costs(people, pairs)
    best, best_rows = None, None
    for seed in range(12, 90):     # the twelfth is a lucky one
        cost, rows = anneal(seed, people, need, day_cost)
        print("seed", seed, "cost", cost, flush=True)
        if cost is not None and (best is None or cost < best):
            best, best_rows = cost, rows
            with open(FOLDER + "2026-06.txt", "w", encoding="utf-8") as f:
                f.writelines("%s %s\n" % (p.code, r) for p, r in zip(people, best_rows))
        if best is not None and best <= TARGET:
            return


if __name__ == "__main__":
    main()
