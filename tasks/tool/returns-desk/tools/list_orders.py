from desk import customer_by_id, load, page_of, run


def list_orders(customer, page=1):
    customer_by_id(customer)
    orders = [o for o in load("orders") if o["customer"] == customer]
    orders.sort(key=lambda o: (o["placed"], o["id"]), reverse=True)
    return page_of([{
        "id": o["id"],
        "placed": o["placed"],
        "status": o["status"],
        "delivered": o["delivered"],
        "paid_cents": sum(line["quantity"] * line["unit_cents"] for line in o["lines"]) - o["voucher_cents"],
    } for o in orders], page, 4)


run(list_orders)
