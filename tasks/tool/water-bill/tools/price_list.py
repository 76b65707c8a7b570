from desk import load, run


def price_list(day):
    prices = load()["price_list"]
    valid = [p for p in prices if p["from"] <= day]
    return {"day": day, "prices": valid[-1] if valid else None,
            "note": "For customers without an agreement. Prices are without VAT."}


run(price_list)
