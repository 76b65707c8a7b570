from tracker import Refused, load, run


def handbook(page=None):
    pages = load("handbook")
    if page is None:
        return {"pages": list(pages)}
    if page not in pages:
        raise Refused("the handbook has no page %s: its pages are %s." % (page, ", ".join(pages)))
    return {"page": page, "text": pages[page]}


run(handbook)
