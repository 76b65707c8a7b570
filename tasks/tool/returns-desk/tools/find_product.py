from desk import in_stock, load, page_of, run


def find_product(text, page=1):
    words = text.casefold().replace(",", " ").split()
    found = [p for p in load("products")
             if p["sku"].casefold().startswith(text.casefold()) or all(w in p["name"].casefold() for w in words)]
    return page_of([{
        "sku": p["sku"],
        "name": p["name"],
        "unit_cents": p["unit_cents"],
        "in_stock": in_stock(p),
    } for p in sorted(found, key=lambda p: p["sku"])], page, 4)


run(find_product)
