from desk import booked, load, order_by_id, run


def get_order(order):
    order = order_by_id(order)
    for line in order["lines"]:
        refunds, exchanges = booked("refunds", order, line), booked("exchanges", order, line)
        line["refunded"] = {"quantity": sum(r["quantity"] for r in refunds), "cents": sum(r["cents"] for r in refunds)}
        line["exchanged"] = sum(x["quantity"] for x in exchanges)
    order["notes"] = [{"day": n["day"], "text": n["text"]} for n in load("notes") if n["order"] == order["id"]]
    return order


run(get_order)
