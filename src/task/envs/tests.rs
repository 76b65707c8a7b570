//! Facts about specifications: how they are read, and which one a row means.

use std::fs;

use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;

const LEAST: &str = "[[environment]]\nrepo = \"a/b\"\nbase = \"debian:bookworm-slim\"\n";

/// A folder of specifications.
struct Folder(tempfile::TempDir);

impl Folder {
    fn of(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        Self(folder)
    }

    fn read(&self) -> Result<Environments, String> {
        let parsers = ["pytest", "pytest-v", "django"];
        Environments::read(&[self.0.path().to_owned()], &parsers)
            .map_err(|error| self.shown(&error.render(false)))
    }

    fn shown(&self, text: &str) -> String {
        text.replace(&self.0.path().display().to_string(), "envs")
    }
}

fn read(text: &str) -> Environments {
    Folder::of(&[("a.toml", text)]).read().unwrap()
}

fn refused(text: &str) -> String {
    Folder::of(&[("a.toml", text)]).read().unwrap_err()
}

/// The environment for `a/b` with these keys.
pub(super) fn one(keys: &str) -> Environment {
    let set = read(&format!("{LEAST}{keys}"));
    set.of("a/b", "1").unwrap().unwrap().clone()
}

#[test]
fn the_least_that_is_said_has_the_rest_by_default() {
    let environment = one("");
    assert_eq!(environment.workdir, "/testbed");
    assert_eq!(environment.eval_type, EvalType::PassAndFail);
    assert_eq!(environment.history, History::Ancestors);
    assert!(environment.network.is_none() && environment.timeout.is_none());
    let source = Source::Url("https://github.com/a/b.git".into());
    assert_eq!(environment.source("a/b"), source);
}

#[test]
fn a_key_that_is_not_known_is_an_error_with_the_nearest() {
    assert_snapshot!(refused("[[environment]]\nrepo = \"a/b\"\nbase = \"b\"\npyton = \"3.9\"\n"), @r#"
    error: unknown key `pyton` in [[environment]]
      ┌─ envs/a.toml:4:1
      │
    4 │ pyton = "3.9"
      │ ^^^^^ did you mean `python`?
    "#);
}

#[test]
fn all_that_is_wrong_is_told_at_once_with_its_place() {
    let text = "[[environment]]\nrepo = \"b\"\nbase = \"a b\"\npython = \"2.7\"\n\n\
        [[environment]]\nrepo = \"a/b\"\nversions = \"2.0, 2.3\"\nbase = \"b\"\nparser = \"pytst\"\n\
        workdir = \"/tmp/x\"\ncpus = 0\n";
    // Without its repo nothing else of the first is looked at.
    assert_snapshot!(refused(text), @r#"
    error: `b` is not a repo
      ┌─ envs/a.toml:2:8
      │
    2 │ repo = "b"
      │        ^^^ "owner/name", or a glob

    error: `versions` cannot be read
      ┌─ envs/a.toml:8:12
      │
    8 │ versions = "2.0, 2.3"
      │            ^^^^^^^^^^ `2.0` has no sign: a bound is ">=2.0", and several versions are a list, ["2.0", "2.3"]

    error: there is no log parser `pytst`
       ┌─ envs/a.toml:10:10
       │
    10 │ parser = "pytst"
       │          ^^^^^^^ did you mean "pytest"?

    error: a work tree cannot lie in `/tmp/x`
       ┌─ envs/a.toml:11:11
       │
    11 │ workdir = "/tmp/x"
       │           ^^^^^^^^ a sandbox lays something of its own there

    error: 0 processors
       ┌─ envs/a.toml:12:8
       │
    12 │ cpus = 0
       │        ^ more than 0, at most 4096
    "#);
}

#[test]
fn each_value_that_cannot_be_meant_is_refused() {
    for (keys, said) in [
        ("python = \"2.7\"", "no version of Python"),
        ("python = \"3.9\"\nnode = \"20\"", "not both"),
        ("node = \"v20\"", "no version of Node"),
        ("packages = [\"a==1\"]", "of which program"),
        (
            "python = \"3.9\"\npackages = [\"--index-url=x\"]",
            "is an option",
        ),
        ("apt = [\"git; id\"]", "no package of the distribution"),
        ("apt = [\"\"]", "that is empty"),
        ("requirements = \"r.txt\"", "`requirements` are pip's"),
        (
            "python = \"3.9\"\nrequirements = \"none.txt\"",
            "there is no `",
        ),
        ("source = \"ext::sh -c id\"", "neither a url nor a path"),
        ("source = \"-x\"", "is an option"),
        ("install = \"\"", "that is empty"),
        ("install = [\"a\\u0000b\"]", "a control character"),
        ("workdir = \"testbed\"", "no folder for a work tree"),
        ("workdir = \"/a/../b\"", "no folder for a work tree"),
        ("env = { PATH = \"/x\" }", "is not to be set"),
        ("env = { \"A B\" = \"x\" }", "no variable's name"),
        ("env = { A = \"x\\ny\" }", "a control character"),
        ("memory_mb = 1", "1 MiB of memory"),
        ("timeout_sec = -1.0", "a limit of -1 s"),
        ("timeout_sec = nan", "a limit of NaN s"),
        ("network = \"ful\"", "did you mean \"full\"?"),
        ("test = 3", "a text, or a list of texts"),
        ("versions = []", "a list of no version"),
    ] {
        let told = refused(&format!("{LEAST}{keys}\n"));
        assert!(told.contains(said), "{keys}\n{told}");
        assert!(told.contains("envs/a.toml:"), "{keys}\n{told}");
    }
}

#[test]
fn what_is_beyond_its_bound_is_refused() {
    let long = "x".repeat(70_000);
    assert!(refused(&format!("{LEAST}install = \"{long}\"\n")).contains("64 KiB"));
    let many = vec!["\"a/b\""; 2001].join(",");
    let text = format!("[[environment]]\nrepos = [{many}]\nbase = \"b\"\n");
    assert!(refused(&text).contains("more than 2000"));
    assert!(refused(&format!("#{}", "x".repeat(1 << 20))).contains("larger than"));
}

#[test]
fn a_folder_without_files_and_a_file_without_environments_say_so() {
    assert!(Folder::of(&[]).read().unwrap_err().contains("no `*.toml`"));
    assert!(refused("").contains("no [[environment]]"));
    let nowhere = Environments::read(&["/nowhere/at/all.toml".into()], &[]);
    assert!(matches!(nowhere, Err(EnvironmentsError::NotFound { .. })));
}

#[test]
fn files_of_a_folder_are_one_set_and_others_are_left_alone() {
    let folder = Folder::of(&[
        ("a.toml", LEAST),
        ("b.toml", "[[environment]]\nrepo = \"c/d\"\nbase = \"b\"\n"),
        ("notes.md", "none"),
    ]);
    let set = folder.read().unwrap();
    assert_eq!(set.iter().count(), 2);
    let found = set.of("c/d", "").unwrap().unwrap();
    assert_eq!(folder.shown(&found.at.to_string()), "envs/b.toml:1");
    assert!(set.of("d/e", "1").unwrap().is_none());
}

const RANKED: &str = "[[environment]]\nrepo = \"*/*\"\nbase = \"any\"\nsource = \"mirrors/{repo}.git\"\n\
    [[environment]]\nrepos = [\"a/b\", \"a/c\"]\nbase = \"named\"\nsource = \"{name}.bundle\"\n\
    [[environment]]\nrepo = \"a/b\"\nversions = \">=2, <3\"\nbase = \"two\"\nsource = \"https://h/x\"\n\
    [[environment]]\nrepo = \"a/b\"\nversions = [\"2.5\", \"next\"]\nbase = \"both\"\n";

#[test]
fn a_name_wins_over_a_glob_and_versions_over_none() {
    let set = read(RANKED);
    let base = |repo: &str, version: &str| set.of(repo, version).unwrap().unwrap().base.clone();
    assert_eq!(base("z/z", "1"), "any");
    assert_eq!(base("A/C", "1"), "named");
    assert_eq!(base("a/b", "1"), "named");
    assert_eq!(base("a/b", "2.1"), "two");
    assert_eq!(base("a/b", "next"), "both");
}

#[test]
fn two_that_are_as_near_are_an_error_that_names_both_places() {
    let folder = Folder::of(&[("a.toml", RANKED)]);
    let error = folder.read().unwrap().of("a/b", "2.5").unwrap_err();
    assert_snapshot!(folder.shown(&error.render(false)), @r"
    error: two environments are for a/b 2.5: envs/a.toml:9 and envs/a.toml:14
      a name wins over a glob, and `versions` over none; else make their `versions` apart
    ");
}

#[test]
fn a_source_is_a_url_or_lies_beside_the_file() {
    let folder = Folder::of(&[("a.toml", RANKED)]);
    let set = folder.read().unwrap();
    let source = |repo: &str, version: &str| {
        let environment = set.of(repo, version).unwrap().unwrap();
        environment.source(repo)
    };
    let beside = |path: &str| folder.0.path().join(path);
    let mirror = Source::Repository(beside("mirrors/y/z.git"));
    assert_eq!(source("y/z", ""), mirror);
    assert_eq!(source("a/c", ""), Source::Bundle(beside("c.bundle")));
    assert_eq!(source("a/b", "2"), Source::Url("https://h/x".into()));
    assert_eq!(mirror.missing(), Some(beside("mirrors/y/z.git").as_path()));
    fs::create_dir_all(beside("mirrors/y/z.git")).unwrap();
    assert_eq!(mirror.missing(), None);
}

#[test]
fn a_row_that_names_no_repo_leads_nowhere() {
    let set = read(RANKED);
    for repo in [
        "../..", "a/..", "a/b/c", "a", "", "-a/b", "a/b c", "a/$(id)",
    ] {
        assert!(set.of(repo, "1").unwrap().is_none(), "{repo}");
    }
}

#[test]
fn several_repos_are_not_brought_from_one_place() {
    let text = "[[environment]]\nrepo = \"a/*\"\nbase = \"b\"\nsource = \"x.git\"\n";
    assert!(refused(text).contains("`{repo}` stands for owner/name"));
}

#[test]
fn a_package_without_a_version_is_told_and_taken() {
    let keys = "python = \"3.9\"\npackages = [\"pytest\", \"a==1\", \"b @ git+https://h/b\"]\n";
    let folder = Folder::of(&[("a.toml", &format!("{LEAST}{keys}"))]);
    let set = folder.read().unwrap();
    let told: Vec<String> = set.warnings.iter().map(|told| folder.shown(told)).collect();
    assert_eq!(
        told,
        ["envs/a.toml:5:12: pytest: no version is named, so it is that of the day of the build"]
    );
}

#[test]
fn a_requirements_file_stands_alone() {
    let keys = "python = \"3.9\"\nrequirements = \"r.txt\"\n";
    let toml = format!("{LEAST}{keys}");
    let with = |requirements: &str| Folder::of(&[("a.toml", &toml), ("r.txt", requirements)]);
    let set = with("# pinned\na==1 \\\n  --hash=sha256:00\n\nb==2 # why\n").read();
    let environment = set.unwrap().of("a/b", "").unwrap().unwrap().clone();
    let lines = ["a==1 \\", "--hash=sha256:00", "b==2 # why"];
    assert_eq!(environment.requirements, lines);
    assert!(environment.dockerfile().contains("'a==1 \\' \\\n"));
    let told = with("a==1\n-r other.txt\n").read().unwrap_err();
    assert!(
        told.contains("envs/r.txt:2:1") && told.contains("write it out"),
        "{told}"
    );
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(
        text in "(\\[\\[environment\\]\\]|repo|versions|base|test|env|=|\"a/b\"|\\[|\\]|\\{|\\}|1|\n|,| |é){0,40}"
    ) {
        let _ = Folder::of(&[("a.toml", &text)]).read();
    }
}
