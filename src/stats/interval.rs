//! Intervals of a proportion, alone and where observations come in clusters.

use std::collections::BTreeMap;

use super::{Undefined, normal_quantile};

/// Both ends of an interval, within 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    pub lo: f64,
    pub hi: f64,
}

/// A mean with its cluster-robust standard errors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClusteredMean {
    pub mean: f64,
    pub observations: usize,
    pub clusters: usize,
    /// Without a correction for few clusters (CR0).
    pub se_cr0: f64,
    /// With the factor G/(G−1) on the variance (CR1).
    pub se_cr1: f64,
}

/// How an interval of a rate was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Every cluster holds one observation: Wilson over the observations.
    Wilson,
    /// Wilson over as many observations as the clustered standard error is worth.
    WilsonClustered,
    /// No spread could be seen (all alike, or one cluster): Wilson over the clusters.
    WilsonClusters,
}

impl Method {
    /// The name that stands in machine-readable output.
    pub fn name(self) -> &'static str {
        match self {
            Method::Wilson => "wilson",
            Method::WilsonClustered => "wilson_clustered",
            Method::WilsonClusters => "wilson_clusters",
        }
    }
}

/// A rate with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateInterval {
    pub rate: f64,
    pub interval: Interval,
    pub method: Method,
    pub observations: usize,
    pub clusters: usize,
    /// The number of independent observations that the interval rests on.
    pub effective: f64,
    /// CR1; none where it is undefined (one cluster).
    pub standard_error: Option<f64>,
}

/// Wilson's score interval of a proportion.
///
/// Formula: Wilson, "Probable inference, the law of succession, and statistical
/// inference", JASA 22 (1927); `level` is the confidence, such as 0.95.
///
/// # Errors
/// [`Undefined::NoData`] where `n` is 0, [`Undefined::Invalid`] where there are
/// more successes than trials or the level is not strictly between 0 and 1.
pub fn wilson(successes: u64, n: u64, level: f64) -> Result<Interval, Undefined> {
    if n == 0 {
        return Err(Undefined::NoData);
    }
    if successes > n {
        return Err(Undefined::Invalid("at most as many successes as trials"));
    }
    score_interval(successes as f64 / n as f64, n as f64, level)
}

/// Wilson's interval for a rate `p` that is worth `n` observations, `n` not
/// necessarily whole.
fn score_interval(p: f64, n: f64, level: f64) -> Result<Interval, Undefined> {
    if !(level > 0.0 && level < 1.0) {
        return Err(Undefined::Invalid("a level strictly between 0 and 1"));
    }
    let z = normal_quantile(0.5 + level / 2.0)?;
    let z2 = z * z;
    let scale = 1.0 + z2 / n;
    let centre = (p + z2 / (2.0 * n)) / scale;
    let half = z / scale * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    // At a rate of 0 or 1 the touching end is exact; rounding must not move it.
    Ok(Interval {
        lo: if p <= 0.0 {
            0.0
        } else {
            (centre - half).max(0.0)
        },
        hi: if p >= 1.0 {
            1.0
        } else {
            (centre + half).min(1.0)
        },
    })
}

/// The mean of observations that come in clusters, with its standard error by
/// the sandwich estimator: √(Σ_g (Σ_i (x_gi − x̄))²) / n.
///
/// Formula: Liang and Zeger, "Longitudinal data analysis using generalized linear
/// models", Biometrika 73 (1986), for an intercept alone; for evaluations Miller,
/// "Adding error bars to evals" (2024). CR1 multiplies by √(G/(G−1)).
///
/// # Errors
/// [`Undefined::NoData`] without observations, [`Undefined::SingleCluster`] where
/// all belong to one cluster (the sum would be exactly 0 and read as certainty),
/// [`Undefined::Invalid`] where a value is not finite.
pub fn clustered_mean(observations: &[(f64, &str)]) -> Result<ClusteredMean, Undefined> {
    if observations.is_empty() {
        return Err(Undefined::NoData);
    }
    if observations.iter().any(|(value, _)| !value.is_finite()) {
        return Err(Undefined::Invalid("finite values"));
    }
    let n = observations.len() as f64;
    let mean = observations.iter().map(|(value, _)| value).sum::<f64>() / n;
    let mut residuals: BTreeMap<&str, f64> = BTreeMap::new();
    for (value, cluster) in observations {
        *residuals.entry(cluster).or_default() += value - mean;
    }
    let clusters = residuals.len();
    if clusters < 2 {
        return Err(Undefined::SingleCluster);
    }
    let se_cr0 = residuals.values().map(|sum| sum * sum).sum::<f64>().sqrt() / n;
    let g = clusters as f64;
    Ok(ClusteredMean {
        mean,
        observations: observations.len(),
        clusters,
        se_cr0,
        se_cr1: se_cr0 * (g / (g - 1.0)).sqrt(),
    })
}

/// A success rate with its interval, where trials come in clusters (attempts at
/// one task, tasks of one repo).
///
/// The clustered standard error `se` (CR1) says how many independent trials the
/// sample is worth, p(1−p)/se², at least 1 and at most as many as there are;
/// Wilson's interval is taken for that many (Dean and Pagano, "Evaluating
/// confidence interval methods for binomial proportions in clustered surveys",
/// J. Survey Statistics and Methodology 3, 2015). So it stays within 0 to 1 and is
/// asymmetric near the ends. Fallbacks: one trial in every cluster: Wilson as it
/// is; all alike, or one cluster: no spread can be seen, and each cluster counts
/// as one trial. The width is therefore never 0.
///
/// # Errors
/// [`Undefined::NoData`] without trials, [`Undefined::Invalid`] for a bad level.
pub fn rate_interval(trials: &[(bool, &str)], level: f64) -> Result<RateInterval, Undefined> {
    if trials.is_empty() {
        return Err(Undefined::NoData);
    }
    let observations: Vec<(f64, &str)> = trials
        .iter()
        .map(|(success, cluster)| (if *success { 1.0 } else { 0.0 }, *cluster))
        .collect();
    let successes = trials.iter().filter(|(success, _)| *success).count();
    let n = trials.len();
    let rate = successes as f64 / n as f64;
    let clustered = clustered_mean(&observations).ok();
    let clusters = clustered.map_or(1, |mean| mean.clusters);
    let alike = successes == 0 || successes == n;
    let (method, effective) = match clustered {
        _ if clusters == n => (Method::Wilson, n as f64),
        Some(mean) if !alike => {
            let worth = rate * (1.0 - rate) / (mean.se_cr1 * mean.se_cr1);
            // A standard error of 0 (each cluster with the same share) is worth infinitely many.
            (Method::WilsonClustered, worth.clamp(1.0, n as f64))
        }
        _ => (Method::WilsonClusters, clusters as f64),
    };
    Ok(RateInterval {
        rate,
        interval: score_interval(rate, effective, level)?,
        method,
        observations: n,
        clusters,
        effective,
        standard_error: clustered.map(|mean| mean.se_cr1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempts(shape: &[(&'static str, usize, usize)]) -> Vec<(bool, &'static str)> {
        shape
            .iter()
            .flat_map(|&(task, resolved, of)| (0..of).map(move |i| (i < resolved, task)))
            .collect()
    }

    fn width(found: RateInterval) -> f64 {
        found.interval.hi - found.interval.lo
    }

    #[test]
    fn one_trial_a_cluster_is_wilson() {
        let found = rate_interval(&attempts(&[("a", 1, 1), ("b", 0, 1), ("c", 1, 1)]), 0.95);
        let found = found.unwrap();
        assert_eq!(found.method, Method::Wilson);
        assert_eq!(found.interval, wilson(2, 3, 0.95).unwrap());
    }

    #[test]
    fn attempts_that_agree_are_worth_little_more_than_one() {
        let trials = attempts(&[("a", 3, 3), ("b", 0, 3), ("c", 3, 3), ("d", 0, 3)]);
        let found = rate_interval(&trials, 0.95).unwrap();
        assert_eq!(found.method, Method::WilsonClustered);
        assert!((found.effective - 3.0).abs() < 1e-9);
        let alone = wilson(6, 12, 0.95).unwrap();
        assert!(width(found) > alone.hi - alone.lo);
    }

    #[test]
    fn certainty_is_never_shown() {
        for trials in [
            attempts(&[("a", 3, 3), ("b", 3, 3)]),
            attempts(&[("a", 0, 5)]),
            attempts(&[("a", 1, 2), ("b", 1, 2)]),
            attempts(&[("a", 1, 1)]),
        ] {
            let found = rate_interval(&trials, 0.95).unwrap();
            assert!(width(found) > 0.2, "{found:?}");
            assert!(found.interval.lo >= 0.0 && found.interval.hi <= 1.0);
        }
    }

    #[test]
    fn all_alike_counts_tasks_not_attempts() {
        let trials = attempts(&[("a", 5, 5), ("b", 5, 5)]);
        let found = rate_interval(&trials, 0.95).unwrap();
        assert_eq!(found.method, Method::WilsonClusters);
        assert_eq!(found.interval, wilson(2, 2, 0.95).unwrap());
    }

    #[test]
    fn no_trials_have_no_rate() {
        assert_eq!(rate_interval(&[], 0.95).unwrap_err().reason(), "no_data");
        assert_eq!(wilson(3, 2, 0.95).unwrap_err().reason(), "invalid_input");
    }
}
