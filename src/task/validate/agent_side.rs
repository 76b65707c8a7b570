//! The agent's side of a task: its limits, and the repo.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::Checker;
use crate::task::raw::{AgentTable, HistoryName, RepoTable};
use crate::task::{AgentRules, History, Repo, RepoSource};

pub fn agent_rules(table: &AgentTable, check: &mut Checker<'_>) -> AgentRules {
    AgentRules {
        timeout: check.seconds("agent.timeout_sec", table.timeout_sec),
        user: check.user("agent.user", table.user.as_ref()),
    }
}

pub fn repo(table: &RepoTable, check: &mut Checker<'_>) -> Option<Repo> {
    if let Some(workdir) = &table.workdir
        && check.sandbox_path("repo.workdir", workdir)
        && workdir.trim_end_matches('/').is_empty()
    {
        check.wrong(
            "repo.workdir",
            "the work tree cannot be the whole sandbox",
            "a folder below `/`",
        );
    }
    let source = repo_source(table, check)?;
    let commit = commit(table, &source, check);
    Some(Repo {
        source,
        commit,
        workdir: table.workdir.clone(),
        history: match table.history {
            Some(HistoryName::None) => History::None,
            _ => History::Ancestors,
        },
    })
}

fn repo_source(table: &RepoTable, check: &mut Checker<'_>) -> Option<RepoSource> {
    if table.in_image == Some(true) {
        if table.path.is_some() || table.url.is_some() {
            check.wrong(
                "repo.in_image",
                "a repo is the image's own or has a `path` or a `url`, not both",
                "",
            );
        }
        return Some(RepoSource::Image);
    }
    match (&table.path, &table.url) {
        (Some(_), Some(_)) => {
            check.wrong("repo.url", "a repo has a `path` or a `url`, not both", "");
            None
        }
        (None, None) => {
            check.wrong(
                "repo",
                "[repo] does not say where the repo is",
                "it needs a `path` (a folder or a git bundle), a `url`, or `in_image = true`",
            );
            None
        }
        (Some(path), None) => {
            let found = check.inside("repo.path", path)?;
            if found.is_dir() {
                return Some(RepoSource::Folder(found));
            }
            if !is_bundle(&found) {
                check.wrong(
                    "repo.path",
                    format!("`{path}` is neither a folder nor a git bundle"),
                    "a bundle is made by `git bundle create`",
                );
                return None;
            }
            Some(RepoSource::Bundle(found))
        }
        (None, Some(url)) => {
            let schemes = ["https://", "http://", "ssh://"];
            let plain = schemes.iter().any(|scheme| url.starts_with(scheme))
                && !url
                    .chars()
                    .any(|sign| sign.is_control() || sign.is_whitespace());
            if !plain {
                check.wrong("repo.url", format!("`{url}` is not a url"), "https://…");
            }
            Some(RepoSource::Url(url.clone()))
        }
    }
}

fn is_bundle(path: &Path) -> bool {
    let mut head = Vec::new();
    File::open(path)
        .and_then(|file| file.take(16).read_to_end(&mut head))
        .is_ok_and(|_| head.starts_with(b"# v2 git bundle") || head.starts_with(b"# v3 git bundle"))
}

fn commit(table: &RepoTable, source: &RepoSource, check: &mut Checker<'_>) -> Option<String> {
    match (&table.commit, source) {
        (None, RepoSource::Folder(_) | RepoSource::Image) => None,
        (Some(_), RepoSource::Folder(_)) => {
            check.wrong(
                "repo.commit",
                "a folder has no commit: it becomes one",
                "`commit` is for a bundle or a url",
            );
            None
        }
        (None, _) => {
            check.wrong(
                "repo",
                "[repo] does not say which `commit`",
                "40 hex digits",
            );
            None
        }
        (Some(commit), _) => {
            let whole = commit.len() == 40 && commit.bytes().all(|sign| sign.is_ascii_hexdigit());
            if !whole {
                check.wrong(
                    "repo.commit",
                    format!("`{commit}` is not a commit"),
                    format!(
                        "40 hex digits; these are {} characters",
                        commit.chars().count()
                    ),
                );
            }
            Some(commit.to_ascii_lowercase())
        }
    }
}
