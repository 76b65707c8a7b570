//! Quantiles of a sample.

use super::Undefined;

/// The `q` quantile of a sample in any order, linear between order statistics
/// (type 7 of Hyndman and Fan, "Sample quantiles in statistical packages", 1996).
///
/// # Errors
/// [`Undefined::NoData`] for an empty sample, [`Undefined::Invalid`] for values
/// that are not finite or a `q` outside of 0 to 1.
pub fn quantile(sample: &[f64], q: f64) -> Result<f64, Undefined> {
    if !(0.0..=1.0).contains(&q) {
        return Err(Undefined::Invalid("a quantile from 0 to 1"));
    }
    if sample.iter().any(|value| !value.is_finite()) {
        return Err(Undefined::Invalid("finite values"));
    }
    let mut sorted = sample.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else {
        return Err(Undefined::NoData);
    };
    let position = q * last as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(last);
    let share = position - below as f64;
    Ok(sorted[below] + share * (sorted[above] - sorted[below]))
}

/// The middle of a sample; between the two middle ones where their number is even.
///
/// # Errors
/// As [`quantile`].
pub fn median(sample: &[f64]) -> Result<f64, Undefined> {
    quantile(sample, 0.5)
}
