from office import load, page_of, run, vendor_in


def find_invoice(vendor=None, number="", page=1):
    if vendor is not None:
        vendor_in(load("vendors"), vendor)
    return page_of([e for e in load("ledger")
                    if vendor in (None, e["vendor"]) and number.casefold() in e["number"].casefold()], page, 4)


run(find_invoice)
