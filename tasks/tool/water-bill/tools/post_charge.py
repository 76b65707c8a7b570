import re

from desk import Refused, account, load, run, save


def post_charge(account_number, amount, text):
    state = load()
    holder = account(state, account_number)
    if not re.fullmatch(r"-?[0-9]{1,9}\.[0-9]{2}", amount):
        raise Refused("%r is no amount: write euros with a point and two digits, such as 12.50." % amount)
    holder["postings"].append({"day": state["today"], "amount": amount, "text": text})
    save(state)
    return {"account": account_number, "postings": holder["postings"]}


run(post_charge)
