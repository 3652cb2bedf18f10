//! Durations as text.

use std::time::Duration;

use crate::engine::{Action, Address};
use crate::words;

use super::{progress, value};

/// The shortest total time for which the longest changes are named.
const LONG: Duration = Duration::from_secs(20);
/// Maximum number of changes that are named.
const SHOWN: usize = 3;

/// Formats an expected time: `a few seconds`, `about 40 s`, `about 7 min`, `about 1h20m`.
pub fn about(seconds: u64) -> String {
    let minutes = seconds.div_ceil(60);
    match seconds {
        ..10 => "a few seconds".to_owned(),
        10..60 => format!("about {} s", seconds.div_ceil(10) * 10),
        _ if minutes < 60 => format!("about {minutes} min"),
        _ => format!("about {}", exact(minutes.div_ceil(5) * 300)),
    }
}

/// Formats a time: `45s`, `2m30s`, `1h20m`.
pub fn exact(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, 0) => format!("{minutes}m"),
        (0, minutes, seconds) => format!("{minutes}m{seconds}s"),
        (hours, 0, _) => format!("{hours}h"),
        (hours, minutes, _) => format!("{hours}h{minutes}m"),
    }
}

/// Returns a sentence with the time of a run and its longest changes; `None` for a short run.
pub fn taken(total: Duration, changes: &[(Action, &Address, Duration)]) -> Option<String> {
    if total < LONG {
        return None;
    }
    let mut longest: Vec<_> = changes.iter().filter(|(_, _, time)| time.as_secs() > 0).collect();
    longest.sort_by_key(|(_, address, time)| (std::cmp::Reverse(*time), *address));
    let named = longest.iter().take(SHOWN).map(|(action, address, time)| {
        format!("{} ({})", value::safe(&progress::running(*action, address)), exact(time.as_secs()))
    });
    let named: Vec<String> = named.collect();
    let of = if named.is_empty() { String::new() } else { format!("; the longest: {}", words::list(&named)) };
    Some(format!("the changes took {}{of}", exact(total.as_secs())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expected_times_are_rounded_up() {
        let shown = [0, 9, 10, 41, 89, 90, 91, 150, 421, 3_599, 4_900].map(about);
        assert_eq!(
            shown,
            [
                "a few seconds",
                "a few seconds",
                "about 10 s",
                "about 50 s",
                "about 2 min",
                "about 2 min",
                "about 2 min",
                "about 3 min",
                "about 8 min",
                "about 1h",
                "about 1h25m"
            ]
        );
    }

    #[test]
    fn exact_times_have_two_units_at_most() {
        let shown = [0, 59, 60, 150, 3_600, 4_805].map(exact);
        assert_eq!(shown, ["0s", "59s", "1m", "2m30s", "1h", "1h20m"]);
    }

    #[test]
    fn the_longest_changes_of_a_long_run_are_named() {
        let address = |name: &str| Address::new("load-balancer", name);
        let (api, web) = (address("api"), address("web"));
        let second = Duration::from_secs(1);
        assert_eq!(taken(second * 19, &[(Action::Create, &api, second * 19)]), None);
        assert_eq!(
            taken(second * 200, &[(Action::Delete, &web, second * 50), (Action::Create, &api, second * 150)])
                .as_deref(),
            Some(
                "the changes took 3m20s; the longest: creating load-balancer/api (2m30s) and deleting load-balancer/web (50s)"
            )
        );
    }
}
