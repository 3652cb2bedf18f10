//! The kubelet's credentials for images in ECR.

use serde::Deserialize;
use serde_json::json;

use super::{ScriptMachine, ScriptRun};

const REGISTRY: &str = "111122223333.dkr.ecr.eu-west-1.amazonaws.com";

/// Returns a machine whose role has a password for ECR.
fn trusted() -> Option<ScriptMachine> {
    let machine = ScriptMachine::new("nodes-workers")?;
    machine.write("world/password", "pass/word+of==ECR\n");
    Some(machine)
}

/// Makes the same request as the kubelet.
fn ask(machine: &ScriptMachine, image: &str) -> ScriptRun {
    let request = json!({
        "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
        "kind": "CredentialProviderRequest",
        "image": image,
    });
    machine.write("world/request", &request.to_string());
    machine.run_with("world/request", &["registry"])
}

#[test]
fn a_registry_of_ecr_has_a_password() {
    let Some(machine) = trusted() else { return };
    for (registry, region) in [
        (REGISTRY, "eu-west-1"),
        ("111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("111122223333.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("111122223333.dkr-ecr.us-west-2.on.aws", "us-west-2"),
        ("111122223333.dkr-ecr-fips.us-east-2.on.aws", "us-east-2"),
    ] {
        for image in ["/chat", "/team/chat:1.0", "/chat@sha256:0123"] {
            machine.write("world/calls", "");
            let run = ask(&machine, &format!("{registry}{image}")).must();
            let answer: serde_json::Value = serde_json::from_str(&run.messages).expect("nothing but JSON");
            let wanted = json!({
                "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
                "kind": "CredentialProviderResponse",
                "cacheKeyType": "Registry",
                "cacheDuration": "6h",
                "auth": { registry: { "username": "AWS", "password": "pass/word+of==ECR" } },
            });
            assert_eq!(answer, wanted);
            assert!(machine.calls()[0].ends_with(&format!(" --region {region}")), "{:?}", machine.calls());
            assert!(!machine.read("world/calls").contains("pass/word"), "no secret is an argument");
        }
    }
}

#[test]
fn no_other_registry_gets_the_password() {
    let Some(machine) = trusted() else { return };
    for image in [
        "",
        "nginx",
        "docker.io/library/nginx:1.27",
        "public.ecr.aws/nginx/nginx:1.27",
        "evil.example/111122223333.dkr.ecr.eu-west-1.amazonaws.com/chat",
        "111122223333.dkr.ecr.eu-west-1.amazonaws.com.evil.example/chat",
        "111122223333.dkr.ecr.eu-west-1.amazonaws.com:443@evil.example/chat",
        "111122223333.dkr.ecr.--endpoint-url=http://evil.example/.amazonaws.com/chat",
        "111122223333.dkr.ecr.-debug-1.amazonaws.com/chat",
        "111122223333.dkr.ecr.$(reboot)-1.amazonaws.com/chat",
        "111122223333.dkr.ecr.eu-west-1.amazonaws.com\n.evil.example/chat",
        "11112222333.dkr.ecr.eu-west-1.amazonaws.com/chat",
    ] {
        ask(&machine, image).must_not("is not an ECR registry");
    }
    machine.write("world/request", "{");
    assert!(!machine.run_with("world/request", &["registry"]).done, "half a request");
    assert_eq!(machine.calls(), Vec::<String>::new());
}

#[test]
fn a_password_that_cannot_be_had_is_no_answer() {
    let Some(machine) = trusted() else { return };
    machine.write("world/away", "");
    let run = ask(&machine, REGISTRY).must_not("check that this machine's role allows ecr:GetAuthorizationToken");
    assert!(run.messages.contains("Could not connect") && !run.messages.contains("auth"), "{}", run.messages);
    std::fs::remove_file(machine.path("world/away")).expect("it is ours");
    std::fs::remove_file(machine.path("world/password")).expect("it is ours");
    ask(&machine, REGISTRY).must_not("no password for 111122223333.dkr.ecr");
}

/// The kubelet's `CredentialProviderConfig` (kubelet.config.k8s.io/v1): a field that it does not know is an error.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Config {
    api_version: String,
    kind: String,
    providers: Vec<Provider>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Provider {
    name: String,
    args: Vec<String>,
    api_version: String,
    match_images: Vec<String>,
    default_cache_duration: String,
}

#[test]
fn the_kubelet_is_configured_with_the_credential_provider() {
    for settings in ["masters-a", "nodes-workers"] {
        let Some(machine) = ScriptMachine::new(settings) else { return };
        machine.write("world/ready", "");
        machine.boot().must();
        let config: Config = serde_saphyr::from_str(&machine.read("etc/quorate/images.yaml")).expect("it is YAML");
        assert_eq!((config.api_version, config.kind), words("kubelet.config.k8s.io/v1", "CredentialProviderConfig"));
        let [provider] = &config.providers[..] else { panic!("{:?}", config.providers) };
        assert_eq!(provider.api_version, "credentialprovider.kubelet.k8s.io/v1");
        assert_eq!(provider.args, ["registry"]);
        assert!(machine.path("opt/quorate").join(&provider.name).exists(), "the kubelet expects it in its directory");
        assert_eq!(provider.default_cache_duration, "6h");
        assert!(provider.match_images.iter().all(|pattern| pattern.starts_with("*.dkr")), "{provider:?}");
    }
}

fn words(one: &str, other: &str) -> (String, String) {
    (one.to_owned(), other.to_owned())
}
