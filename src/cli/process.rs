//! The identity of processes of this machine.

use crate::state::{LeaseHolder, ProcessIdentity};

/// The field of `/proc/PID/stat` with the start time, counted from the state, which follows the program's name.
const STARTED: usize = 19;

/// Returns the identity of this process; `None` if the system does not provide it as Linux does.
pub(super) fn identity() -> Option<ProcessIdentity> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?.trim().to_owned();
    let namespace = std::fs::read_link("/proc/self/ns/pid").ok()?.to_str()?.to_owned();
    let ProcessStat { started, .. } = stat(std::process::id())?;
    Some(ProcessIdentity { boot, namespace, started })
}

/// Returns `true` if the holder of a lease was a process of this machine, and has ended. Of another machine or another
/// container, nothing is known.
pub(super) fn has_ended(holder: &LeaseHolder) -> bool {
    let (Some(theirs), Some(ours)) = (&holder.process, identity()) else { return false };
    let is_here = (&theirs.boot, &theirs.namespace) == (&ours.boot, &ours.namespace);
    is_here && stat(holder.pid).is_none_or(|stat| stat.started != theirs.started || stat.is_zombie)
}

/// The part of `/proc/PID/stat` that distinguishes one process from another.
struct ProcessStat {
    started: u64,
    is_zombie: bool,
}

fn stat(pid: u32) -> Option<ProcessStat> {
    parse(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Parses `42 (the name) S 1 …`: a name may contain spaces and parentheses.
fn parse(text: &str) -> Option<ProcessStat> {
    let (_, fields) = text.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    Some(ProcessStat { started: fields.get(STARTED)?.parse().ok()?, is_zombie: fields.first() == Some(&"Z") })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use jiff::Timestamp;

    use super::*;

    fn holder(pid: u32, process: Option<ProcessIdentity>) -> LeaseHolder {
        LeaseHolder {
            run: "run".to_owned(),
            who: "alice".to_owned(),
            host: "laptop".to_owned(),
            pid,
            process,
            operation: "apply".to_owned(),
            since: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_program_may_have_any_name() {
        let stat = parse("42 (a (b) c) Z 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 777 20").unwrap();
        assert_eq!((stat.started, stat.is_zombie), (777, true));
        assert!(parse("42 (short) S 1").is_none() && parse("").is_none());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_has_ended_when_it_is_gone_or_its_number_is_anothers() {
        let own = identity().unwrap();
        let pid = std::process::id();
        assert!(!has_ended(&holder(pid, Some(own.clone()))), "this very process");
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let gone = child.id();
        child.wait().unwrap();
        assert!(has_ended(&holder(gone, Some(ProcessIdentity { started: 1, ..own.clone() }))));
        let earlier = ProcessIdentity { started: own.started.wrapping_sub(1), ..own.clone() };
        assert!(has_ended(&holder(pid, Some(earlier))), "the number was given to this process later");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn nothing_is_known_of_processes_elsewhere() {
        let own = identity().unwrap();
        let other = |boot: &str, namespace: &str| {
            Some(ProcessIdentity { boot: boot.to_owned(), namespace: namespace.to_owned(), started: 1 })
        };
        let nobody = u32::MAX;
        assert!(has_ended(&holder(nobody, other(&own.boot, &own.namespace))));
        assert!(!has_ended(&holder(nobody, other("another boot", &own.namespace))));
        assert!(!has_ended(&holder(nobody, other(&own.boot, "pid:[1]"))), "a container has numbers of its own");
        assert!(!has_ended(&holder(nobody, None)));
    }
}
