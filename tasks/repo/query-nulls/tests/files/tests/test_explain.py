from quern.database import Database
from quern.table import Table

DB = Database([Table("t", ["a", "b"], []), Table("u", ["b", "c"], [])])


def explain(query):
    return DB.explain(query, optimize=False).splitlines()


def test_steps():
    assert explain("SELECT a, b + 1 AS n FROM t WHERE a > 1 ORDER BY b DESC LIMIT 2 OFFSET 1") == [
        "Limit 2 from 1",
        "  Project t.a as a, (t.b + 1) as n",
        "    Sort by t.b DESC",
        "      Filter t.a > 1",
        "        Scan t",
    ]


def test_joins():
    assert explain("SELECT DISTINCT x.a FROM t x LEFT JOIN u ON x.b = u.b CROSS JOIN t") == [
        "Distinct",
        "  Project x.a as a",
        "    Join on TRUE",
        "      LeftJoin on x.b = u.b",
        "        Scan t as x",
        "        Scan u",
        "      Scan t",
    ]


def test_groups():
    assert explain("SELECT a, COUNT(*) FROM t GROUP BY a HAVING SUM(b) > 2") == [
        "Project t.a as a, COUNT(*)",
        "  Filter SUM(t.b) > 2",
        "    Aggregate COUNT(*), SUM(t.b) by t.a",
        "      Scan t",
    ]


def test_one_group():
    assert explain("SELECT COUNT(*) AS n FROM t OFFSET 1") == [
        "Limit all from 1",
        "  Project COUNT(*) as n",
        "    Aggregate COUNT(*)",
        "      Scan t",
    ]
