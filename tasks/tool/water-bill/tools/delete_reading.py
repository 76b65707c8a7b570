from desk import Refused, account, load, run, save


def delete_reading(account_number, reading):
    state = load()
    holder = account(state, account_number)
    left = [r for r in holder["readings"] if r["id"] != reading]
    if len(left) == len(holder["readings"]):
        raise Refused("account %s has no reading %r: list_readings shows their ids." % (account_number, reading))
    holder["readings"] = left
    save(state)
    return {"account": account_number, "deleted": reading}


run(delete_reading)
