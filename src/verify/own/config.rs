//! The runner's sections of configuration files that have others too.
//!
//! Owns how they are told apart and put back as the pristine file has them, so that
//! a new dependency crosses and an option of the runner does not.

/// The merged file; none where its sections are the pristine ones already.
///
/// `name` is the file's; what is no longer readable is as the pristine one.
pub fn merged(name: &str, pristine: Option<&[u8]>, changed: &[u8]) -> Option<Vec<u8>> {
    match name {
        "pyproject.toml" => by_table(pristine, changed),
        _ => by_lines(pristine, changed),
    }
}

const TABLES: [&str; 2] = ["pytest", "coverage"];

fn by_table(pristine: Option<&[u8]>, changed: &[u8]) -> Option<Vec<u8>> {
    let parse = |bytes: &[u8]| -> Option<toml::Table> {
        toml::from_str(std::str::from_utf8(bytes).ok()?).ok()
    };
    let before = pristine.and_then(parse).unwrap_or_default();
    let Some(mut now) = parse(changed) else {
        return Some(pristine.unwrap_or_default().to_vec());
    };
    let of =
        |table: &toml::Table, name: &str| Some(table.get("tool")?.as_table()?.get(name)?.clone());
    if TABLES
        .iter()
        .all(|name| of(&before, name) == of(&now, name))
    {
        return None;
    }
    let tool = now
        .entry("tool")
        .or_insert_with(|| toml::Table::new().into());
    if let Some(tool) = tool.as_table_mut() {
        for name in TABLES {
            tool.remove(name);
            if let Some(value) = of(&before, name) {
                tool.insert(name.to_owned(), value);
            }
        }
    }
    match toml::to_string(&now) {
        Ok(text) => Some(text.into_bytes()),
        Err(_) => Some(pristine.unwrap_or_default().to_vec()),
    }
}

/// Whatever a reader of these files takes for a header of the runner's: readers
/// differ in what may stand before and behind the brackets.
fn is_runners(line: &str) -> bool {
    let line = line.trim_start_matches(['\u{feff}', ' ', '\t']);
    line.starts_with('[') && (line.contains("pytest") || line.contains("coverage"))
}

fn split(text: &str) -> (String, String) {
    let (mut runners, mut others) = (String::new(), String::new());
    let mut inside = false;
    // Every end of line that a reader may know of.
    for line in text.split_inclusive([
        '\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}',
    ]) {
        if line
            .trim_start_matches(['\u{feff}', ' ', '\t'])
            .starts_with('[')
        {
            inside = is_runners(line);
        }
        match inside {
            true => runners.push_str(line),
            false => others.push_str(line),
        }
    }
    (runners, others)
}

fn by_lines(pristine: Option<&[u8]>, changed: &[u8]) -> Option<Vec<u8>> {
    let before = String::from_utf8_lossy(pristine.unwrap_or_default());
    let now = String::from_utf8_lossy(changed);
    let (was, _) = split(&before);
    let (is, mut others) = split(&now);
    if was.trim_end() == is.trim_end() {
        return None;
    }
    if !others.is_empty() && !others.ends_with('\n') {
        others.push('\n');
    }
    others.push_str(&was);
    Some(others.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &str, pristine: &str, changed: &str) -> Option<String> {
        let merged = merged(name, Some(pristine.as_bytes()), changed.as_bytes())?;
        Some(String::from_utf8(merged).unwrap())
    }

    #[test]
    fn a_new_dependency_crosses_untouched() {
        let was = "[project]\nname = 'a'\n[tool.pytest.ini_options]\naddopts = '-q'\n";
        let now = "[project]\nname = 'a'\ndependencies = ['b']\n[tool.pytest.ini_options]\naddopts = '-q'\n";
        assert_eq!(text("pyproject.toml", was, now), None);
        let (was, now) = (
            "[tool:pytest]\nx = 1\n",
            "[options]\ny = 2\n[tool:pytest]\nx = 1\n",
        );
        assert_eq!(text("setup.cfg", was, now), None);
    }

    #[test]
    fn sections_of_the_runner_are_as_they_were_however_they_are_written() {
        let was = "[project]\nname = 'a'\n[tool.pytest.ini_options]\naddopts = '-q'\n";
        for now in [
            "[tool.pytest]\nini_options.addopts = '-p evil'\n[project]\nname = 'b'\n",
            "tool.pytest.ini_options = { addopts = '-p evil' }\n[project]\nname = 'b'\n",
            "[tool]\n'pytest'.ini_options.addopts = '-p evil'\n[project]\nname = 'b'\n",
            "[project]\nname = 'b'\n",
        ] {
            let merged: toml::Table =
                toml::from_str(&text("pyproject.toml", was, now).unwrap()).unwrap();
            assert_eq!(
                merged["tool"]["pytest"]["ini_options"]["addopts"].as_str(),
                Some("-q"),
                "{now}"
            );
            assert_eq!(merged["project"]["name"].as_str(), Some("b"));
        }
    }

    #[test]
    fn what_cannot_be_read_is_as_it_was() {
        assert_eq!(
            text("pyproject.toml", "[a]\n", "[a\n").as_deref(),
            Some("[a]\n")
        );
        assert_eq!(merged("pyproject.toml", None, b"\xff"), Some(Vec::new()));
    }

    #[test]
    fn a_new_section_of_an_ini_file_does_not_cross() {
        let now = "[metadata]\nname = a\n[tool:pytest] ; mine\naddopts = -p evil\n[bdist]\nx = 1";
        assert_eq!(
            text("setup.cfg", "[metadata]\nname = a\n", now).as_deref(),
            Some("[metadata]\nname = a\n[bdist]\nx = 1\n")
        );
        assert_eq!(
            text("tox.ini", "", "[pytest]\naddopts = -p evil\n").as_deref(),
            Some("")
        );
    }
}
