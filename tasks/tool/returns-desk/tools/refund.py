from desk import Refused, line_of, load, need_pieces, next_id, order_by_id, run, save


def refund(order, line, quantity, cents, reason):
    order = order_by_id(order)
    line = line_of(order, line)
    need_pieces(order, line, quantity)
    price = quantity * line["unit_cents"]
    if cents > price:
        raise Refused("%d cents are more than the price of these pieces: it is %d." % (cents, price))
    refunds = load("refunds")
    booking = {"id": next_id(refunds), "order": order["id"], "line": line["line"], "quantity": quantity, "cents": cents,
               "reason": reason}
    save("refunds", refunds + [booking])
    return {"booked": booking}


run(refund)
