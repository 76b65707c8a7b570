//! Under which names the image of an instance may be found.

use super::{Row, Shape};

impl Row {
    /// Names of images, the best first: the row's own, that of its data set's makers,
    /// swebench's on the hub, and the one that swebench gives what it builds here.
    /// Images of SWE-smith are per repo and not on swebench's list.
    pub fn official_images(&self) -> Vec<String> {
        let id = self.instance_id.to_lowercase();
        let hub = id.replace("__", "_1776_");
        let mut names: Vec<String> = self.image.iter().cloned().collect();
        if self.shape == Shape::Live {
            names.push(format!("starryzhang/sweb.eval.x86_64.{hub}:latest"));
        }
        if self.shape == Shape::Smith {
            names.extend(of_mirror(&self.repo));
        } else {
            names.push(format!("swebench/sweb.eval.x86_64.{hub}:latest"));
            names.push(format!("sweb.eval.x86_64.{id}:latest"));
        }
        let mut once: Vec<String> = Vec::with_capacity(names.len());
        for name in names {
            if !once.contains(&name) {
                once.push(name);
            }
        }
        once
    }
}

/// Of a mirror `swesmith/<owner>__<name>.<commit8>`.
fn of_mirror(repo: &str) -> Option<String> {
    let name = repo.strip_prefix("swesmith/")?.to_lowercase();
    let name = name.replace("__", "_1776_");
    Some(format!("swebench/swesmith.x86_64.{name}:latest"))
}
