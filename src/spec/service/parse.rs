//! The texts of a service with a shape: ports, keys of secrets, taints.

use super::{Port, SecretKey, Taint, Transport};
use crate::spec::name::check_domain;

/// The effects of a taint.
const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

impl Port {
    /// Takes a number, and what it speaks unless that is TCP: `9090`, `7777/udp`, `53/tcp+udp`.
    pub fn parse(text: &str) -> Option<Self> {
        let (number, transport) = match text.split_once('/') {
            None => (text, Transport::Tcp),
            Some((number, "tcp")) => (number, Transport::Tcp),
            Some((number, "udp")) => (number, Transport::Udp),
            Some((number, "tcp+udp")) => (number, Transport::Both),
            Some(_) => return None,
        };
        // `u16` would take a sign.
        let digits = number.chars().all(|c| c.is_ascii_digit());
        let number = number.parse().ok().filter(|number| digits && *number > 0)?;
        Some(Self { number, transport })
    }
}

impl SecretKey {
    /// Takes `secret/key`.
    pub fn parse(text: &str) -> Option<Self> {
        let (secret, key) = text.split_once('/')?;
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        let is_key = !key.is_empty() && key.len() <= 253 && key.chars().all(allowed);
        (check_domain(secret).is_ok() && is_key).then(|| Self { secret: secret.to_owned(), key: key.to_owned() })
    }
}

impl Taint {
    /// Takes `key`, `key=value`, `key:effect` or `key=value:effect`, as kubectl does.
    pub fn parse(text: &str) -> Option<Self> {
        let (rest, effect) = match text.split_once(':') {
            Some((rest, effect)) => (rest, Some(effect)),
            None => (text, None),
        };
        let (key, value) = match rest.split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (rest, None),
        };
        let (prefix, name) = match key.split_once('/') {
            Some((prefix, name)) => (Some(prefix), name),
            None => (None, key),
        };
        let good = is_label(name)
            && prefix.is_none_or(|prefix| prefix.len() <= 253 && check_domain(prefix).is_ok())
            && value.is_none_or(|value| value.is_empty() || is_label(value))
            && effect.is_none_or(|effect| EFFECTS.contains(&effect));
        good.then(|| Self { key: key.to_owned(), value: value.map(str::to_owned), effect: effect.map(str::to_owned) })
    }
}

/// Returns `true` if Kubernetes accepts the text as the name or the value of a label.
fn is_label(text: &str) -> bool {
    let end = |c: char| c.is_ascii_alphanumeric();
    let inner = |c: char| end(c) || "-._".contains(c);
    (1..=63).contains(&text.len()) && text.starts_with(end) && text.ends_with(end) && text.chars().all(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_a_number_and_a_protocol() {
        let read = |text| Port::parse(text).map(|port| (port.number, port.transport.as_str()));
        assert_eq!(read("9090"), Some((9090, "TCP")));
        assert_eq!(read("53/tcp"), Some((53, "TCP")));
        assert_eq!(read("53/udp"), Some((53, "UDP")));
        assert_eq!(read("53/tcp+udp"), Some((53, "TCP_UDP")));
        for bad in ["", "0", "65536", "+1", "-1", "53/", "53/UDP", "53/udp+tcp", "udp", "53/udp/udp", " 53"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_taint_is_read_as_kubectl_reads_it() {
        let read = |text| Taint::parse(text).map(|taint| (taint.key, taint.value, taint.effect));
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(read("gpu"), Some(("gpu".to_owned(), None, None)));
        let all = Some(("example.com/gpu".to_owned(), some("a100"), some("NoSchedule")));
        assert_eq!(read("example.com/gpu=a100:NoSchedule"), all);
        for bad in ["", "=a", "gpu:Never", "gpu=a b", "-gpu", "Example.com/gpu", "gpu=a:NoSchedule:NoExecute"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
