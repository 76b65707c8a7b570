import datetime
import itertools
import json
import os
import re

import pytest

HERE = os.path.dirname(os.path.abspath(__file__)) + "/data/"
FOLDER = "/srv/roster/"
BOUND = 104
FIRST = datetime.date(2026, 6, 1)
DAYS = [FIRST + datetime.timedelta(i) for i in range(14)]
MAY = [FIRST - datetime.timedelta(i) for i in range(7, 0, -1)]
WEEKENDS = [(d, d + datetime.timedelta(1)) for d in (datetime.date(2026, 5, 30), datetime.date(2026, 6, 6),
                                                     datetime.date(2026, 6, 13))]
ONE = datetime.timedelta(1)
# demand of each day, as the table says when it is read by hand
DEMAND = dict(zip(DAYS, "322 322 322 322 242 222 222 232 322 322 322 322 232 232".split()))


def text(name):
    with open(HERE + name, encoding="utf-8") as f:
        return f.read()


def crew():
    people = {}
    for line in text("crew.txt").splitlines():
        if not line.startswith("#"):
            code, rest = line[:3], line[23:].split()
            least, most, nights = map(int, rest[1:])
            people[code] = {"skills": rest[0].strip("-"), "least": least, "most": most, "nights": nights}
    return people


def absences():
    days = set()
    for entry in re.sub(r"\n ", "", text("absences.ics")).split("END:ABSENCE"):
        if "BEGIN" in entry:
            a, b = (datetime.datetime.strptime(re.search(k + r":(\d+)", entry)[1], "%Y%m%d").date()
                    for k in ("DTSTART", "DTEND"))
            code = re.search(r"crew:(\w+)", entry)[1]
            days |= {(code, a + datetime.timedelta(i)) for i in range((b - a).days)}
    return days


def pairs(sign):
    return [(m[1], re.findall(r"\w+", m[2])) for m in re.finditer(r"^(\w+) %s (.*)$" % re.escape(sign), text("pairs.txt"), re.M)]


CREW = crew()


@pytest.fixture(scope="module")
def roster():
    """{code: {date: letter}}, with the last seven days of May"""
    with open(FOLDER + "2026-06.txt", encoding="utf-8") as f:
        june = dict(line.split(" ") for line in f.read().splitlines())
    may = dict(line.split() for line in text("2026-05.txt").splitlines())
    return {c: dict(zip(MAY + DAYS, may[c][-7:] + june[c])) for c in CREW}


def follow(days, n, first):
    """n consecutive days at a time, the last of them from `first` on"""
    every = sorted(days)
    return [every[i:i + n] for i in range(len(every) - n + 1) if every[i + n - 1] >= first]


def blocks(row):
    """The blocks of nights: lists of days"""
    found = []
    for night, days in itertools.groupby(sorted(row), key=lambda d: row[d] == "N"):
        if night:
            found.append(list(days))
    return found


def test_data_is_kept():
    for name in ("absences.ics", "crew.txt", "demand.csv", "pairs.txt", "wishes.json"):
        with open(FOLDER + name, encoding="utf-8") as f:
            assert f.read() == text(name), name


def test_roster_of_may_is_kept():
    with open(FOLDER + "2026-05.txt", encoding="utf-8") as f:
        assert f.read() == text("2026-05.txt")


def test_roster_is_well_formed():
    with open(FOLDER + "2026-06.txt", encoding="utf-8") as f:
        lines = f.read().splitlines()
    for line in lines:
        assert re.fullmatch(r"[A-Z]{3} [ELN.]{14}", line), line
    assert sorted(line[:3] for line in lines) == sorted(CREW)


def test_demand_is_met_exactly(roster):
    for d in DAYS:
        got = [row[d] for row in roster.values()]
        assert "".join(str(got.count(s)) for s in "ELN") == DEMAND[d], d


def test_every_shift_has_master_and_engineer(roster):
    for d, s in itertools.product(DAYS, "ELN"):
        skills = "".join(CREW[c]["skills"] for c, row in roster.items() if row[d] == s)
        assert "M" in skills and "K" in skills, (d, s)


def test_rest_between_shifts(roster):
    for c, row in roster.items():
        for a, b in follow(row, 2, FIRST):
            assert row[a] + row[b] not in ("LE", "NE", "NL"), (c, b)


def test_stretches_of_work(roster):
    for c, row in roster.items():
        for days in follow(row, 6, FIRST):
            assert "." in [row[d] for d in days], (c, days[-1])


def test_blocks_of_nights(roster):
    for c, row in roster.items():
        for block in blocks(row):
            if block[-1] >= MAY[-1]:
                assert len(block) <= 4, (c, block)
                assert len(block) >= 2 or block[-1] == DAYS[-1], (c, block)


def test_two_free_days_after_nights(roster):
    for c, row in roster.items():
        for block in blocks(row):
            for d in (block[-1] + ONE, block[-1] + 2 * ONE):
                assert d < FIRST or row.get(d, ".") == ".", (c, d)


def test_contracts(roster):
    for c, row in roster.items():
        n = sum(row[d] != "." for d in DAYS)
        assert CREW[c]["least"] <= n <= CREW[c]["most"], c


def test_absences(roster):
    for c, d in absences():
        assert d not in DAYS or roster[c][d] == ".", (c, d)


def test_day_crew_works_no_nights(roster):
    for c, row in roster.items():
        if "D" in CREW[c]["skills"]:
            assert "N" not in [row[d] for d in DAYS], c


def test_a_free_weekend(roster):
    for c, row in roster.items():
        assert any(row[a] + row[b] == ".." for a, b in WEEKENDS), c


def test_pairs_that_must_not_meet(roster):
    for a, others in pairs("x"):
        for d in DAYS:
            assert roster[a][d] == "." or roster[a][d] != roster[others[0]][d], (a, d)


def test_pairs_that_must_meet(roster):
    for a, others in pairs(">"):
        for d in DAYS:
            assert roster[a][d] == "." or roster[a][d] in [roster[b][d] for b in others], (a, d)


def wishes(roster):
    for wish in json.loads(text("wishes.json")):
        for d in DAYS:
            week = d.isocalendar()
            if wish["when"] in ("%d-W%02d-%d" % (week[0], week[1], week[2]), "W-%d" % week[2]):
                letter = roster[wish["who"]][d]
                if letter != wish["want"] if "want" in wish else letter == wish["avoid"]:
                    yield wish["weight"]


def lone_days(row):
    for days in follow(row, 3, FIRST):
        free = "".join("." if row[d] == "." else "w" for d in days)
        yield {".w.": 6, "w.w": 4}.get(free, 0)


def cost(roster):
    total = sum(wishes(roster))
    for c, row in roster.items():
        total += sum(lone_days(row))
        total += sum({"EL": 1, "LN": 2, "EN": 3}.get(row[a] + row[b], 0) for a, b in follow(row, 2, FIRST))
        total += sum(5 for a, b in WEEKENDS[1:] if (row[a] == ".") != (row[b] == "."))
        total += 2 * (sum(row[d] == "N" for d in DAYS) - CREW[c]["nights"]) ** 2
    for a, others in pairs("~"):
        both = [(roster[a][d], roster[others[0]][d]) for d in DAYS]
        total += sum(2 for x, y in both if "." not in (x, y) and x != y)
    return total


def test_cost_is_low(roster):
    assert cost(roster) <= BOUND
