from desk import Refused, load, page_of, run

SHOWN = ("id", "name", "town", "customer_since", "circle_since")


def find_customer(name=None, town=None, email=None, page=1):
    if not (name or town or email):
        raise Refused("give at least one of `name`, `town` and `email`.")

    def fits(customer):
        return ((not name or name.casefold() in customer["name"].casefold())
                and (not town or town.casefold() in customer["town"].casefold())
                and (not email or email.casefold() == customer["email"].casefold()))
    return page_of([{k: c[k] for k in SHOWN} for c in load("customers") if fits(c)], page, 3)


run(find_customer)
