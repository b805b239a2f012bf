//! Ids of calls: `c-`, the time, a counter. They sort by the time of their call and are unique in a bridge.
//! They are names, never secrets.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use super::limits::CALL_ID_BYTES;
use crate::error::{Error, Kind};

/// Crockford's alphabet: no letter that reads as another.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A new id, such as `c-01kapq3v7e8h2m4q`.
pub(super) fn fresh() -> Arc<str> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    static SEED: OnceLock<u64> = OnceLock::new();
    // A random start keeps the ids of two bridges on one machine apart.
    let seed = *SEED.get_or_init(|| RandomState::new().hash_one(std::process::id()));
    let number = seed.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
    let millis = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis());
    let mut text = String::with_capacity(18);
    text.push_str("c-");
    push_base32(&mut text, millis as u64, 10);
    push_base32(&mut text, number, 6);
    text.into()
}

/// The id that a caller chose, or a new one when it chose none.
pub(super) fn chosen(id: &str) -> Result<Arc<str>, Error> {
    if id.is_empty() {
        return Ok(fresh());
    }
    if id.len() > CALL_ID_BYTES || id.chars().any(char::is_control) {
        return Err(Error::new(
            Kind::BadRequest,
            format!("a call id has 1 to {CALL_ID_BYTES} bytes and no control characters"),
        ));
    }
    Ok(id.into())
}

fn push_base32(text: &mut String, number: u64, digits: u32) {
    for digit in (0..digits).rev() {
        let value = (number >> (digit * 5)) & 31;
        text.push(char::from(ALPHABET[value as usize]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_are_unique_and_of_one_length() {
        let ids: HashSet<_> = (0..10_000).map(|_| fresh()).collect();
        assert_eq!(ids.len(), 10_000);
        assert!(ids.iter().all(|id| id.len() == 18));
    }

    #[test]
    fn a_chosen_id_is_kept_and_a_control_character_refused() {
        assert_eq!(&*chosen("mine").unwrap(), "mine");
        assert_eq!(chosen("a\nb").unwrap_err().kind(), Kind::BadRequest);
        assert_eq!(chosen(&"x".repeat(129)).unwrap_err().kind(), Kind::BadRequest);
    }
}
