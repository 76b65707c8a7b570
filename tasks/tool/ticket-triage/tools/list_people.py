from tracker import load, page_of, run


def list_people(team=None, page=1):
    return page_of([p for p in load("people") if team in (None, p["team"])], page, 6)


run(list_people)
