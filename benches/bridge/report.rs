//! Medians over rounds, and the table.

use std::time::Duration;

use crate::load::Sample;

/// Rounds of each pair: odd, so that the median is one of them. `SNAKEPIT_BENCH_ROUNDS` overrides.
pub fn rounds() -> usize {
    std::env::var("SNAKEPIT_BENCH_ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(5)
}

/// The median of some numbers.
pub fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// One side of a comparison over all rounds.
#[derive(Debug, Default)]
pub struct Side(pub Vec<Sample>);

impl Side {
    /// Median calls a second.
    pub fn rate(&self) -> f64 {
        median(self.0.iter().map(|sample| sample.rate).collect())
    }

    /// Median of the median latencies.
    pub fn p50(&self) -> Duration {
        Duration::from_secs_f64(median(
            self.0.iter().map(|sample| sample.p50.as_secs_f64()).collect(),
        ))
    }

    /// Median of the 99th percentiles.
    pub fn p99(&self) -> Duration {
        Duration::from_secs_f64(median(
            self.0.iter().map(|sample| sample.p99.as_secs_f64()).collect(),
        ))
    }
}

/// Median of the ratios of rounds that ran side by side.
pub fn ratio(ours: &Side, theirs: &Side, of: impl Fn(&Sample) -> f64) -> f64 {
    median(
        ours.0
            .iter()
            .zip(&theirs.0)
            .map(|(one, other)| of(one) / of(other))
            .collect(),
    )
}

/// Prints a comparison: rates, latencies, and the ratio with its aim.
pub fn line(what: &str, ours: (&str, &Side), theirs: (&str, &Side), ratio: f64, aim: &str) {
    let show = |(name, side): (&str, &Side)| {
        format!(
            "{name} {:>8.0}/s p50 {:>7.0?} p99 {:>7.0?}",
            side.rate(),
            micros(side.p50()),
            micros(side.p99())
        )
    };
    println!(
        "{what:<34} {}   {}   ratio {ratio:.2}  (aim {aim})",
        show(ours),
        show(theirs)
    );
}

fn micros(duration: Duration) -> Duration {
    Duration::from_micros(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
}
