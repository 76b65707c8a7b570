from storage import clean, load, run, space_of, used


def quota(path):
    state = load()
    space = space_of(state, clean(path))
    return {"space": space, "limit": state["quotas"][space], "used": used(state, space),
            "free": state["quotas"][space] - used(state, space)}


run(quota)
