import re
from decimal import Decimal

from desk import Refused, run

LITRES = {"litre": "1", "cubic_metre": "1000", "hectolitre": "100", "gallon_uk": "4.54609", "gallon_us": "3.785411784",
          "cubic_foot": "28.316846592"}


def convert_units(value, unit, to):
    if not re.fullmatch(r"-?[0-9]{1,12}(\.[0-9]{1,6})?", value):
        raise Refused("%r is no number: write it with up to 12 digits, a point and up to 6 more, such as 12.5." % value)
    result = Decimal(value) * Decimal(LITRES[unit]) / Decimal(LITRES[to])
    return {"value": format(round(result, 6).normalize(), "f"), "unit": to}


run(convert_units)
