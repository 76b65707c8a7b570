from tracker import change, run


def set_status(ticket, status):
    return change(ticket, status=status)


run(set_status)
