//! Numbers in, numbers with their uncertainty out.
//!
//! Owns proportions, means, their intervals and quantiles. Works on plain
//! numbers: must not know trials, tasks, files or terminals. Nothing here ever
//! gives NaN or an infinity; what is undefined says why ([`Undefined`]).

mod interval;
mod normal;
mod quantile;
#[cfg(test)]
mod vector_tests;

pub use interval::{
    ClusteredMean, Interval, Method, RateInterval, clustered_mean, rate_interval, wilson,
};
pub use normal::normal_quantile;
pub use quantile::{median, quantile};

/// Why a number does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Undefined {
    #[error("there is no data")]
    NoData,
    #[error("all observations belong to one cluster")]
    SingleCluster,
    #[error("the input is invalid: {0}")]
    Invalid(&'static str),
}

impl Undefined {
    /// The name that stands in machine-readable output.
    pub fn reason(self) -> &'static str {
        match self {
            Undefined::NoData => "no_data",
            Undefined::SingleCluster => "single_cluster",
            Undefined::Invalid(_) => "invalid_input",
        }
    }
}
