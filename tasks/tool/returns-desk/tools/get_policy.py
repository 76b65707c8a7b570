from desk import Refused, load, run


def get_policy(section=None):
    policy = load("policy")
    if section is None:
        return {"sections": [{"section": name, "title": s["title"]} for name, s in policy.items()]}
    if section not in policy:
        raise Refused("there is no section %s: the sections are %s." % (section, ", ".join(policy)))
    return {"section": section} | policy[section]


run(get_policy)
