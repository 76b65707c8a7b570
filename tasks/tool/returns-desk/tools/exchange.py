from desk import Refused, in_stock, line_of, load, need_pieces, next_id, order_by_id, run, save


def exchange(order, line, quantity, sku):
    order = order_by_id(order)
    line = line_of(order, line)
    if line["kind"] != "goods":
        raise Refused("line %d of %s is no goods (%s) and cannot be exchanged." % (line["line"], order["id"], line["kind"]))
    need_pieces(order, line, quantity)
    product = next((p for p in load("products") if p["sku"] == sku), None)
    if product is None:
        raise Refused("there is no article %s: find_product gives the article numbers." % sku)
    if in_stock(product) < quantity:
        raise Refused("of %s there are %d piece(s) in stock." % (sku, in_stock(product)))
    exchanges = load("exchanges")
    booking = {"id": next_id(exchanges), "order": order["id"], "line": line["line"], "quantity": quantity, "sku": sku}
    save("exchanges", exchanges + [booking])
    return {"booked": booking, "sent": product["name"]}


run(exchange)
