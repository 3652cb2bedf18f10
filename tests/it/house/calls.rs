//! The calls in the source of `aws`, and the permissions that policies allow.

use std::collections::{BTreeMap, BTreeSet};

use quorate::analysis::permissions::{NeededActions, RunPurpose};
use quorate::resource::{KINDS, calls};

use super::source::{code, sources};

/// The names of services in the source.
const SERVICES: &[(&str, &str)] = &[
    ("ACM", "acm"),
    ("EC2", "ec2"),
    ("ELB", "elasticloadbalancing"),
    ("IAM", "iam"),
    ("ROUTE53", "route53"),
    ("S3", "s3"),
    ("SSM", "ssm"),
    ("AUTOSCALING", "autoscaling"),
    ("PRICING", "pricing"),
    ("QUOTAS", "servicequotas"),
];
/// Actions that AWS checks beside that of a call.
const IMPLIED: &[&str] = &[
    "ec2:RunInstances",            // a group that starts from a launch template
    "iam:CreateServiceLinkedRole", // the first group and the first load balancer of an account
    "iam:PassRole",                // a machine's role
];
/// Actions of commands that no policy for runs is for.
const OTHERS: &[&str] = &[
    "iam:GetRole",                 // plan --check-permissions
    "iam:SimulatePrincipalPolicy", // plan --check-permissions
    "ssm:GetCommandInvocation",    // logs
    "ssm:SendCommand",             // logs
    "ssm:StartSession",            // shell
    "ssm:TerminateSession",        // shell
    "sts:GetCallerIdentity",       // needs no permission
];

/// Returns the actions of the calls in each file of `aws`.
fn sent() -> BTreeMap<String, BTreeSet<String>> {
    let mut sent: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (file, text) in sources("aws") {
        let file = file.to_string_lossy().replace('\\', "/");
        if file.contains("/tests") || file.ends_with("limit.rs") {
            continue;
        }
        let text = code(&text).collect::<Vec<_>>().join("\n");
        for beginning in [".send(", ".send_uncounted(", ".read("] {
            for (place, _) in text.match_indices(beginning) {
                sent.entry(file.clone()).or_default().extend(action(&text[place + beginning.len()..]));
            }
        }
    }
    sent
}

/// Returns the action of a call from its arguments: a service, and an action in quotes.
fn action(arguments: &str) -> Option<String> {
    let (service, rest) = arguments.split_once(',')?;
    let name = rest.trim_start().strip_prefix('"')?.split('"').next()?;
    let service = service.trim();
    let service = match service.strip_prefix('"') {
        Some(literal) => literal.trim_end_matches('"'),
        None => SERVICES.iter().find(|(constant, _)| *constant == service)?.1,
    };
    Some(format!("{service}:{name}"))
}

#[test]
fn policies_allow_the_calls_of_the_source_and_no_others() {
    let sent: BTreeSet<String> = sent().into_values().flatten().collect();
    assert!(sent.len() > 120, "the source is read: {sent:?}");
    let purposes = [RunPurpose::Plan, RunPurpose::Apply, RunPurpose::Destroy];
    let allowed: BTreeSet<String> =
        NeededActions::of_purposes(&purposes, &|_| true).actions().map(str::to_owned).collect();
    let known = |list: &[&str]| list.iter().map(|action| (*action).to_owned()).collect::<BTreeSet<_>>();
    let missing: Vec<_> = sent.difference(&allowed).filter(|action| !known(OTHERS).contains(*action)).collect();
    assert!(missing.is_empty(), "no kind names {missing:?} in its calls");
    let unused: Vec<_> = allowed.difference(&sent).filter(|action| !known(IMPLIED).contains(*action)).collect();
    assert!(unused.is_empty(), "no source calls {unused:?}");
    assert!(known(OTHERS).is_subset(&sent), "{:?}", known(OTHERS).difference(&sent).collect::<Vec<_>>());
}

#[test]
fn a_kind_names_the_calls_of_its_file() {
    let sent = sent();
    for kind in KINDS {
        let calls = calls(kind.name).expect("a kind of AWS has calls");
        let named: BTreeSet<&str> =
            [calls.read, calls.create, calls.update, calls.delete].concat().into_iter().collect();
        let file = format!("aws/{}.rs", kind.name.replace('-', "_"));
        let Some(own) = sent.get(&file) else { continue };
        let missing: Vec<_> = own.iter().filter(|action| !named.contains(action.as_str())).collect();
        assert!(missing.is_empty(), "{file} calls {missing:?}, which its kind does not name");
    }
}
