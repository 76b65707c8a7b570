from datetime import datetime, timedelta

from fasti.intervals import Interval, gaps, merged


def at(hour):
    return datetime(2024, 3, 4, hour)


def interval(begin, end):
    return Interval(at(begin), at(end))


def test_clipped():
    assert interval(8, 12).clipped(interval(10, 14)) == interval(10, 12)
    assert interval(8, 10).clipped(interval(10, 14)) is None


def test_duration():
    assert interval(8, 12).duration == timedelta(hours=4)


def test_merged():
    given = [interval(13, 14), interval(8, 10), interval(9, 11), interval(11, 12), interval(8, 9)]
    assert merged(given) == [interval(8, 12), interval(13, 14)]
    assert merged([]) == []


def test_gaps():
    given = [interval(9, 10), interval(12, 13), interval(17, 20)]
    within = interval(8, 18)
    hour = timedelta(hours=1)
    assert gaps(given, within, hour) == [interval(8, 9), interval(10, 12), interval(13, 17)]
    assert gaps(given, within, 3 * hour) == [interval(13, 17)]
    assert gaps([], within, hour) == [within]


def test_gaps_beside_all():
    assert gaps([interval(4, 6), interval(20, 22)], interval(8, 18), timedelta()) == [
        interval(8, 18)
    ]
