//! The texts of a service with a shape: ports, keys of secrets, taints.

use super::{Port, SecretKey, Toleration, Transport};
use crate::spec::name::{check_domain, is_label_key, is_label_value};
use crate::spec::{Taint, TaintEffect};

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

impl Toleration {
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
        let good = is_label_key(key)
            && value.is_none_or(|value| value.is_empty() || is_label_value(value))
            && effect.is_none_or(|effect| TaintEffect::parse(effect).is_some());
        good.then(|| Self { key: key.to_owned(), value: value.map(str::to_owned), effect: effect.map(str::to_owned) })
    }

    /// Returns `true` if pods with this toleration may run on nodes with the taint.
    pub fn covers(&self, taint: &Taint) -> bool {
        self.key == taint.key
            && self.value.as_ref().is_none_or(|value| *value == taint.value)
            && self.effect.as_ref().is_none_or(|effect| effect == taint.effect.as_str())
    }
}

impl TaintEffect {
    /// Parses an effect in the words of Kubernetes.
    pub(in crate::spec) fn parse(text: &str) -> Option<Self> {
        [Self::NoSchedule, Self::PreferNoSchedule, Self::NoExecute].into_iter().find(|effect| effect.as_str() == text)
    }
}

impl Taint {
    /// Takes `key:effect` or `key=value:effect`, as kubectl does.
    pub fn parse(text: &str) -> Option<Self> {
        let Toleration { key, value, effect } = Toleration::parse(text)?;
        Some(Self { key, value: value.unwrap_or_default(), effect: TaintEffect::parse(&effect?)? })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
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
        let read = |text| Toleration::parse(text).map(|taint| (taint.key, taint.value, taint.effect));
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(read("gpu"), Some(("gpu".to_owned(), None, None)));
        let all = Some(("example.com/gpu".to_owned(), some("a100"), some("NoSchedule")));
        assert_eq!(read("example.com/gpu=a100:NoSchedule"), all);
        for bad in ["", "=a", "gpu:Never", "gpu=a b", "-gpu", "Example.com/gpu", "gpu=a:NoSchedule:NoExecute"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_taint_of_a_node_has_an_effect_and_is_written_as_it_is_read() {
        for text in ["gpu:NoSchedule", "example.com/gpu=a100:NoExecute", "gpu=a:PreferNoSchedule"] {
            assert_eq!(Taint::parse(text).map(|taint| taint.to_string()).as_deref(), Some(text));
        }
        assert_eq!(Taint::parse("gpu=a"), None);
    }

    #[test]
    fn a_toleration_covers_what_kubernetes_says_it_covers() {
        let taint = Taint::parse("gpu=a:NoSchedule").unwrap();
        let covers = |text| Toleration::parse(text).is_some_and(|toleration| toleration.covers(&taint));
        assert!(covers("gpu") && covers("gpu=a") && covers("gpu:NoSchedule") && covers("gpu=a:NoSchedule"));
        assert!(!covers("cpu") && !covers("gpu=b") && !covers("gpu:NoExecute") && !covers("gpu="));
    }
}
