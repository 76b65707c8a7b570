from desk import account, load, run


def list_readings(account_number):
    return {"account": account_number, "readings": account(load(), account_number)["readings"]}


run(list_readings)
