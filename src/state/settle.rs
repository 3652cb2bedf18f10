//! Calls to a store that may fail in passing, or whose answer may get lost.

use std::time::Duration;

use crate::engine::{Class, Condition, Etag, Failure, Store, Stored, Written, repeat};

/// How often a call is sent before its failure counts.
const ATTEMPTS: u32 = 6;
/// The pause before the second attempt; it doubles from then on.
const PAUSE: Duration = Duration::from_millis(200);

/// Reads an object.
pub async fn get(store: &dyn Store, key: &str) -> Result<Option<Stored>, Failure> {
    repeat(ATTEMPTS, pause, || store.get(key)).await
}

/// Writes an object under a condition, and finds out whether that happened.
///
/// The content must be one that nobody else writes (it names its run, and each version of it differs): what is there
/// afterwards then tells whether a write without an answer took effect. Even an answer that the condition does not hold
/// is checked like this, because the write before it, without an answer, may have been ours.
pub async fn put(store: &dyn Store, key: &str, bytes: &[u8], condition: &Condition) -> Result<Written, Failure> {
    let (mut attempt, mut unknown) = (1, false);
    loop {
        let failure = match store.put(key, bytes, condition).await {
            Ok(Written::Yes(etag)) => return Ok(Written::Yes(etag)),
            Ok(Written::Lost) => return look(store, key, bytes).await,
            Err(failure) => failure,
        };
        unknown |= failure.class == Class::UnknownOutcome;
        if passes(&failure, attempt) {
            wait(&mut attempt).await;
        } else if unknown && let Written::Yes(etag) = look(store, key, bytes).await? {
            return Ok(Written::Yes(etag));
        } else {
            return Err(failure);
        }
    }
}

/// Removes a version of an object, and finds out whether that happened.
pub async fn remove(store: &dyn Store, key: &str, etag: &Etag) -> Result<bool, Failure> {
    let (mut attempt, mut unknown) = (1, false);
    loop {
        let failure = match store.remove(key, etag).await {
            Ok(true) => return Ok(true),
            // A removal without an answer may have been what took it away.
            Ok(false) => return Ok(unknown && get(store, key).await?.is_none()),
            Err(failure) => failure,
        };
        unknown |= failure.class == Class::UnknownOutcome;
        if !passes(&failure, attempt) {
            return Err(failure);
        }
        wait(&mut attempt).await;
    }
}

/// Whether what is there is what we wrote.
async fn look(store: &dyn Store, key: &str, bytes: &[u8]) -> Result<Written, Failure> {
    Ok(match get(store, key).await? {
        Some(stored) if stored.bytes == bytes => Written::Yes(stored.etag),
        _ => Written::Lost,
    })
}

/// Sending again is safe even if the first one took effect: its own condition no longer holds then.
fn passes(failure: &Failure, attempt: u32) -> bool {
    failure.class.passes() && attempt < ATTEMPTS
}

async fn wait(attempt: &mut u32) {
    tokio::time::sleep(pause(*attempt)).await;
    *attempt += 1;
}

fn pause(attempt: u32) -> Duration {
    PAUSE * 2_u32.pow(attempt - 1)
}
