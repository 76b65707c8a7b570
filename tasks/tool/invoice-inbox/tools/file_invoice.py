import datetime

from office import Refused, load, message_in, run, save, vendor_in


def file_invoice(vendor, number, cents, due, message):
    vendor_in(load("vendors"), vendor)
    message_in(load("messages"), message)
    try:
        datetime.date.fromisoformat(due)
    except ValueError:
        raise Refused("%s is no day: `due` is a day as YYYY-MM-DD." % due) from None
    ledger = load("ledger")
    for entry in ledger:
        if (entry["vendor"], entry["number"]) == (vendor, number):
            raise Refused("invoice %s of %s is in the ledger already, as %s." % (number, vendor, entry["id"]))
    entry = {"id": "L-%d" % (int(ledger[-1]["id"][2:]) + 1), "vendor": vendor, "number": number, "cents": cents, "due": due,
             "message": message}
    save("ledger", ledger + [entry])
    return {"filed": entry}


run(file_invoice)
