from tracker import change, run


def set_priority(ticket, priority):
    return change(ticket, priority=priority)


run(set_priority)
