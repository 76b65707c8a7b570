from office import load, page_of, run


def list_vendors(page=1):
    return page_of(load("vendors"), page, 4)


run(list_vendors)
