//! Skills of a task: folders with a `SKILL.md` each, in the sandbox.
//!
//! Owns which there are, and what a model is told of them: names, descriptions and
//! places; it reads the rest when it needs it. Must not know who made them.

use std::collections::BTreeMap;
use std::time::Duration;

use granit_parser::{Event, Parser, options};

use crate::sandbox::guest::look::{Kind, Look, Search};
use crate::sandbox::{Exec, FileRead, Sandbox, SandboxError, User, wire};

/// The most skills that are told.
const MOST: usize = 200;
/// Of a file, what is read: the rest is the model's to read.
const BEGINNING: u64 = 64 << 10;
/// Characters of a name and of a description, by the format's own bounds.
const NAME: usize = 64;
const DESCRIPTION: usize = 1024;
const TIME: Duration = Duration::from_secs(30);
const FILE: &str = "SKILL.md";

/// What is told of a skill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skill {
    pub name: String,
    pub description: String,
    /// Of its `SKILL.md`, in the sandbox.
    pub path: String,
}

/// The skills below a folder of the sandbox, by their paths; and what is wrong with
/// those that are left out.
///
/// # Errors
/// A fault of the sandbox. A folder that is not there is a warning.
pub async fn skills(
    sandbox: &dyn Sandbox,
    folder: &str,
) -> Result<(Vec<Skill>, Vec<String>), SandboxError> {
    let (mut skills, mut warnings) = (Vec::new(), Vec::new());
    let paths = match files(sandbox, folder).await {
        Ok(Ok(paths)) => paths,
        Ok(Err(why)) => {
            warnings.push(format!("the folder of skills {folder}: {why}"));
            return Ok((skills, warnings));
        }
        Err(error) => return Err(error),
    };
    if paths.is_empty() {
        warnings.push(format!("the folder of skills {folder} has no {FILE} in it"));
    }
    for path in paths {
        let read = sandbox.read(&path, 0, BEGINNING, &User::Default).await;
        let skill = match read {
            Ok(FileRead { content, .. }) => skill(&path, &String::from_utf8_lossy(&content)),
            Err(SandboxError::Guest(refused)) => Err(refused.message),
            Err(error) => return Err(error),
        };
        match skill {
            Ok(skill) => skills.push(skill),
            Err(why) => warnings.push(format!("the skill {path} is not told of: {why}")),
        }
    }
    Ok((skills, warnings))
}

/// Where `SKILL.md` files lie, `FOLDER/<name>/SKILL.md` each.
async fn files(
    sandbox: &dyn Sandbox,
    folder: &str,
) -> Result<Result<Vec<String>, String>, SandboxError> {
    let root = folder.trim_end_matches('/');
    let look = Look::Search(Search {
        pattern: format!("/{}$", FILE.replace('.', r"\.")),
        path: folder.to_owned(),
        kind: Kind::Names,
        glob: None,
        ignore_case: false,
        all: true,
        max: MOST,
    });
    let asked = serde_json::to_vec(&look).unwrap_or_default();
    let output = sandbox.exec(Exec {
        user: User::Default,
        timeout: TIME,
        stdin: asked,
        ..Exec::new([wire::HELPER, "look"])
    });
    let output = match output.await {
        Ok(output) => output,
        Err(SandboxError::Guest(refused)) => return Ok(Err(refused.message)),
        Err(error) => return Err(error),
    };
    if !output.ended.success() {
        let said = output.stderr.text();
        return Ok(Err(said
            .trim()
            .trim_start_matches(folder)
            .trim_start()
            .to_owned()));
    }
    let below = |path: &&str| {
        let rest = path
            .strip_prefix(root)
            .and_then(|rest| rest.strip_prefix('/'));
        rest.is_some_and(|rest| rest.split('/').count() == 2 && rest.ends_with(FILE))
    };
    let text = output.stdout.text();
    let mut paths: Vec<String> = text.lines().filter(below).map(str::to_owned).collect();
    paths.sort();
    Ok(Ok(paths))
}

fn skill(path: &str, text: &str) -> Result<Skill, String> {
    let matter = front_matter(text).ok_or("it does not begin with front matter")?;
    let values = values(matter);
    let value = |key: &str, most: usize| -> Result<String, String> {
        let text = values.get(key).map_or("", String::as_str);
        // A line each, so that none can pass for another one.
        let words: Vec<&str> = text.split_whitespace().collect();
        match words.is_empty() {
            true => Err(format!("its front matter has no `{key}`")),
            false => Ok(words.join(" ").chars().take(most).collect()),
        }
    };
    Ok(Skill {
        name: value("name", NAME)?,
        description: value("description", DESCRIPTION)?,
        path: path.to_owned(),
    })
}

/// What stands between the first two lines of `---`.
fn front_matter(text: &str) -> Option<&str> {
    let text = text.trim_start_matches('\u{feff}');
    let rest = text.strip_prefix("---")?;
    let rest = rest.strip_prefix('\r').unwrap_or(rest).strip_prefix('\n')?;
    let mut length = 0;
    for line in rest.split_inclusive('\n') {
        if line.trim_end() == "---" {
            return Some(&rest[..length]);
        }
        length += line.len();
    }
    None
}

/// The texts of the outermost map. What is no YAML, for a colon in a sentence mostly,
/// is read line by line.
fn values(matter: &str) -> BTreeMap<String, String> {
    yaml(matter).unwrap_or_else(|| {
        let lines = matter.lines().filter_map(|line| line.split_once(':'));
        let plain = |(key, value): (&str, &str)| (key.trim().to_owned(), value.trim().to_owned());
        lines.map(plain).collect()
    })
}

fn yaml(matter: &str) -> Option<BTreeMap<String, String>> {
    let limits = options! { flow_nesting_limit: 32, block_nesting_limit: 32 };
    let mut found = BTreeMap::new();
    let (mut depth, mut key) = (0_usize, None);
    for event in Parser::new_from_str_with_options(matter, limits) {
        match event.ok()?.0 {
            Event::MappingStart(..) | Event::SequenceStart(..) => {
                if depth == 1 {
                    // What is nested is nothing that is told.
                    key = None;
                }
                depth += 1;
            }
            Event::MappingEnd | Event::SequenceEnd => depth = depth.saturating_sub(1),
            Event::Scalar(text, ..) if depth == 1 => match key.take() {
                None => key = Some(text.into_owned()),
                Some(key) => drop(found.insert(key, text.into_owned())),
            },
            Event::Alias(_) if depth == 1 => key = None,
            _ => {}
        }
    }
    Some(found)
}

/// What a model is told of skills, after its prompt; nothing where there are none.
pub fn told(skills: &[Skill]) -> String {
    if skills.is_empty() {
        return String::new();
    }
    let mut told = String::from(
        "\n\nSkills are at hand: folders with instructions for a kind of work. Where one \
         fits the task, read its file first, and what it names as you need it; paths in it \
         begin at its folder.\n",
    );
    for skill in skills {
        let Skill {
            name,
            description,
            path,
        } = skill;
        told.push_str(&format!("\n- {name}: {description} ({path})"));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::fake::{FakeSandbox, exited};

    const FULL: &str = "---\nname: tables\ndescription: >\n  Reads tables,\n  of any kind.\nmetadata:\n  name: other\nallowed-tools: [Read]\n---\n# Tables\n";

    #[test]
    fn a_skill_is_its_front_matter() {
        let found = skill("/s/tables/SKILL.md", FULL).unwrap();
        assert_eq!(
            (found.name.as_str(), found.description.as_str()),
            ("tables", "Reads tables, of any kind.")
        );
    }

    #[test]
    fn a_sentence_that_is_no_yaml_is_taken_as_it_stands() {
        let text = "---\nname: dates\ndescription: Use when: a date is asked for\n---\n";
        let found = skill("/s/dates/SKILL.md", text).unwrap();
        assert_eq!(found.description, "Use when: a date is asked for");
    }

    #[test]
    fn what_lacks_something_says_what() {
        let wrong = |text: &str| skill("/s/x/SKILL.md", text).unwrap_err();
        assert_eq!(wrong("# no"), "it does not begin with front matter");
        assert_eq!(
            wrong("---\nname: x\n"),
            "it does not begin with front matter"
        );
        assert_eq!(
            wrong("---\nname: x\n---\n"),
            "its front matter has no `description`"
        );
    }

    #[test]
    fn without_skills_nothing_is_told() {
        assert_eq!(told(&[]), "");
    }

    fn sandbox(listed: &'static str) -> FakeSandbox {
        let fake = FakeSandbox::new(move |_, _| Ok(exited(0, listed, "")));
        fake.with_file("/s/tables/SKILL.md", FULL)
            .with_file("/s/empty/SKILL.md", "")
    }

    #[tokio::test]
    async fn only_the_files_of_skills_are_read() {
        let fake = sandbox("/s/tables/SKILL.md\n/s/empty/SKILL.md\n/s/tables/deep/SKILL.md\n");
        let (found, warnings) = skills(&fake, "/s/").await.unwrap();
        assert_eq!(found.len(), 1);
        assert!(
            told(&found).ends_with("\n- tables: Reads tables, of any kind. (/s/tables/SKILL.md)")
        );
        assert_eq!(
            warnings,
            ["the skill /s/empty/SKILL.md is not told of: it does not begin with front matter"]
        );
    }

    #[tokio::test]
    async fn a_folder_that_is_not_there_is_a_warning() {
        let fake = FakeSandbox::new(|_, _| Ok(exited(1, "", "/s is not there\n")));
        let (found, warnings) = skills(&fake, "/s").await.unwrap();
        assert_eq!(found, []);
        assert_eq!(warnings, ["the folder of skills /s: is not there"]);
    }
}
