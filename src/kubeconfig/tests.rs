//! Kubeconfigs with entries of a user, and our entry among theirs.
#![allow(clippy::unwrap_used, reason = "tests")]

use kube::config::Kubeconfig;

use super::*;
use crate::pki::Sensitive;

fn entry() -> KubeconfigEntry {
    KubeconfigEntry {
        name: "chat.poeticoding.com".to_owned(),
        context: "chat.poeticoding.com".to_owned(),
        server: "https://api.chat.poeticoding.com".to_owned(),
        tls_server_name: "api.internal.chat.poeticoding.com".to_owned(),
        authority: "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n".repeat(8),
        user: KubeconfigUser::Plugin(ExecPlugin {
            command: "quorate".to_owned(),
            arguments: ["credential", "--cluster", "chat.poeticoding.com"].map(str::to_owned).to_vec(),
            environment: vec![("AWS_PROFILE".to_owned(), "on".to_owned())],
        }),
    }
}

/// Returns the files after our entry was merged into them.
fn merged<const N: usize>(texts: [&str; N], entry: &KubeconfigEntry) -> [String; N] {
    let mut documents: Vec<KubeconfigDocument> =
        texts.iter().map(|text| KubeconfigDocument::parse(text).unwrap()).collect();
    let changes = merge(&mut documents, entry);
    let mut out = texts.map(str::to_owned);
    for ((text, document), change) in out.iter_mut().zip(&documents).zip(changes) {
        if change == FileChange::Changed {
            *text = document.text().unwrap();
        }
    }
    out
}

/// A kubeconfig of a user with other clusters and with fields that Quorate does not know.
const THEIRS: &str = r#"kind: Config
preferences: {}
apiVersion: v1
x-team: {owner: "on", port: 0x10, "0755": yes}
current-context: minikube
contexts:
- name: minikube
  context: {cluster: minikube, user: minikube, namespace: "1e3"}
- context:
    cluster: old
    namespace: web
    user: old
  name: chat.poeticoding.com
clusters:
- cluster:
    certificate-authority: /old/ca.crt
    proxy-url: http://proxy:3128
    server: https://old
  name: chat.poeticoding.com
- cluster: {server: "https://192.168.49.2:8443", certificate-authority: /home/ada/ca.crt}
  name: minikube
users:
- name: minikube
  user: {token: "012345", password: "null", username: "~", impersonate: "2026-01-01"}
- name: chat.poeticoding.com
  user: {token: old}
"#;

#[test]
fn an_entry_in_an_empty_file() {
    let [text] = merged([""], &entry());
    insta::assert_snapshot!(text);
    let read = Kubeconfig::from_yaml(&text).unwrap();
    assert_eq!(read.current_context.as_deref(), Some("chat.poeticoding.com"));
    let [again] = merged([&text], &entry());
    assert_eq!(again, text, "a second time changes nothing");
}

#[test]
fn an_entry_among_others_replaces_its_own_name_and_nothing_else() {
    let [text] = merged([THEIRS], &entry());
    insta::assert_snapshot!(text);
    let read = Kubeconfig::from_yaml(&text).unwrap();
    assert_eq!(read.contexts[1].context.as_ref().unwrap().namespace.as_deref(), Some("web"), "as somebody chose");
}

/// YAML 1.1 readers parse `on` and `012345` as other types than text, so these are written in quotes.
#[test]
fn text_stays_text_for_every_reader() {
    let [text] = merged([THEIRS], &entry());
    for quoted in ["owner: \"on\"", "token: \"012345\"", "password: \"null\"", "namespace: \"1e3\"", "value: \"on\""] {
        let single = quoted.replace('"', "'");
        assert!(text.contains(quoted) || text.contains(&single), "{quoted}: {text}");
    }
}

#[test]
fn a_certificate_replaces_every_other_way_to_sign_in() {
    let user = KubeconfigUser::Certificate { certificate: "C".to_owned(), key: Sensitive::new("K") };
    let [text] = merged([THEIRS], &KubeconfigEntry { user, ..entry() });
    let read = Kubeconfig::from_yaml(&text).unwrap();
    let ours = read.auth_infos[1].auth_info.as_ref().unwrap();
    assert_eq!(ours.client_certificate_data.as_deref(), Some("Qw=="));
    assert!(ours.token.is_none() && ours.exec.is_none());
}

#[test]
fn of_several_files_those_that_count_are_changed() {
    let context = "contexts:\n- name: chat.poeticoding.com\n  context: {cluster: a, user: a}\n";
    let current = "current-context: other\n";
    let [first, second, third] = merged([current, context, "users: null\n"], &entry());
    assert_eq!(first, "current-context: chat.poeticoding.com\n", "the first file that names one decides");
    assert!(["contexts", "clusters", "users"].iter().all(|part| second.contains(part)), "{second}");
    assert!(!second.contains("current-context"), "{second}");
    assert_eq!(third, "users: null\n", "a file that has nothing of ours is not touched");

    let [first, second] = merged(["", ""], &entry());
    assert!(first.contains("current-context") && second.is_empty(), "the first one takes what no file has");
}

#[test]
fn what_is_no_kubeconfig_is_refused_without_showing_it() {
    for (text, messages) in [
        ("a: [1", "it is not one document of YAML (line 1)"),
        ("- secret", "`the whole` in it is not what it is in a kubeconfig"),
        ("users: secret", "`users` in it is not what it is in a kubeconfig"),
        ("a: 1\n---\nb: 2\n", "it is not one document of YAML (line 3)"),
    ] {
        let refused = KubeconfigDocument::parse(text).map(|_| ()).unwrap_err();
        assert_eq!(refused.to_string(), messages, "{text}");
    }
}

#[test]
fn a_credential_is_what_kubectl_reads() {
    let client = crate::pki::ClientCertificate {
        authority: String::new(),
        certificate: "CERTIFICATE\n".to_owned(),
        key: Sensitive::new("KEY\n"),
        end: "2026-07-01T12:00:00.5Z".parse().unwrap(),
    };
    let document: serde_json::Value = serde_json::from_str(&credential(&client)).unwrap();
    insta::assert_json_snapshot!(document);
}
