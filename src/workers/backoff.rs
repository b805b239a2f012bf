//! How long to wait before the next try: exponential, with jitter, per slot. Pure.

use std::time::Duration;

/// The first wait.
pub const FIRST: Duration = Duration::from_millis(100);
/// The longest wait.
pub const LONGEST: Duration = Duration::from_secs(30);
/// A process that lived this long starts the count again.
pub const SETTLED: Duration = Duration::from_secs(60);

/// The tries of one slot.
#[derive(Debug, Default, Clone)]
pub struct Backoff {
    tries: u32,
}

impl Backoff {
    /// The next wait, between half of the step and the whole of it; `random` decides where.
    pub fn next(&mut self, random: u64) -> Duration {
        let step = FIRST.saturating_mul(2u32.saturating_pow(self.tries)).min(LONGEST);
        self.tries = self.tries.saturating_add(1);
        let half = step / 2;
        let span = u64::try_from(half.as_micros()).unwrap_or(u64::MAX).max(1);
        half + Duration::from_micros(random % span)
    }

    /// Forgets the tries after something went well.
    pub fn reset(&mut self) {
        self.tries = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_start_again() {
        let mut backoff = Backoff::default();
        let longest: Vec<_> = (0..12).map(|_| backoff.next(u64::MAX)).collect();
        assert!(longest[0] >= FIRST / 2 && longest[0] <= FIRST);
        assert!(longest[3] > Duration::from_millis(400) && longest[3] <= Duration::from_millis(800));
        assert!(longest[11] >= LONGEST / 2 && longest[11] <= LONGEST);
        backoff.reset();
        assert!(backoff.next(7) <= FIRST);
    }

    #[test]
    fn it_never_overflows() {
        let mut backoff = Backoff { tries: u32::MAX };
        assert!(backoff.next(3) <= LONGEST);
    }
}
