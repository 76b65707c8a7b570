from office import load, run, save, vendor_in


def update_vendor(vendor, account):
    vendors = load("vendors")
    changed = vendor_in(vendors, vendor)
    was, changed["account"] = changed["account"], account
    save("vendors", vendors)
    return {"vendor": vendor, "account": account, "was": was}


run(update_vendor)
