//! Waiting until a group's machines are nodes. Kubernetes schedules pods on the nodes that exist: if pods were created while
//! machines still boot, all pods of a service would go to the first node, and stay there.

use std::future::Future;
use std::time::Duration;

use crate::engine::{Failure, FailureClass, Live, PollLoop, ProgressNote, Value};
use crate::resource::{AutoScalingGroup, GROUP_TAG, Resource};

/// Interval between two checks.
const PAUSE: Duration = Duration::from_secs(5);
/// Maximum time without a new node before the remaining machines are no longer waited for.
const PATIENCE: Duration = Duration::from_mins(10);

/// Returns the node group that a live Auto Scaling group belongs to; `None` if it belongs to none.
pub(super) fn node_group(live: &Live) -> Option<&str> {
    let Some(Value::Map(tags)) = live.attributes.get("tags") else { return None };
    let group = tags.get(GROUP_TAG).and_then(Value::as_text);
    group.filter(|_| live.address.kind() == AutoScalingGroup::KIND.name)
}

/// Returns the number of machines of a group that are in service.
pub(super) fn serving(live: &Live) -> usize {
    live.members.iter().filter(|member| member.state == "InService").count()
}

/// Waits until as many nodes take pods as there are machines. `count` counts them; it returns `None` while there is no
/// API.
///
/// It never fails: `validate` reports a machine that does not become ready, and the objects in an API report that it
/// does not answer.
pub(super) async fn until_nodes<F>(machines: usize, note: ProgressNote<'_>, list: impl Fn() -> F)
where
    F: Future<Output = Result<Option<usize>, Failure>>,
{
    let (mut poll, mut most) = (PollLoop::every(PAUSE).lasting(PATIENCE), None);
    loop {
        let listed = list().await;
        // An API that answers counts as progress; a node that leaves and returns does not.
        if let Ok(nodes) = listed
            && nodes > most
        {
            most = nodes;
            poll.reset_deadline();
        }
        let waiting = match listed {
            Ok(Some(nodes)) if nodes >= machines => return,
            Ok(Some(nodes)) => format!("{nodes} of {machines} machines are nodes"),
            Ok(None) => "for the API, which knows the nodes".to_owned(),
            Err(failure) if failure.class == FailureClass::Fatal => return,
            Err(failure) => failure.message,
        };
        poll.note_change(&waiting, note);
        if poll.is_over() {
            let minutes = PATIENCE.as_secs() / 60;
            note(format!("{waiting}, since {minutes} minutes: continuing without the others"));
            return;
        }
        poll.pause().await;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::collections::VecDeque;
    use std::sync::Mutex;

    use tokio::time::Instant;

    use super::*;

    /// Returns the notes that are shown for these answers; the last answer repeats forever.
    async fn report(answers: Vec<Result<Option<usize>, Failure>>) -> Vec<String> {
        let answers = Mutex::new(VecDeque::from(answers));
        let count = || {
            let mut answers = answers.lock().unwrap();
            let next = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
            std::future::ready(next.unwrap())
        };
        let messages = Mutex::new(Vec::new());
        until_nodes(3, &|line| messages.lock().unwrap().push(line), count).await;
        messages.into_inner().unwrap()
    }

    fn failure(class: FailureClass) -> Failure {
        Failure::own(class, "connect", "no master answers yet")
    }

    #[tokio::test(start_paused = true)]
    async fn pods_wait_until_all_machines_are_nodes() {
        let answers = vec![Ok(None), Err(failure(FailureClass::Unavailable)), Ok(Some(1)), Ok(Some(1)), Ok(Some(3))];
        let messages = ["for the API, which knows the nodes", "no master answers yet", "1 of 3 machines are nodes"];
        assert_eq!(report(answers).await, messages);
        assert_eq!(report(vec![Ok(Some(4))]).await, Vec::<String>::new(), "more than enough");
    }

    #[tokio::test(start_paused = true)]
    async fn a_machine_that_never_comes_holds_nothing_back_for_ever() {
        let begun = Instant::now();
        let messages = report(vec![Ok(Some(2))]).await;
        assert_eq!(
            messages.last().unwrap(),
            "2 of 3 machines are nodes, since 10 minutes: continuing without the others"
        );
        assert!((PATIENCE..PATIENCE + 2 * PAUSE).contains(&begun.elapsed()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_that_comes_and_goes_holds_nothing_back_for_ever() {
        let begun = Instant::now();
        let flapping = [1, 2].into_iter().cycle().take(1000).map(|nodes| Ok(Some(nodes)));
        report(flapping.collect()).await;
        assert!(begun.elapsed() < PATIENCE + 3 * PAUSE);
    }

    #[tokio::test(start_paused = true)]
    async fn an_api_that_will_not_answer_is_not_waited_for() {
        assert_eq!(report(vec![Err(failure(FailureClass::Fatal))]).await, Vec::<String>::new());
    }
}
