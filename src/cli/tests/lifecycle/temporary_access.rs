//! Temporary access of an apply to a closed API.

use super::access::{HOUR, range};
use super::*;
use crate::resource::Grantee;

const HERE: &str = "203.0.113.7/32";

/// Returns a cluster that was built before, on a cloud that counts as real from now on.
async fn real() -> SandboxUser {
    let user = SandboxUser { origin: Some(ClientOrigin::Named(range(HERE))), ..SandboxUser::built().await };
    user.out.read();
    user.messages();
    user
}

impl SandboxUser {
    /// Returns the messages on one line: they are wrapped where they fit.
    fn messages(&self) -> String {
        self.err.read().split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_opens_the_api_to_itself_and_closes_it_however_it_ends() {
    let mut user = real().await;
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    assert!(user.messages().contains("the API is open to 203.0.113.7/32 while this run lasts"));
    assert_eq!(user.let_in().await, []);

    user.text = FILE.replace("count = 2", "count = 4");
    let refused = user.apply(Consent::default()).await.0.unwrap_err();
    assert_eq!(refused.exit(), Exit::Refused);
    assert!(user.messages().contains("the API is open to 203.0.113.7/32"));
    assert_eq!(user.let_in().await, []);
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_run_closes_the_api_too() {
    let user = SandboxUser { text: FILE.replace("count = 2", "count = 4"), ..real().await };
    let apply = user.apply(YES);
    let stop = async {
        for _ in 0..10_000 {
            if !user.let_in().await.is_empty() {
                break;
            }
            tokio::task::yield_now().await;
        }
        user.interrupt.stop.cancel();
    };
    let ((exit, _), ()) = tokio::join!(apply, stop);
    assert!(matches!(exit, Err(CliError::Interrupted) | Ok(Exit::Interrupted)), "{exit:?}");
    assert_eq!(user.let_in().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_close_warns_that_the_api_may_be_open() {
    let user = real().await;
    user.interrupt.stop.cancel();
    user.interrupt.abandon.cancel();
    let pass = crate::cli::run::temporary_access::TemporaryAccess::open;
    assert!(
        user.with(async |context| pass(context, user.origin, true).await.is_none()).await,
        "an interrupted run begins nothing"
    );
    user.grant(HERE, HOUR, Grantee::Run("us".to_owned())).await;
    let user = SandboxUser { interrupt: Interrupt::default(), ..user };
    user.with(async |context| {
        let pass = pass(context, user.origin, true).await.unwrap();
        user.interrupt.abandon.cancel();
        pass.end(context).await;
    })
    .await;
    assert!(user.messages().contains("quorate access close --address 203.0.113.7/32"));
}

#[tokio::test(start_paused = true)]
async fn a_gate_that_the_run_builds_is_opened_as_soon_as_it_stands() {
    let mut settings = SandboxSettings::new("us-east-1", "chat.poeticoding.com");
    settings.bucket = Some("state.chat.poeticoding.com".to_owned());
    settings.faults = "latency=5000ms".parse().unwrap();
    let origin = Some(ClientOrigin::Named(range(HERE)));
    let user = SandboxUser { sandbox: Sandbox::in_memory(settings), origin, ..SandboxUser::new() };
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    let messages = user.messages();
    let (before, after) = messages.split_once("the API is open to 203.0.113.7/32").unwrap();
    assert!(before.contains("does not contain 203.0.113.7/32") && !after.contains("is open to"), "{messages}");
    assert_eq!(user.let_in().await, []);
    assert_eq!(user.plan().await.0.unwrap(), Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn a_destroy_lets_itself_in_and_leaves_nothing() {
    let user = real().await;
    assert_eq!(user.destroy(true).await.0.unwrap(), Exit::Done);
    assert!(user.messages().contains("the API is open to 203.0.113.7/32"));
    assert_eq!(user.destroy(true).await.0.unwrap(), Exit::Done);
    assert_eq!(user.messages(), "", "there is nothing to be let in to");
}

#[tokio::test(start_paused = true)]
async fn existing_access_is_used_and_left_open() {
    let user = real().await;
    user.grant(HERE, HOUR, Grantee::Person("ada on laptop".to_owned())).await;
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    assert!(!user.messages().contains("is open to"));
    assert_eq!(user.let_in().await, [(HERE.to_owned(), "by ada on laptop".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn what_a_killed_run_left_open_is_closed_by_the_next_one() {
    let user = real().await;
    user.grant(HERE, HOUR, Grantee::Run("dead".to_owned())).await;
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    assert_eq!(user.let_in().await, []);
}

#[tokio::test(start_paused = true)]
async fn who_is_allowed_by_the_file_needs_no_grant() {
    let user = SandboxUser { text: format!("{FILE}\napi {{\n  allow = [\"203.0.113.0/24\"]\n}}\n"), ..real().await };
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    assert!(!user.messages().contains("is open to"));
}

#[tokio::test(start_paused = true)]
async fn a_plan_opens_nothing_and_shows_what_an_apply_will_do() {
    let user = SandboxUser { origin: Some(ClientOrigin::Named(range(HERE))), ..SandboxUser::new() };
    user.plan().await.0.unwrap();
    assert!(user.messages().contains("opens the API to this machine's address while it runs"));
    let user = real().await;
    user.plan().await.0.unwrap();
    assert_eq!(user.messages(), "");
    assert_eq!(user.let_in().await, []);
}
