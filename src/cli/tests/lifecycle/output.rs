//! Output for programs and for people.

use super::*;
use crate::cli::command::show::show;

#[tokio::test(start_paused = true)]
async fn json_is_all_that_stdout_gets() {
    let mut user = SandboxUser::new();
    user.options.json = true;
    for exit in [Exit::Differs, Exit::Done, Exit::Done] {
        let (found, out) = match exit {
            Exit::Differs => user.plan().await,
            _ => user.apply(YES).await,
        };
        assert_eq!(found.unwrap(), exit);
        let json: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(json["format"], 1);
        assert_eq!(json["sandbox"], true);
    }
    user.options.json = false;
    assert_eq!(files_below(&user.directory.path().join(".quorate")), 0);
}

#[tokio::test(start_paused = true)]
async fn show_lists_machines_below_their_groups() {
    let user = SandboxUser::built().await;
    user.with(async |context| show(context, true).await).await.unwrap();
    insta::assert_snapshot!(masked(&user.out.read()));
}

#[tokio::test(start_paused = true)]
async fn show_has_the_machines_that_a_lost_zone_lacks() {
    let user = SandboxUser::built().await;
    user.sandbox.fail_zone("us-east-1d").unwrap();
    user.sandbox.pass(Duration::from_hours(24 * 41)).unwrap();
    user.with(async |context| show(context, false).await).await.unwrap();
    insta::assert_snapshot!(user.out.read());
}

/// Returns the text without the hashes of scripts, which change with every edit of them.
fn masked(text: &str) -> String {
    let masked = |line: &str| match line.split_once("/bootstrap/") {
        Some((before, after)) => {
            let name = after.rsplit_once('/').map(|(_, name)| name).unwrap_or_default();
            format!("{before}/bootstrap/<sha256>/{name}\n")
        }
        None => format!("{line}\n"),
    };
    text.lines().map(masked).collect()
}
