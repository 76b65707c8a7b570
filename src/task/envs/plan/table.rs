//! A plan as people read it.

use std::fmt;
use std::fmt::Write as _;

use super::{Cost, Plan, Range};
use crate::diagnose::printable;

/// Most lines of environments, and of instances without an image.
const MOST_LINES: usize = 20;

impl Plan {
    /// The plan as a block of lines for a terminal; ends with a newline.
    pub fn table(&self) -> String {
        let mut lines = vec![["", "images", "download", "disk", "time"].map(str::to_owned)];
        let there = self.local.instances;
        lines.push([
            "there already".to_owned(),
            there.to_string(),
            String::new(),
            gigabytes(Range::new(bytes(self.local.bytes), bytes(self.local.bytes))),
            String::new(),
        ]);
        lines.push(line("pulled", self.pulled.images, self.pulled.cost));
        let environments = self.built.environments.iter();
        let new = environments.filter(|one| !one.is_built).count();
        let images = new + self.built.instances;
        lines.push(line("built", images, self.built.cost));
        lines.push(line("needed", self.pulled.images + images, self.total));
        let mut text = format!("{} instances\n", self.instances);
        for line in &lines {
            let [what, images, download, disk, time] = line;
            let row = format!("{what:<14}{images:>7}  {download:>14}  {disk:>14}  {time:>16}");
            text.push_str(row.trim_end());
            text.push('\n');
        }
        self.tell_built(&mut text, new);
        self.tell_without(&mut text);
        for from in &self.figures_from {
            let _ = writeln!(text, "  {from}");
        }
        text
    }

    fn tell_built(&self, text: &mut String, new: usize) {
        if self.built.instances > 0 {
            let made = match new {
                0 => "no image of environments is to be made; those".to_owned(),
                new => format!("{} of environments", counted(new, "image")),
            };
            let _ = writeln!(
                text,
                "\n{made}, shared by {} of instances:",
                counted(self.built.instances, "image"),
            );
        }
        let environments = &self.built.environments;
        for one in environments.iter().take(MOST_LINES) {
            let there = if one.is_built { ", there already" } else { "" };
            let repos = shortened(&one.repos);
            let _ = writeln!(
                text,
                "  {:>5}  {}  {repos}{there}",
                one.instances,
                printable(&one.at)
            );
        }
        more(text, environments.len());
        if self.pulled.have_environment > 0 {
            let _ = writeln!(
                text,
                "\n{} of those pulled would be built from a specification with `images.pull = false`",
                self.pulled.have_environment
            );
        }
    }

    fn tell_without(&self, text: &mut String) {
        if self.without.is_empty() {
            text.push('\n');
            return;
        }
        let _ = writeln!(
            text,
            "\n{} without an image:",
            counted(self.without.len(), "instance")
        );
        for one in self.without.iter().take(MOST_LINES) {
            let _ = writeln!(
                text,
                "  {}: {}",
                printable(&one.instance_id),
                printable(&one.reason)
            );
        }
        more(text, self.without.len());
        text.push_str(
            "  try: load their official images into the engine, allow `images.pull`, or write a\n  \
             specification (docs/environments.md)\n\n",
        );
    }
}

fn line(what: &str, images: usize, cost: Cost) -> [String; 5] {
    [
        what.to_owned(),
        images.to_string(),
        gigabytes(cost.download_gb),
        gigabytes(cost.disk_gb),
        minutes(cost.minutes),
    ]
}

fn bytes(bytes: u64) -> f64 {
    bytes as f64 / 1e9
}

fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

fn shortened(repos: &[String]) -> String {
    let shown: Vec<String> = repos.iter().take(3).map(|repo| printable(repo)).collect();
    match repos.len() {
        ..=3 => shown.join(", "),
        all => format!("{} and {} more", shown.join(", "), all - 3),
    }
}

fn more(text: &mut String, all: usize) {
    if all > MOST_LINES {
        let _ = writeln!(text, "  … and {} more", all - MOST_LINES);
    }
}

fn gigabytes(range: Range) -> String {
    match range.high {
        0.0 => "0".to_owned(),
        _ => format!("{} GB", Shown(range)),
    }
}

fn minutes(range: Range) -> String {
    match (range.low, range.high) {
        (_, 0.0) => "0".to_owned(),
        (_, high) if high < 100.0 => format!("{} min", Shown(range)),
        _ => format!("{} h", Shown(range.times(1.0 / 60.0, 1.0 / 60.0))),
    }
}

/// A range with two digits that count.
struct Shown(Range);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (low, high) = (two_digits(self.0.low), two_digits(self.0.high));
        match low == high {
            true => f.write_str(&low),
            false => write!(f, "{low}–{high}"),
        }
    }
}

fn two_digits(value: f64) -> String {
    match value {
        value if value >= 100.0 => {
            let step = 10_f64.powf(value.log10().floor() - 1.0);
            format!("{}", (value / step).round() * step)
        }
        value if value >= 10.0 => format!("{value:.0}"),
        value if value >= 0.1 => format!("{value:.1}"),
        0.0 => "0".to_owned(),
        _ => "<0.1".to_owned(),
    }
}
