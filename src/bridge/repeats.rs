//! Requests that were answered, under the ids that their callers gave them: a repeat gets the first answer and does
//! nothing again.
//!
//! What is kept is the reply's bytes, not what it was made of: nothing large stays alive by it.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::{sync::watch, time::Instant};

use crate::error::{Error, Kind, Result, Status};

/// Requests that are remembered at once.
pub const MAX_REMEMBERED: usize = 10_000;

/// How long a request is remembered.
pub const REMEMBERED_FOR: Duration = Duration::from_secs(600);

/// Bytes of replies that are remembered at once.
const MAX_REMEMBERED_BYTES: usize = 16 * 1024 * 1024;

/// Longest id of a request in bytes.
const MAX_ID_BYTES: usize = 255;

/// An encoded reply, or why there is none.
pub type Answer = Result<Bytes>;

/// The memory of one session, or of the directory.
#[derive(Debug, Default)]
pub struct Repeats(Arc<Mutex<Memory>>);

#[derive(Debug, Default)]
struct Memory {
    entries: HashMap<Arc<str>, Entry>,
    order: VecDeque<(Instant, Arc<str>)>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    print: u64,
    since: Instant,
    bytes: usize,
    answer: watch::Receiver<Option<Answer>>,
}

/// What became of asking for a request by its id.
pub enum Claimed {
    /// Nobody asked before: do it, then [`Ticket::settle`].
    First(Ticket),
    /// Somebody did: take that answer.
    Again(Earlier),
}

/// The right, and the duty, to answer first.
pub struct Ticket {
    memory: Arc<Mutex<Memory>>,
    id: Arc<str>,
    since: Instant,
    answer: watch::Sender<Option<Answer>>,
}

/// An answer that is there or comes.
pub struct Earlier(watch::Receiver<Option<Answer>>);

impl Repeats {
    /// Asks for a request by its id; `print` tells one request from another.
    ///
    /// # Errors
    /// [`Kind::BadRequest`] when the id was used for another request, or is too long.
    pub fn claim(&self, id: &str, print: u64) -> Result<Claimed> {
        if id.len() > MAX_ID_BYTES {
            return Err(Error::new(
                Kind::BadRequest,
                format!("`request_id` is longer than {MAX_ID_BYTES} bytes"),
            ));
        }
        let now = Instant::now();
        let mut memory = self.0.lock();
        memory.forget_old(now);
        if let Some(entry) = memory.entries.get(id) {
            if entry.print != print {
                return Err(Error::new(
                    Kind::BadRequest,
                    format!("`request_id` {} was used for another request", id.escape_debug()),
                )
                .hint("give each request an id of its own, and repeat one only as it was"));
            }
            return Ok(Claimed::Again(Earlier(entry.answer.clone())));
        }
        let (send, receive) = watch::channel(None);
        let id: Arc<str> = id.into();
        memory.insert(&id, print, now, receive);
        Ok(Claimed::First(Ticket {
            memory: Arc::clone(&self.0),
            id,
            since: now,
            answer: send,
        }))
    }
}

impl Memory {
    fn insert(&mut self, id: &Arc<str>, print: u64, since: Instant, answer: watch::Receiver<Option<Answer>>) {
        let entry = Entry {
            print,
            since,
            bytes: id.len(),
            answer,
        };
        self.bytes += entry.bytes;
        self.entries.insert(Arc::clone(id), entry);
        self.order.push_back((since, Arc::clone(id)));
    }

    fn forget_old(&mut self, now: Instant) {
        while let Some((since, id)) = self.order.front() {
            let room = self.entries.len() < MAX_REMEMBERED && self.bytes < MAX_REMEMBERED_BYTES;
            if room && now.duration_since(*since) < REMEMBERED_FOR {
                return;
            }
            let (since, id) = (*since, Arc::clone(id));
            self.order.pop_front();
            self.remove(&id, since);
        }
    }

    /// Removes an entry, unless the id has been taken again since.
    fn remove(&mut self, id: &str, since: Instant) {
        if self.entries.get(id).is_some_and(|entry| entry.since == since)
            && let Some(entry) = self.entries.remove(id)
        {
            self.bytes -= entry.bytes;
        }
    }
}

impl Ticket {
    /// Answers everybody who asked by this id, and who will. What never started is told and not remembered, so that a
    /// repeat can do it.
    pub fn settle(self, answer: Answer) {
        let passing = |error: &Error| {
            matches!(
                error.kind().status(),
                Status::Unavailable | Status::ResourceExhausted | Status::Internal
            )
        };
        let mut memory = self.memory.lock();
        match &answer {
            Err(error) if passing(error) => memory.remove(&self.id, self.since),
            Err(_) => {}
            Ok(bytes) => {
                if let Some(entry) = memory.entries.get_mut(&self.id)
                    && entry.since == self.since
                {
                    entry.bytes += bytes.len();
                    memory.bytes += bytes.len();
                }
            }
        }
        drop(memory);
        self.answer.send_replace(Some(answer));
    }
}

impl Earlier {
    /// The answer, once it is there.
    pub async fn answer(mut self) -> Answer {
        match self.0.wait_for(Option::is_some).await {
            Ok(answer) => match &*answer {
                Some(answer) => answer.clone(),
                None => Err(lost()),
            },
            Err(_) => Err(lost()),
        }
    }
}

fn lost() -> Error {
    Error::new(
        Kind::Internal,
        "the first request of this id ended without an answer",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(repeats: &Repeats, id: &str, print: u64) -> Ticket {
        match repeats.claim(id, print).expect("claimed") {
            Claimed::First(ticket) => ticket,
            Claimed::Again(_) => panic!("`{id}` was there"),
        }
    }

    fn is_first(repeats: &Repeats, id: &str) -> bool {
        matches!(repeats.claim(id, 1).expect("claimed"), Claimed::First(_))
    }

    #[tokio::test]
    async fn a_repeat_waits_for_the_first_answer_and_gets_it() {
        let repeats = Repeats::default();
        let ticket = first(&repeats, "a", 1);
        let Claimed::Again(earlier) = repeats.claim("a", 1).expect("claimed") else {
            panic!("the second is no first");
        };
        ticket.settle(Ok(Bytes::from_static(b"done")));
        assert_eq!(earlier.answer().await.expect("answered"), "done");
        let other = repeats.claim("a", 2).err().expect("another request");
        assert_eq!(other.kind(), Kind::BadRequest);
    }

    #[tokio::test(start_paused = true)]
    async fn ids_are_forgotten_after_their_time_and_above_their_count() {
        let repeats = Repeats::default();
        first(&repeats, "old", 1).settle(Ok(Bytes::new()));
        tokio::time::advance(REMEMBERED_FOR - Duration::from_millis(1)).await;
        assert!(!is_first(&repeats, "old"), "a millisecond is left");
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(is_first(&repeats, "old"));
        for number in 1..MAX_REMEMBERED {
            first(&repeats, &format!("n{number}"), 1).settle(Ok(Bytes::new()));
        }
        assert!(!is_first(&repeats, "n1"), "as many as fit");
        first(&repeats, "one more", 1).settle(Ok(Bytes::new()));
        first(&repeats, "and one", 1).settle(Ok(Bytes::new()));
        assert!(is_first(&repeats, "n1"), "the oldest went");
    }

    #[tokio::test]
    async fn what_never_started_can_be_done_by_a_repeat_and_a_refusal_stays() {
        let repeats = Repeats::default();
        first(&repeats, "down", 1).settle(Err(Error::new(Kind::ShuttingDown, "down")));
        assert!(is_first(&repeats, "down"));
        first(&repeats, "no", 1).settle(Err(Error::new(Kind::VersionMismatch, "no")));
        assert!(!is_first(&repeats, "no"));
    }
}
