//! How long to wait before the next try: exponential, with jitter, per slot. Pure.

use std::time::Duration;

/// The first wait.
pub const FIRST: Duration = Duration::from_millis(100);
/// The longest wait after a process that never took calls.
pub const LONGEST: Duration = Duration::from_secs(30);
/// The longest wait after a process that did: whoever kills it again and again, the pool is whole again in two seconds,
/// and a start a second is what a machine can bear.
pub const LONGEST_AFTER_UP: Duration = Duration::from_millis(500);
/// The longest wait for a bridge that is away: asking costs little, and it wants its workers when it is back.
pub const LONGEST_FOR_BRIDGE: Duration = Duration::from_secs(1);
/// A process that lived this long starts the count again.
pub const SETTLED: Duration = Duration::from_secs(60);

/// The tries of one slot.
#[derive(Debug, Default, Clone)]
pub struct Backoff {
    tries: u32,
}

impl Backoff {
    /// The next wait, between half of the step and the whole of it; `random` decides where. No step is above
    /// `longest`.
    pub fn next(&mut self, random: u64, longest: Duration) -> Duration {
        let step = FIRST.saturating_mul(2u32.saturating_pow(self.tries)).min(longest);
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
        let longest: Vec<_> = (0..12).map(|_| backoff.next(u64::MAX, LONGEST)).collect();
        assert!(longest[0] >= FIRST / 2 && longest[0] <= FIRST);
        assert!(longest[3] > Duration::from_millis(400) && longest[3] <= Duration::from_millis(800));
        assert!(longest[11] >= LONGEST / 2 && longest[11] <= LONGEST);
        assert!(backoff.next(u64::MAX, LONGEST_AFTER_UP) <= LONGEST_AFTER_UP);
        backoff.reset();
        assert!(backoff.next(7, LONGEST) <= FIRST);
    }

    #[test]
    fn it_never_overflows() {
        let mut backoff = Backoff { tries: u32::MAX };
        assert!(backoff.next(3, LONGEST) <= LONGEST);
    }
}
