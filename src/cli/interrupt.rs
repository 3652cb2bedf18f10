//! Ctrl-C: the first one starts nothing new and ends waits, the second one does not wait for changes in flight either.

use tokio_util::sync::CancellationToken;

use super::error::CliError;

/// The stop requests of the user.
#[derive(Debug, Clone, Default)]
pub struct Interrupt {
    /// Start no new changes, and end waits.
    pub stop: CancellationToken,
    /// Stop waiting for changes in flight.
    pub abandon: CancellationToken,
}

impl Interrupt {
    /// Listens for signals from now on. Must be called inside a runtime.
    pub fn listen(&self, say: impl Fn(&str) + Send + 'static) {
        let tokens = self.clone();
        tokio::spawn(async move {
            signal().await;
            tokens.stop.cancel();
            say("stopping: changes in flight are finished and recorded; once more does not wait for them");
            signal().await;
            tokens.abandon.cancel();
            say("stopped; the next run finds the new objects by their tags");
        });
    }

    /// Returns the future's result, or an error if it is interrupted first.
    pub async fn or<T>(&self, work: impl Future<Output = T>) -> Result<T, CliError> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(CliError::Interrupted),
            done = work => Ok(done),
        }
    }
}

/// Waits for the next Ctrl-C or SIGTERM.
async fn signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        // Without signal support, it waits forever.
        std::future::pending::<()>().await;
    }
}
