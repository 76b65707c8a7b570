//! What images of the SWE-bench family weigh, as far as somebody has measured it.

use super::{Cost, Range};

/// Compressed sizes of a family's official images, 10⁹ bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// Of the smallest.
    least: f64,
    mean: f64,
    /// Of the largest.
    most: f64,
}

/// SWE-bench, Lite, Verified: 500 images of Verified, 619 GB together, median 1.12.
const PYTHON: Figures = Figures {
    least: 0.81,
    mean: 1.24,
    most: 3.22,
};
/// Multilingual: 300 images, 200 GB together, median 0.53. The smallest and the largest
/// were not told: these are a guess.
const OTHERS: Figures = Figures {
    least: 0.2,
    mean: 0.67,
    most: 3.0,
};

/// The repos of SWE-bench itself.
const PYTHON_REPOS: [&str; 12] = [
    "astropy/astropy",
    "django/django",
    "matplotlib/matplotlib",
    "mwaskom/seaborn",
    "pallets/flask",
    "psf/requests",
    "pydata/xarray",
    "pylint-dev/pylint",
    "pytest-dev/pytest",
    "scikit-learn/scikit-learn",
    "sphinx-doc/sphinx",
    "sympy/sympy",
];

/// What is left of many images when what they share is counted once.
const SHARED: f64 = 0.2;
/// From compressed to unpacked.
const UNPACKED: Range = Range::new(2.5, 3.0);
/// 10⁹ bytes a minute, at 1000 and at 100 Mbit/s.
const PER_MINUTE: Range = Range::new(7.5, 0.75);

/// Of an environment's image, and of what an instance's adds to it: from a small
/// library in pure Python to one with compilers and compiled code.
const ENVIRONMENT_GB: Range = Range::new(0.3, 1.5);
const ENVIRONMENT_MINUTES: Range = Range::new(0.5, 5.0);
const ENVIRONMENT_DOWNLOAD: Range = Range::new(0.1, 0.5);
const INSTANCE_GB: Range = Range::new(0.01, 0.4);
const INSTANCE_MINUTES: Range = Range::new(0.1, 2.0);

pub const PULLS_FROM: [&str; 5] = [
    "official images, compressed, by a registry's own figures: 500 of Verified have",
    "0.81 to 3.22 GB, median 1.12, mean 1.24; 300 of Multilingual median 0.53, mean 0.67",
    "from: a fifth of their sum, which is what others found when shared layers count once;",
    "to: nothing shared. On the disk 2.5 to 3 times as much",
    "time at 1000 to 100 Mbit/s, without unpacking",
];
pub const BUILDS_FROM: [&str; 3] = [
    "from: builds of small libraries in pure Python on two cores (0.3 to 0.4 GB and 1.5",
    "minutes for an environment, 3 to 10 s for an instance); to: a guess for compiled ones",
    "without the history of each repo, which is fetched once where it is not local",
];

impl Figures {
    /// Of the family that a repo belongs to.
    pub fn of(repo: &str) -> Self {
        match PYTHON_REPOS.contains(&repo) {
            true => PYTHON,
            false => OTHERS,
        }
    }
}

/// What pulling images takes.
pub fn pulls<'f>(images: impl Iterator<Item = &'f Figures>) -> Cost {
    let (mut sum, mut least, mut extra) = (0.0, f64::INFINITY, 0.0_f64);
    for figures in images {
        sum += figures.mean;
        least = least.min(figures.least);
        // One of few may be the largest; among many it is in the mean.
        extra = extra.max(figures.most - figures.mean);
    }
    if sum == 0.0 {
        return Cost::default();
    }
    let download_gb = Range::new((sum * SHARED).max(least), sum + extra);
    Cost {
        download_gb,
        disk_gb: download_gb.times(UNPACKED.low, UNPACKED.high),
        minutes: download_gb.times(1.0 / PER_MINUTE.low, 1.0 / PER_MINUTE.high),
    }
}

/// What building an environment's image, where it is not there, and those of its
/// instances takes.
pub fn builds(is_built: bool, instances: usize) -> Cost {
    let count = instances as f64;
    let own = if is_built { 0.0 } else { 1.0 };
    let sum = |environment: Range, instance: Range| {
        let instances = instance.times(count, count);
        environment.times(own, own).and(instances)
    };
    Cost {
        download_gb: ENVIRONMENT_DOWNLOAD.times(own, own),
        disk_gb: sum(ENVIRONMENT_GB, INSTANCE_GB),
        minutes: sum(ENVIRONMENT_MINUTES, INSTANCE_MINUTES),
    }
}
