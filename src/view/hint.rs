//! Hints for failures of the cloud: one table from service, call and code to a hint, and one from the class for every
//! other code.
//!
//! A hint recommends to run the command again only if time alone resolves the failure.

use crate::engine::{Failure, FailureClass};

/// A hint for the failures of a service, of some of its calls, with one of these codes.
struct HintRow {
    /// The service; empty for all services.
    service: &'static str,
    /// The prefixes of the names of the calls; empty for all calls.
    actions: &'static [&'static str],
    /// The service's codes.
    codes: &'static [&'static str],
    /// The hint.
    hint: &'static str,
}

const SIGN_IN: &str = "sign in: set AWS_PROFILE, run `aws sso login`, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; \
     --sandbox needs no account";

/// The hints by code. The first matching row decides.
const ROWS: &[HintRow] = &[
    HintRow {
        service: "s3",
        actions: &["CreateBucket"],
        codes: &["BucketAlreadyExists"],
        hint: "all accounts of AWS share the names of buckets, and another account has this one: name another bucket with \
               `state` in the cluster file",
    },
    HintRow {
        service: "s3",
        actions: &["CreateBucket"],
        codes: &["BucketAlreadyOwnedByYou"],
        hint: "the account has a bucket of this name, perhaps in another region: name another bucket with `state`, or \
               remove that one",
    },
    HintRow {
        service: "ec2",
        actions: &["ModifyVolume"],
        codes: &["VolumeModificationRateExceeded", "IncorrectModificationState"],
        hint: "AWS accepts one change of a volume in six hours: until then, keep its current size in the file",
    },
    HintRow {
        service: "ec2",
        actions: &["ModifyVolume"],
        codes: &["InvalidParameterValue", "InvalidParameterCombination"],
        hint: "a volume cannot shrink, and its type limits the values: restore the current value in the cluster file, \
            or use a larger one",
    },
    HintRow {
        service: "",
        actions: &[],
        codes: &["ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"],
        hint: "the session has ended: run `aws sso login`, or fetch new temporary keys (all three: key, secret and \
               AWS_SESSION_TOKEN)",
    },
    HintRow {
        service: "",
        actions: &[],
        codes: &[
            "SignatureDoesNotMatch",
            "InvalidSignatureException",
            "IncompleteSignature",
            "IncompleteSignatureException",
        ],
        hint: "the secret key does not belong to the key's id: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY again, \
               both of the same key and complete",
    },
    HintRow {
        service: "",
        actions: &[],
        codes: &[
            "AuthFailure",
            "InvalidAccessKeyId",
            "InvalidClientTokenId",
            "InvalidToken",
            "UnrecognizedClientException",
        ],
        hint: "AWS does not know the key: it was deleted or switched off, a session token is missing, or the key is of \
               another partition (China, GovCloud). `aws sts get-caller-identity` shows who you are; sign in with \
               AWS_PROFILE, `aws sso login`, or a key that exists",
    },
    HintRow {
        service: "",
        actions: &[],
        codes: &["PendingVerification"],
        hint: "AWS is still verifying the account in this region and sends a mail when that is done",
    },
    HintRow {
        service: "",
        actions: &[],
        codes: &["Blocked"],
        hint: "AWS has blocked the account: ask AWS Support for the reason",
    },
    HintRow {
        service: "",
        actions: &[],
        codes: &["OptInRequired"],
        hint: "the account has not signed up for the service: complete its registration (payment, telephone number) in \
               the AWS console",
    },
    HintRow {
        service: "",
        actions: &[],
        codes: &["VcpuLimitExceeded", "InstanceLimitExceeded", "MaxSpotInstanceCountExceeded"],
        hint: "the account's quota of vCPUs for this family of machines is used up: ask for more under Service Quotas, \
               Amazon EC2, or use fewer or smaller machines",
    },
    HintRow {
        service: "",
        actions: &[],
        codes: &["RulesPerSecurityGroupLimitExceeded"],
        hint: "a security group holds no more rules (60 unless the quota was raised): put fewer or wider ranges into the \
               `allow` lists, or ask for more under Service Quotas, Amazon VPC",
    },
    HintRow {
        service: "",
        actions: &[],
        codes: &["RouteLimitExceeded"],
        hint: "the route table holds no more routes, and each node needs one: use fewer nodes, ask for more under Service \
               Quotas, Amazon VPC, or set `plugin = \"none\"` under `network`",
    },
    HintRow {
        service: "",
        actions: &[],
        codes: &[
            "InsufficientInstanceCapacity",
            "InsufficientHostCapacity",
            "InsufficientCapacity",
            "InsufficientVolumeCapacity",
        ],
        hint: "AWS has no capacity for this instance type in the zone: name another size or zone, or run the command \
            again later to resume",
    },
    HintRow {
        service: "ec2",
        actions: &[],
        codes: &["Unsupported"],
        hint: "the zone or the size does not offer what the file asks for (see the message): name another size or \
               zone",
    },
    HintRow {
        service: "directory",
        actions: &[],
        codes: &["PermissionDenied"],
        hint: "this user cannot write to the directory: check its owner with `ls -ld`",
    },
    HintRow {
        service: "directory",
        actions: &[],
        codes: &["StorageFull"],
        hint: "the disk is full, or the user's share of it: `df` shows the room that is left",
    },
];

/// Returns the hint for a failure, if there is one.
pub(super) fn hint(failure: &Failure) -> Option<String> {
    // The class of a failure can be more specific than its code.
    let situation = matches!(failure.class, FailureClass::Clock | FailureClass::Protected | FailureClass::Elsewhere);
    let row = ROWS.iter().find(|row| row.fits(failure)).filter(|row| !situation && !row.is_about_keys(failure));
    match (row, failure.service.as_str()) {
        (Some(row), _) => Some(row.hint.to_owned()),
        (None, "kubernetes") => of_kubernetes(failure.class).map(str::to_owned),
        (None, _) if failure.class == FailureClass::Denied => Some(denied(failure)),
        (None, _) => of_class(failure.class).map(str::to_owned),
    }
}

impl HintRow {
    fn fits(&self, failure: &Failure) -> bool {
        let begins = |action: &&str| failure.action.starts_with(*action);
        (self.service.is_empty() || self.service == failure.service)
            && (self.actions.is_empty() || self.actions.iter().any(begins))
            && failure.code.as_deref().is_some_and(|code| self.codes.contains(&code))
    }

    /// Returns `true` if the row blames the access keys although the region is not enabled.
    fn is_about_keys(&self, failure: &Failure) -> bool {
        failure.class == FailureClass::NotEnabled && self.codes.contains(&"AuthFailure")
    }
}

fn of_class(class: FailureClass) -> Option<&'static str> {
    let text = match class {
        FailureClass::Unauthenticated => SIGN_IN,
        FailureClass::Clock => {
            "set the clock of this machine: AWS rejects requests that are more than five minutes off (`timedatectl` shows \
             it, `timedatectl set-ntp true` keeps it right)"
        }
        FailureClass::NotEnabled => {
            "the region is probably not enabled in the account: enable it in the AWS console under Account, \
             AWS Regions, or name zones of another region. If it is enabled, the key is unknown: sign in again"
        }
        FailureClass::Protected => {
            "a retention rule of the bucket (object lock) protects the object until its retention ends: keep the bucket \
             and destroy without --delete-data, or wait until then"
        }
        FailureClass::Elsewhere => {
            "the bucket is not in the cluster's region: name a bucket of the cluster's region with `state` in the cluster \
             file (apply makes it if it is not there), or name zones of the bucket's region"
        }
        FailureClass::Quota => {
            "a quota of the account is used up: ask for more under Service Quotas, or make the cluster smaller"
        }
        FailureClass::Held => "something still uses the object: `quorate show` lists what is there",
        FailureClass::Throttled | FailureClass::Unavailable | FailureClass::UnknownOutcome => {
            "this error is usually temporary: run the command again to resume"
        }
        FailureClass::NotYetConsistent => "a new object is not visible yet: run the command again in a minute",
        FailureClass::MaybeNotYetConsistent => {
            "AWS rejected the request, and retries did not help: change the setting that the message names"
        }
        FailureClass::AlreadyExists => "an object of that name exists: remove it, or give the cluster another name",
        FailureClass::Deferred
        | FailureClass::Denied
        | FailureClass::Gone
        | FailureClass::Invalid
        | FailureClass::Fatal => return None,
    };
    Some(text)
}

/// Returns the hint for a failure of the API server: AWS permissions and access keys are no help there.
fn of_kubernetes(class: FailureClass) -> Option<&'static str> {
    match class {
        FailureClass::Unauthenticated => {
            Some("the API server does not know the credentials: `quorate kubeconfig` makes new ones")
        }
        FailureClass::Denied => {
            Some("the API server's rules (RBAC, admission) do not allow it: the message names the rule")
        }
        FailureClass::Quota => Some("a quota in the cluster is used up: `kubectl get resourcequota -A` lists them"),
        FailureClass::AlreadyExists => {
            Some("an object of that name exists: remove it, or give the service another name")
        }
        FailureClass::MaybeNotYetConsistent => Some("the API server rejected the object: see the message"),
        other => of_class(other),
    }
}

fn denied(failure: &Failure) -> String {
    let permission = permission(failure);
    let message = failure.message.as_str();
    if message.contains("with an explicit deny") {
        return format!(
            "a policy denies `{permission}` explicitly (the message names its type): change that policy; another \
             permission does not help"
        );
    }
    if message.contains("Encoded authorization failure message") {
        return format!(
            "the caller needs the IAM permission `{permission}`; `aws sts decode-authorization-message \
             --encoded-message …` tells which policy decided"
        );
    }
    if failure.service == "s3" && !message.contains("not authorized to perform") {
        return format!(
            "either the bucket belongs to another account (all accounts share the names: then name another one with \
             `state`), or the caller needs the IAM permission `{permission}`"
        );
    }
    format!("the caller needs the IAM permission `{permission}`")
}

/// Returns the IAM action of an API call: from the message, otherwise by the call. Most names are equal, but not S3's.
pub(super) fn permission(failure: &Failure) -> String {
    let named = failure.message.split_once("not authorized to perform: ").map(|(_, rest)| rest);
    let named = named.and_then(|rest| rest.split_whitespace().next()).filter(|name| name.contains(':'));
    if let Some(named) = named {
        return named.trim_end_matches(['.', ',']).to_owned();
    }
    let service = match failure.service.as_str() {
        "elasticloadbalancingv2" | "elbv2" => "elasticloadbalancing",
        "auto-scaling" => "autoscaling",
        "route-53" => "route53",
        service => service,
    };
    let action = match (service, failure.action.as_str()) {
        ("s3", "HeadBucket" | "ListObjects" | "ListObjectsV2") => "ListBucket",
        ("s3", "ListObjectVersions") => "ListBucketVersions",
        ("s3", "HeadObject") => "GetObject",
        ("s3", "DeleteObjects") => "DeleteObject",
        ("s3", "PutBucketEncryption") => "PutEncryptionConfiguration",
        ("s3", "GetBucketEncryption") => "GetEncryptionConfiguration",
        ("s3", "PutPublicAccessBlock") => "PutBucketPublicAccessBlock",
        ("s3", "GetPublicAccessBlock") => "GetBucketPublicAccessBlock",
        (_, action) => action,
    };
    format!("{service}:{action}")
}

/// Returns `true` if a failure comes from IAM and so has a missing permission.
pub(super) fn is_of_iam(failure: &Failure) -> bool {
    failure.class == FailureClass::Denied && !matches!(failure.service.as_str(), "kubernetes" | "directory" | "quorate")
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGAIN: &str = "run the command again";

    fn failure(service: &str, action: &str, code: &str, class: FailureClass) -> Failure {
        Failure { service: service.to_owned(), code: Some(code.to_owned()), ..Failure::own(class, action, "no") }
    }

    #[test]
    fn only_temporary_failures_suggest_to_run_again() {
        for class in FailureClass::ALL {
            for service in ["ec2", "s3", "kubernetes", "directory"] {
                let hint = hint(&failure(service, "Create", "SomeCode", class)).unwrap_or_default();
                let passes = class.is_temporary() || class == FailureClass::NotYetConsistent;
                assert_eq!(hint.contains(AGAIN), passes, "{service} {class:?}: {hint}");
                assert!(
                    !hint.contains("minute") || passes || class == FailureClass::Clock,
                    "{service} {class:?}: {hint}"
                );
            }
        }
        for row in ROWS {
            let passes = row.codes.iter().all(|code| code.starts_with("Insufficient"));
            assert_eq!(row.hint.contains(AGAIN), passes, "{:?}", row.codes);
        }
    }

    #[test]
    fn every_row_can_be_reached() {
        for row in ROWS {
            for code in row.codes {
                let service = if row.service.is_empty() { "iam" } else { row.service };
                let failure = failure(service, row.actions.first().unwrap_or(&"Get"), code, FailureClass::Invalid);
                assert_eq!(hint(&failure).as_deref(), Some(row.hint), "{code}");
            }
        }
    }

    #[test]
    fn the_permission_of_an_s3_call_is_not_its_name() {
        let denied = |service: &str, action: &str| failure(service, action, "AccessDenied", FailureClass::Denied);
        assert_eq!(permission(&denied("s3", "HeadBucket")), "s3:ListBucket");
        assert_eq!(permission(&denied("elbv2", "CreateListener")), "elasticloadbalancing:CreateListener");
        let message =
            "User: arn:aws:iam::1:user/a is not authorized to perform: iam:PassRole on resource: b".to_owned();
        assert_eq!(permission(&Failure { message, ..denied("ec2", "RunInstances") }), "iam:PassRole");
    }
}
