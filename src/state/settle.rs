//! Store calls with temporary failures, or whose answers may get lost.

use std::time::Duration;

use crate::engine::{
    Backoff, Etag, Failure, FailureClass, ObjectStore, PollLoop, StoredObject, WriteCondition, WriteOutcome, repeat,
};

/// Maximum number of attempts of a call.
const ATTEMPTS: u32 = 6;
/// The pauses between attempts.
const BACKOFF: Backoff = Backoff::Doubling(Duration::from_millis(200));

/// Reads an object.
pub async fn get(store: &dyn ObjectStore, key: &str) -> Result<Option<StoredObject>, Failure> {
    repeat(ATTEMPTS, |attempt| BACKOFF.after(attempt), || store.get(key)).await
}

/// Writes an object under a condition, and determines if the write took effect.
///
/// The content must be unique to this writer (it names its run, and each version of it differs): the content afterwards
/// then shows if a write without an answer took effect. Even an answer that the condition does not hold
/// is checked like this, because the earlier write, without an answer, may have taken effect.
pub async fn put(
    store: &dyn ObjectStore,
    key: &str,
    bytes: &[u8],
    condition: &WriteCondition,
) -> Result<WriteOutcome, Failure> {
    let (mut attempts, mut unknown) = (attempts(), false);
    loop {
        let failure = match store.put(key, bytes, condition).await {
            Ok(WriteOutcome::Yes(etag)) => return Ok(WriteOutcome::Yes(etag)),
            Ok(WriteOutcome::Lost) => return verify(store, key, bytes).await,
            Err(failure) => failure,
        };
        unknown |= failure.class == FailureClass::UnknownOutcome;
        if failure.class.is_temporary() && attempts.again().await {
            continue;
        }
        if unknown && let WriteOutcome::Yes(etag) = verify(store, key, bytes).await? {
            return Ok(WriteOutcome::Yes(etag));
        }
        return Err(failure);
    }
}

/// Removes a version of an object, and determines if the removal took effect.
pub async fn remove(store: &dyn ObjectStore, key: &str, etag: &Etag) -> Result<bool, Failure> {
    let (mut attempts, mut unknown) = (attempts(), false);
    loop {
        let failure = match store.remove(key, etag).await {
            Ok(true) => return Ok(true),
            // An earlier removal without an answer may have removed it.
            Ok(false) => return Ok(unknown && get(store, key).await?.is_none()),
            Err(failure) => failure,
        };
        unknown |= failure.class == FailureClass::UnknownOutcome;
        if !(failure.class.is_temporary() && attempts.again().await) {
            return Err(failure);
        }
    }
}

/// Compares the stored content with the written content.
async fn verify(store: &dyn ObjectStore, key: &str, bytes: &[u8]) -> Result<WriteOutcome, Failure> {
    Ok(match get(store, key).await? {
        Some(stored) if stored.bytes == bytes => WriteOutcome::Yes(stored.etag),
        _ => WriteOutcome::Lost,
    })
}

/// Returns the attempts of a change. Sending again is safe even if the first one took effect: its own condition no longer holds
/// then.
fn attempts() -> PollLoop {
    PollLoop::new(BACKOFF).at_most(ATTEMPTS)
}
