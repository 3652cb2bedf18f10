//! What to do about a failure of the cloud: one table from service, call and code to a hint, and one from the class for
//! every other code.
//!
//! A hint says to run the command again only where time alone mends it.

use crate::engine::{Class, Failure};

/// A hint for the failures of a service, of some of its calls, with one of these codes.
struct Row {
    /// The service; empty for every one.
    service: &'static str,
    /// How the names of the calls begin; none for every call.
    actions: &'static [&'static str],
    /// The service's codes.
    codes: &'static [&'static str],
    /// What to do.
    hint: &'static str,
}

const SIGN_IN: &str = "sign in: set AWS_PROFILE, run `aws sso login`, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; \
     --sandbox needs no account";

/// The first row that fits decides.
const ROWS: &[Row] = &[
    Row {
        service: "s3",
        actions: &["CreateBucket"],
        codes: &["BucketAlreadyExists"],
        hint: "all accounts of AWS share the names of buckets, and another account has this one: name another bucket with \
               `state` in the cluster file",
    },
    Row {
        service: "s3",
        actions: &["CreateBucket"],
        codes: &["BucketAlreadyOwnedByYou"],
        hint: "the account has a bucket of this name, perhaps in another region: name another bucket with `state`, or \
               remove that one",
    },
    Row {
        service: "ec2",
        actions: &["ModifyVolume"],
        codes: &["VolumeModificationRateExceeded", "IncorrectModificationState"],
        hint: "AWS is still at the volume's last change, and takes the next one six hours after it: until then, give the \
               file the size that the volume has",
    },
    Row {
        service: "ec2",
        actions: &["ModifyVolume"],
        codes: &["InvalidParameterValue", "InvalidParameterCombination"],
        hint: "a volume can grow, not shrink, and not every type takes every value: put the setting in the cluster file \
               back to what the volume has, or above",
    },
    Row {
        service: "",
        actions: &[],
        codes: &["ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"],
        hint: "the session has ended: run `aws sso login`, or fetch new temporary keys (all three: key, secret and \
               AWS_SESSION_TOKEN)",
    },
    Row {
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
    Row {
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
    Row {
        service: "",
        actions: &[],
        codes: &["PendingVerification"],
        hint: "AWS is still verifying the account in this region and sends a mail when that is done",
    },
    Row { service: "", actions: &[], codes: &["Blocked"], hint: "AWS has blocked the account: its support says why" },
    Row {
        service: "",
        actions: &[],
        codes: &["OptInRequired"],
        hint: "the account has not signed up for the service: complete its registration (payment, telephone number) in \
               the AWS console",
    },
    Row {
        service: "",
        actions: &[],
        codes: &["VcpuLimitExceeded", "InstanceLimitExceeded", "MaxSpotInstanceCountExceeded"],
        hint: "the account's quota of vCPUs for this family of machines is used up: ask for more under Service Quotas, \
               Amazon EC2, or use fewer or smaller machines",
    },
    Row {
        service: "",
        actions: &[],
        codes: &["RulesPerSecurityGroupLimitExceeded"],
        hint: "a security group holds no more rules (60 unless the quota was raised): put fewer or wider ranges into the \
               `allow` lists, or ask for more under Service Quotas, Amazon VPC",
    },
    Row {
        service: "",
        actions: &[],
        codes: &["RouteLimitExceeded"],
        hint: "the route table holds no more routes, and each node needs one: use fewer nodes, ask for more under Service \
               Quotas, Amazon VPC, or set `plugin = \"none\"` under `network`",
    },
    Row {
        service: "",
        actions: &[],
        codes: &[
            "InsufficientInstanceCapacity",
            "InsufficientHostCapacity",
            "InsufficientCapacity",
            "InsufficientVolumeCapacity",
        ],
        hint: "AWS has no room of this kind in the zone at the moment: name another size or zone, or run the command again \
               later, it goes on where it stopped",
    },
    Row {
        service: "ec2",
        actions: &[],
        codes: &["Unsupported"],
        hint: "the zone or the size does not offer what the file asks for (the message says what): name another size or \
               zone",
    },
    Row {
        service: "directory",
        actions: &[],
        codes: &["PermissionDenied"],
        hint: "the user of this process may not write there: `ls -ld` shows whose the directory is",
    },
    Row {
        service: "directory",
        actions: &[],
        codes: &["StorageFull"],
        hint: "the disk is full, or the user's share of it: `df` shows the room that is left",
    },
];

/// What to do about a failure, if anybody can say.
pub(super) fn hint(failure: &Failure) -> Option<String> {
    // What the situation shows goes before what the code alone can say.
    let situation = matches!(failure.class, Class::Clock | Class::Protected | Class::Elsewhere);
    let row = ROWS.iter().find(|row| row.fits(failure)).filter(|row| !situation && !row.is_about_keys(failure));
    match (row, failure.service.as_str()) {
        (Some(row), _) => Some(row.hint.to_owned()),
        (None, "kubernetes") => of_kubernetes(failure.class).map(str::to_owned),
        (None, _) if failure.class == Class::Denied => Some(denied(failure)),
        (None, _) => of_class(failure.class).map(str::to_owned),
    }
}

impl Row {
    fn fits(&self, failure: &Failure) -> bool {
        let begins = |action: &&str| failure.action.starts_with(*action);
        (self.service.is_empty() || self.service == failure.service)
            && (self.actions.is_empty() || self.actions.iter().any(begins))
            && failure.code.as_deref().is_some_and(|code| self.codes.contains(&code))
    }

    /// Whether the row blames the keys where it is the region that does not know them.
    fn is_about_keys(&self, failure: &Failure) -> bool {
        failure.class == Class::NotEnabled && self.codes.contains(&"AuthFailure")
    }
}

fn of_class(class: Class) -> Option<&'static str> {
    let text = match class {
        Class::Unauthenticated => SIGN_IN,
        Class::Clock => {
            "set the clock of this machine: AWS takes no request that is more than five minutes off (`timedatectl` shows \
             it, `timedatectl set-ntp true` keeps it right)"
        }
        Class::NotEnabled => {
            "the region is not enabled in the account, as far as can be seen: enable it in the AWS console under Account, \
             AWS Regions, or name zones of another region. If it is enabled, the key is unknown: sign in again"
        }
        Class::Protected => {
            "a retention rule of the bucket (object lock) keeps the object until its date, whoever asks: leave the bucket \
             and destroy without --delete-data, or wait for that date"
        }
        Class::Elsewhere => {
            "the bucket is not in the cluster's region: name a bucket of the cluster's region with `state` in the cluster \
             file (apply makes it if it is not there), or name zones of the bucket's region"
        }
        Class::Quota => {
            "a quota of the account is used up: ask for more under Service Quotas, or make the cluster smaller"
        }
        Class::Held => "something still uses the object: `quorate show` lists what is there",
        Class::Throttled | Class::Unavailable | Class::UnknownOutcome => {
            "this passes: run the command again, it goes on where it stopped"
        }
        Class::NotYetConsistent => {
            "the cloud does not show yet what was made a moment ago: run the command again in a minute"
        }
        Class::MaybeNotYetConsistent => {
            "AWS does not take what is asked for, and waiting did not help: the message says which value; change the \
             setting that it comes from"
        }
        Class::AlreadyExists => "an object of that name exists: remove it, or give the cluster another name",
        Class::Denied | Class::Gone | Class::Invalid | Class::Fatal => return None,
    };
    Some(text)
}

/// The API server's failures: neither AWS's permissions nor its keys help there.
fn of_kubernetes(class: Class) -> Option<&'static str> {
    match class {
        Class::Unauthenticated => {
            Some("the API server does not know the credentials: `quorate kubeconfig` makes new ones")
        }
        Class::Denied => Some("the API server's rules (RBAC, admission) do not allow it: the message says what"),
        Class::Quota => Some("a quota in the cluster is used up: `kubectl get resourcequota -A` lists them"),
        Class::AlreadyExists => Some("an object of that name exists: remove it, or give the service another name"),
        Class::MaybeNotYetConsistent => Some("the API server does not take the object: the message says why"),
        other => of_class(other),
    }
}

fn denied(failure: &Failure) -> String {
    let permission = permission(failure);
    let message = failure.message.as_str();
    if message.contains("with an explicit deny") {
        return format!(
            "a policy forbids `{permission}` (the message says which kind): no permission that is added helps, somebody has \
             to change that policy"
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

/// The IAM action behind an API call: as the message names it, or else by the call. Most have the same name; S3's have not.
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

/// Whether a failure is one of IAM, and so names a permission.
pub(super) fn is_of_iam(failure: &Failure) -> bool {
    failure.class == Class::Denied && !matches!(failure.service.as_str(), "kubernetes" | "directory" | "quorate")
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGAIN: &str = "run the command again";

    fn failure(service: &str, action: &str, code: &str, class: Class) -> Failure {
        Failure { service: service.to_owned(), code: Some(code.to_owned()), ..Failure::own(class, action, "no") }
    }

    #[test]
    fn again_is_said_only_of_what_passes_by_itself() {
        for class in Class::ALL {
            for service in ["ec2", "s3", "kubernetes", "directory"] {
                let hint = hint(&failure(service, "Create", "SomeCode", class)).unwrap_or_default();
                let passes = class.passes() || class == Class::NotYetConsistent;
                assert_eq!(hint.contains(AGAIN), passes, "{service} {class:?}: {hint}");
                assert!(!hint.contains("minute") || passes || class == Class::Clock, "{service} {class:?}: {hint}");
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
                let failure = failure(service, row.actions.first().unwrap_or(&"Get"), code, Class::Invalid);
                assert_eq!(hint(&failure).as_deref(), Some(row.hint), "{code}");
            }
        }
    }

    #[test]
    fn the_permission_of_an_s3_call_is_not_its_name() {
        let denied = |service: &str, action: &str| failure(service, action, "AccessDenied", Class::Denied);
        assert_eq!(permission(&denied("s3", "HeadBucket")), "s3:ListBucket");
        assert_eq!(permission(&denied("elbv2", "CreateListener")), "elasticloadbalancing:CreateListener");
        let message =
            "User: arn:aws:iam::1:user/a is not authorized to perform: iam:PassRole on resource: b".to_owned();
        assert_eq!(permission(&Failure { message, ..denied("ec2", "RunInstances") }), "iam:PassRole");
    }
}
