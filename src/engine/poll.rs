//! Polling in a loop: the pauses between polls, the deadline, and a note when something changes.

use std::time::Duration;

use tokio::time::Instant;

/// The lengths of the pauses between polls, or between attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backoff {
    /// Always the same.
    Constant(Duration),
    /// Once, twice, three times this, …
    Linear(Duration),
    /// This, and twice as long each time.
    Doubling(Duration),
    /// From the first to the longest, half as long again each time.
    Growing {
        /// The first pause.
        first: Duration,
        /// The longest pause.
        longest: Duration,
    },
}

impl Backoff {
    /// Returns the length of the pause after this many polls, at least one.
    pub fn after(self, polls: u32) -> Duration {
        let before = polls.saturating_sub(1);
        match self {
            Self::Constant(pause) => pause,
            Self::Linear(pause) => pause.saturating_mul(polls),
            Self::Doubling(first) => first.saturating_mul(2_u32.saturating_pow(before)),
            Self::Growing { first, longest } => {
                let longer = |pause: Duration| (pause.saturating_mul(3) / 2).min(longest);
                // It is at the longest after a few.
                (0..before.min(64)).fold(first, |pause, _| longer(pause))
            }
        }
    }
}

/// A loop that polls, and pauses before each further poll.
#[derive(Debug, Clone)]
pub struct PollLoop {
    backoff: Backoff,
    /// Number of polls so far.
    polls: u32,
    /// Number of polls before the pauses began anew.
    before: u32,
    /// Maximum number of polls.
    most: Option<u32>,
    /// The time of the last progress.
    since: Instant,
    /// Maximum time without progress.
    limit: Option<Duration>,
    /// The last note.
    last_note: String,
}

impl PollLoop {
    /// Returns a loop with these pauses and without a deadline. Its time begins now.
    pub fn new(backoff: Backoff) -> Self {
        Self { backoff, polls: 1, before: 0, most: None, since: Instant::now(), limit: None, last_note: String::new() }
    }

    /// Returns a loop with pauses of one length.
    pub fn every(pause: Duration) -> Self {
        Self::new(Backoff::Constant(pause))
    }

    /// Sets a deadline: this long after the start, or after the last progress.
    #[must_use]
    pub fn lasting(self, limit: Duration) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Sets the maximum number of polls.
    #[must_use]
    pub fn at_most(self, polls: u32) -> Self {
        Self { most: Some(polls), ..self }
    }

    /// Returns the deadline.
    pub fn deadline(&self) -> Option<Instant> {
        self.limit.map(|limit| self.since + limit)
    }

    /// Returns `true` after the deadline, or after the last poll.
    pub fn is_over(&self) -> bool {
        self.most.is_some_and(|most| self.polls >= most) || self.deadline().is_some_and(|end| Instant::now() >= end)
    }

    /// Returns `true` if the next pause ends before the deadline.
    pub fn has_time(&self) -> bool {
        self.deadline().is_none_or(|deadline| Instant::now() + self.length() <= deadline)
    }

    /// Returns the length of the next pause.
    fn length(&self) -> Duration {
        self.backoff.after(self.polls - self.before)
    }

    /// Pauses. A pause that is dropped before its end does not count.
    pub async fn pause(&mut self) {
        tokio::time::sleep(self.length()).await;
        self.polls = self.polls.saturating_add(1);
    }

    /// Pauses before the next poll. Returns `false`, at once, if there is none.
    pub async fn again(&mut self) -> bool {
        if self.is_over() {
            return false;
        }
        self.pause().await;
        true
    }

    /// Waits until the deadline; without one, for ever.
    pub async fn over(&self) {
        match self.deadline() {
            Some(deadline) => tokio::time::sleep_until(deadline).await,
            None => std::future::pending().await,
        }
    }

    /// Restarts the deadline after progress.
    pub fn reset_deadline(&mut self) {
        self.since = Instant::now();
    }

    /// Restarts with short pauses after progress.
    pub fn reset_pauses(&mut self) {
        self.before = self.polls - 1;
    }

    /// Passes a note on if it differs from the last one. Returns `true` if it did.
    pub fn note_change(&mut self, text: &str, note: impl FnOnce(String)) -> bool {
        let is_news = self.last_note != text;
        if is_news {
            text.clone_into(&mut self.last_note);
            note(text.to_owned());
        }
        is_news
    }

    /// Returns the last note.
    pub fn last_note(&self) -> &str {
        &self.last_note
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn pauses(backoff: Backoff) -> Vec<u128> {
        (1..=6).map(|polls| backoff.after(polls).as_millis()).collect()
    }

    #[test]
    fn pauses_follow_their_backoff() {
        assert_eq!(pauses(Backoff::Constant(SECOND)), [1000; 6]);
        assert_eq!(pauses(Backoff::Linear(SECOND)), [1000, 2000, 3000, 4000, 5000, 6000]);
        assert_eq!(pauses(Backoff::Doubling(SECOND)), [1000, 2000, 4000, 8000, 16_000, 32_000]);
        let growing = Backoff::Growing { first: SECOND, longest: 5 * SECOND };
        assert_eq!(pauses(growing), [1000, 1500, 2250, 3375, 5000, 5000]);
        assert_eq!(Backoff::Doubling(SECOND).after(u32::MAX), SECOND * u32::MAX, "nothing overflows");
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_check_is_after_the_deadline() {
        let begun = Instant::now();
        let mut poll = PollLoop::every(3 * SECOND).lasting(5 * SECOND);
        let mut polls = 1;
        while poll.again().await {
            polls += 1;
        }
        assert_eq!((polls, begun.elapsed()), (3, 6 * SECOND));
    }

    #[tokio::test(start_paused = true)]
    async fn observations_can_be_counted() {
        let begun = Instant::now();
        let mut poll = PollLoop::every(SECOND).at_most(3);
        let mut polls = 1;
        while poll.again().await {
            polls += 1;
        }
        assert_eq!((polls, begun.elapsed()), (3, 2 * SECOND));
    }

    #[tokio::test(start_paused = true)]
    async fn a_loop_has_time_while_another_pause_fits() {
        let mut poll = PollLoop::every(3 * SECOND).lasting(5 * SECOND);
        assert!(poll.has_time());
        poll.pause().await;
        assert!(!poll.has_time() && !poll.is_over());
        poll.reset_deadline();
        assert!(poll.has_time(), "patience begins anew when something moves");
    }

    #[tokio::test(start_paused = true)]
    async fn short_pauses_begin_anew() {
        let begun = Instant::now();
        let mut poll = PollLoop::new(Backoff::Doubling(SECOND));
        for _ in 0..3 {
            poll.pause().await;
        }
        poll.reset_pauses();
        poll.pause().await;
        assert_eq!(begun.elapsed(), 8 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn only_changes_are_reported() {
        let reported = Mutex::new(Vec::new());
        let note = |text: String| reported.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(text);
        let mut poll = PollLoop::every(SECOND);
        assert!(poll.note_change("one", note) && !poll.note_change("one", note) && poll.note_change("two", note));
        assert_eq!(poll.last_note(), "two");
        assert_eq!(reported.into_inner().unwrap_or_default(), ["one", "two"]);
    }

    #[tokio::test(start_paused = true)]
    async fn without_an_end_it_is_never_over() {
        let mut poll = PollLoop::every(SECOND);
        for _ in 0..1000 {
            assert!(poll.again().await);
        }
        assert!(tokio::time::timeout(1000 * SECOND, poll.over()).await.is_err());
    }
}
