from storage import file_at, load, run, version


def read_file(path):
    path, file = file_at(load(), path)
    return {"path": path, "version": version(file), "size": file["size"], "modified": file["modified"],
            "modified_by": file["modified_by"], "lock": file["lock"], "text": file["text"]}


run(read_file)
