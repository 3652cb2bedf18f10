//! What AWS answers when it refuses, word for word as its services write it, through the SDK: the class that each answer
//! gets, and the hint that a person reads.

#![allow(clippy::too_many_lines, reason = "the functions are tables")]
#![allow(clippy::large_futures, reason = "one call at a time")]

use std::time::SystemTime;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

use super::recorder::Reply;
use super::*;
use crate::engine::{Class, Failure};
use crate::view::Style;
use crate::view::failure::{Report, text};

/// A call, by the service that it goes to.
#[derive(Debug, Clone, Copy)]
enum Call {
    DescribeVpcs,
    ModifyVolume,
    CreateVolume,
    DescribeGroups,
    CreateGroup,
    CreateBalancer,
    CreateRole,
    CreateZone,
    GetParameters,
    GetCaller,
    HeadBucket,
    GetTagging,
    CreateBucket,
    DeleteVersion,
    DeleteVersions,
}

/// An answer, and what becomes of it.
struct Row {
    call: Call,
    region: &'static str,
    status: u16,
    headers: &'static [(&'static str, &'static str)],
    body: String,
    class: Class,
    /// Parts of the message and of the hint.
    says: &'static [&'static str],
}

fn row(call: Call, status: u16, body: String, class: Class, says: &'static [&'static str]) -> Row {
    Row { call, region: "us-east-1", status, headers: &[], body, class, says }
}

/// EC2's errors.
fn ec2(code: &str, message: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message>\
         </Error></Errors><RequestID>0f1e7c1a-5b1e-4f6f-9a57-1f2e3d4c5b6a</RequestID></Response>"
    )
}

/// The errors of IAM, STS, Auto Scaling and Elastic Load Balancing.
fn query(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"http://x.amazonaws.com/doc/\"><Error><Type>Sender</Type><Code>{code}</Code>\
         <Message>{message}</Message></Error><RequestId>0f1e7c1a-5b1e-4f6f-9a57-1f2e3d4c5b6a</RequestId></ErrorResponse>"
    )
}

/// S3's errors, with what it adds to them.
fn s3(code: &str, message: &str, more: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>{more}\
         <RequestId>4442587FB7D0A2F9</RequestId><HostId>host</HostId></Error>"
    )
}

/// Systems Manager's errors.
fn json(code: &str, message: &str) -> String {
    format!("{{\"__type\":\"{code}\",\"message\":\"{message}\"}}")
}

const ENCODED: &str = "You are not authorized to perform this operation. Encoded authorization failure message: k7Zl3";
const SIGN_IN: &str = "AWS does not know the key";

fn buckets() -> Vec<Row> {
    let redirect = "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all \
                    future requests to this endpoint.";
    let malformed = "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'";
    let elsewhere: &[&str] = &["the bucket is in eu-west-1, the cluster in us-east-1", "not in the cluster's region"];
    let locked = "Access Denied because object protected by object lock.";
    let errors = format!(
        "<DeleteResult><Error><Key>c/state.json</Key><Code>AccessDenied</Code><Message>{locked}</Message></Error></DeleteResult>"
    );
    let taken = "The requested bucket name is not available. The bucket namespace is shared by all users of the system. \
                 Please select a different name and try again.";
    let listed = "User: arn:aws:iam::123456789012:user/ada is not authorized to perform: s3:GetBucketTagging on resource: \
                  \"arn:aws:s3:::b\" because no identity-based policy allows the s3:GetBucketTagging action";
    vec![
        Row {
            headers: &[("x-amz-bucket-region", "eu-west-1")],
            ..row(
                Call::GetTagging,
                301,
                s3(
                    "PermanentRedirect",
                    redirect,
                    "<Endpoint>b.s3-eu-west-1.amazonaws.com</Endpoint><Bucket>b</Bucket>",
                ),
                Class::Elsewhere,
                elsewhere,
            )
        },
        // An answer to HEAD has no body: the header alone says it.
        Row {
            headers: &[("x-amz-bucket-region", "eu-west-1")],
            ..row(Call::HeadBucket, 301, String::new(), Class::Elsewhere, elsewhere)
        },
        row(
            Call::GetTagging,
            400,
            s3("AuthorizationHeaderMalformed", malformed, "<Region>eu-west-1</Region>"),
            Class::Elsewhere,
            elsewhere,
        ),
        row(
            Call::CreateBucket,
            400,
            s3(
                "IllegalLocationConstraintException",
                "The us-east-1 location constraint is incompatible for the region specific endpoint this request was sent to.",
                "",
            ),
            Class::Elsewhere,
            &["not in the cluster's region"],
        ),
        row(
            Call::GetTagging,
            403,
            s3("AccessDenied", "Access Denied", ""),
            Class::Denied,
            &["belongs to another account", "s3:GetBucketTagging"],
        ),
        row(
            Call::GetTagging,
            403,
            s3("AccessDenied", listed, ""),
            Class::Denied,
            &["the caller needs the IAM permission `s3:GetBucketTagging`"],
        ),
        row(Call::HeadBucket, 403, String::new(), Class::Denied, &["belongs to another account", "s3:ListBucket"]),
        row(
            Call::CreateBucket,
            409,
            s3("BucketAlreadyExists", taken, "<BucketName>b</BucketName>"),
            Class::AlreadyExists,
            &["another account has this one", "name another bucket with `state`"],
        ),
        row(
            Call::CreateBucket,
            409,
            s3(
                "BucketAlreadyOwnedByYou",
                "Your previous request to create the named bucket succeeded and you already own it.",
                "<BucketName>b</BucketName>",
            ),
            Class::AlreadyExists,
            &["perhaps in another region"],
        ),
        row(
            Call::DeleteVersion,
            403,
            s3("AccessDenied", locked, ""),
            Class::Protected,
            &["object lock", "until its date"],
        ),
        // A call that succeeds, and says of a key that it stays.
        row(Call::DeleteVersions, 200, errors, Class::Protected, &["c/state.json", "until its date"]),
        row(
            Call::GetTagging,
            503,
            s3("SlowDown", "Please reduce your request rate.", ""),
            Class::Throttled,
            &["run the command again"],
        ),
        row(
            Call::CreateBucket,
            400,
            s3("TooManyBuckets", "You have attempted to create more buckets than allowed", ""),
            Class::Quota,
            &["Service Quotas"],
        ),
        row(
            Call::GetTagging,
            403,
            s3(
                "RequestTimeTooSkewed",
                "The difference between the request time and the current time is too large.",
                "",
            ),
            Class::Clock,
            &["set the clock of this machine"],
        ),
        row(
            Call::GetTagging,
            403,
            s3("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", ""),
            Class::Unauthenticated,
            &[SIGN_IN],
        ),
    ]
}

fn callers() -> Vec<Row> {
    let unknown = "AWS was not able to validate the provided access credentials";
    let invalid = "The security token included in the request is invalid.";
    let expired =
        "Signature expired: 20261128T190000Z is now earlier than 20261128T191500Z (20261128T193000Z - 15 min.)";
    let early =
        "Signature not yet current: 20261128T200000Z is still later than 20261128T191500Z (20261128T190000Z + 15 min.)";
    let mismatch = "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
                    Access Key and signing method. Consult the service documentation for details.";
    let clock: &[&str] = &["set the clock of this machine"];
    let region: &[&str] = &["the region is not enabled", "AWS Regions"];
    vec![
        row(Call::DescribeVpcs, 401, ec2("AuthFailure", unknown), Class::Unauthenticated, &[SIGN_IN]),
        Row {
            region: "me-south-1",
            ..row(Call::DescribeVpcs, 401, ec2("AuthFailure", unknown), Class::NotEnabled, region)
        },
        Row {
            region: "af-south-1",
            ..row(Call::GetCaller, 403, query("InvalidClientTokenId", invalid), Class::NotEnabled, region)
        },
        Row {
            region: "af-south-1",
            ..row(Call::GetParameters, 400, json("UnrecognizedClientException", invalid), Class::NotEnabled, region)
        },
        // A global service knows the account wherever the cluster is.
        Row {
            region: "af-south-1",
            ..row(Call::CreateRole, 403, query("InvalidClientTokenId", invalid), Class::Unauthenticated, &[SIGN_IN])
        },
        row(Call::GetCaller, 403, query("InvalidClientTokenId", invalid), Class::Unauthenticated, &[SIGN_IN]),
        row(Call::GetParameters, 400, json("UnrecognizedClientException", invalid), Class::Unauthenticated, &[SIGN_IN]),
        row(
            Call::DescribeVpcs,
            400,
            ec2(
                "OptInRequired",
                "You are not subscribed to this service. Please go to http://aws.amazon.com to subscribe.",
            ),
            Class::NotEnabled,
            &["complete its registration"],
        ),
        row(
            Call::DescribeVpcs,
            400,
            ec2("PendingVerification", "Your request for accessing resources in this region is being validated."),
            Class::NotEnabled,
            &["verifying the account"],
        ),
        row(Call::GetCaller, 403, query("SignatureDoesNotMatch", expired), Class::Clock, clock),
        row(Call::CreateRole, 403, query("SignatureDoesNotMatch", early), Class::Clock, clock),
        row(Call::GetParameters, 400, json("InvalidSignatureException", expired), Class::Clock, clock),
        row(Call::DescribeVpcs, 400, ec2("RequestExpired", "Request has expired."), Class::Clock, clock),
        row(
            Call::GetCaller,
            403,
            query("SignatureDoesNotMatch", mismatch),
            Class::Unauthenticated,
            &["the secret key does not belong to the key's id"],
        ),
        row(
            Call::GetCaller,
            403,
            query("ExpiredToken", "The security token included in the request is expired"),
            Class::Unauthenticated,
            &["the session has ended", "aws sso login"],
        ),
        row(
            Call::GetParameters,
            400,
            json("ExpiredTokenException", "The security token included in the request is expired"),
            Class::Unauthenticated,
            &["the session has ended"],
        ),
        row(
            Call::DescribeVpcs,
            403,
            ec2("UnauthorizedOperation", ENCODED),
            Class::Denied,
            &["ec2:DescribeVpcs", "decode-authorization-message"],
        ),
        row(
            Call::CreateRole,
            403,
            query(
                "AccessDenied",
                "User: arn:aws:iam::123456789012:user/ada is not authorized to perform: iam:CreateRole on resource: \
                 arn:aws:iam::123456789012:role/x because no identity-based policy allows the iam:CreateRole action",
            ),
            Class::Denied,
            &["the caller needs the IAM permission `iam:CreateRole`"],
        ),
        row(
            Call::CreateRole,
            403,
            query(
                "AccessDenied",
                "User: arn:aws:iam::123456789012:user/ada is not authorized to perform: iam:CreateRole on resource: x with an \
                 explicit deny in a service control policy",
            ),
            Class::Denied,
            &["somebody has to change that policy"],
        ),
        row(
            Call::CreateZone,
            403,
            query(
                "AccessDenied",
                "User: arn:aws:iam::123456789012:user/ada is not authorized to perform: route53:CreateHostedZone",
            ),
            Class::Denied,
            &["`route53:CreateHostedZone`"],
        ),
    ]
}

fn refusals() -> Vec<Row> {
    let again = &["run the command again"];
    vec![
        row(
            Call::ModifyVolume,
            400,
            ec2("InvalidParameterValue", "New size cannot be smaller than existing size"),
            Class::Invalid,
            &["can grow, not shrink"],
        ),
        row(
            Call::ModifyVolume,
            400,
            ec2(
                "VolumeModificationRateExceeded",
                "You've reached the maximum modification rate per volume limit. Wait at least 6 hours between modifications \
                 per EBS volume.",
            ),
            Class::Invalid,
            &["six hours"],
        ),
        row(
            Call::ModifyVolume,
            400,
            ec2("IncorrectModificationState", "Cannot modify volume vol-1 in modification state OPTIMIZING"),
            Class::Invalid,
            &["six hours"],
        ),
        row(
            Call::CreateGroup,
            400,
            query("ValidationError", "You must use a valid fully-formed launch template. The image id does not exist"),
            Class::MaybeNotYetConsistent,
            &["waiting did not help", "change the setting"],
        ),
        row(
            Call::CreateVolume,
            400,
            ec2("VcpuLimitExceeded", "You have requested more vCPU capacity than your current vCPU limit of 32 allows"),
            Class::Quota,
            &["quota of vCPUs"],
        ),
        row(
            Call::CreateVolume,
            400,
            ec2("AddressLimitExceeded", "The maximum number of addresses has been reached."),
            Class::Quota,
            &["Service Quotas"],
        ),
        row(
            Call::CreateBalancer,
            400,
            query("TooManyLoadBalancers", "The quota for the number of load balancers has been reached"),
            Class::Quota,
            &["Service Quotas"],
        ),
        row(
            Call::CreateRole,
            409,
            query("LimitExceeded", "Cannot exceed quota for RolesPerAccount: 1000"),
            Class::Quota,
            &["Service Quotas"],
        ),
        row(
            Call::CreateVolume,
            500,
            ec2("InsufficientVolumeCapacity", "There is not enough capacity to fulfill your EBS volume request."),
            Class::Unavailable,
            &["name another size or zone"],
        ),
        row(
            Call::CreateVolume,
            500,
            ec2(
                "InsufficientInstanceCapacity",
                "We currently do not have sufficient t3.medium capacity in us-east-1e.",
            ),
            Class::Unavailable,
            &["name another size or zone"],
        ),
        row(
            Call::CreateVolume,
            400,
            ec2(
                "Unsupported",
                "Your requested instance type (t3.medium) is not supported in your requested Availability Zone",
            ),
            Class::Invalid,
            &["name another size or zone"],
        ),
        row(
            Call::DescribeVpcs,
            400,
            ec2("DependencyViolation", "The vpc 'vpc-1' has dependencies and cannot be deleted."),
            Class::Held,
            &["something still uses the object"],
        ),
        row(Call::DescribeVpcs, 503, ec2("RequestLimitExceeded", "Request limit exceeded."), Class::Throttled, again),
        row(Call::DescribeGroups, 400, query("Throttling", "Rate exceeded"), Class::Throttled, again),
        row(Call::GetParameters, 400, json("ThrottlingException", "Rate exceeded"), Class::Throttled, again),
        row(Call::GetParameters, 500, json("InternalServerError", "An error occurred"), Class::UnknownOutcome, again),
        row(
            Call::DescribeVpcs,
            500,
            ec2("InternalError", "An internal error has occurred"),
            Class::UnknownOutcome,
            again,
        ),
        row(
            Call::CreateZone,
            400,
            query(
                "TooManyHostedZones",
                "Limits Exceeded: MAX_HOSTED_ZONES_BY_OWNER - Cannot create more hosted zones.",
            ),
            Class::Quota,
            &["Service Quotas"],
        ),
    ]
}

/// Makes a call, and gives the failure.
async fn fail(aws: &Aws, call: Call) -> Failure {
    let gone = match call {
        Call::DescribeVpcs => aws.send("ec2", "DescribeVpcs", aws.ec2.describe_vpcs().send()).await.map(drop),
        Call::ModifyVolume => {
            aws.send("ec2", "ModifyVolume", aws.ec2.modify_volume().volume_id("vol-1").send()).await.map(drop)
        }
        Call::CreateVolume => aws.send("ec2", "CreateVolume", aws.ec2.create_volume().send()).await.map(drop),
        Call::DescribeGroups => {
            let request = aws.autoscaling.describe_auto_scaling_groups().send();
            aws.send("autoscaling", "DescribeAutoScalingGroups", request).await.map(drop)
        }
        Call::CreateGroup => {
            let request =
                aws.autoscaling.create_auto_scaling_group().auto_scaling_group_name("g").min_size(1).max_size(1);
            aws.send("autoscaling", "CreateAutoScalingGroup", request.send()).await.map(drop)
        }
        Call::CreateBalancer => {
            let request = aws.elb.create_load_balancer().name("b").send();
            aws.send("elasticloadbalancing", "CreateLoadBalancer", request).await.map(drop)
        }
        Call::CreateRole => {
            let request = aws.iam.create_role().role_name("r").assume_role_policy_document("{}").send();
            aws.send("iam", "CreateRole", request).await.map(drop)
        }
        Call::CreateZone => {
            let request = aws.route53.create_hosted_zone().name("example.com").caller_reference("1").send();
            aws.send("route53", "CreateHostedZone", request).await.map(drop)
        }
        Call::GetParameters => {
            aws.send("ssm", "GetParameters", aws.ssm.get_parameters().names("n").send()).await.map(drop)
        }
        Call::GetCaller => aws.send("sts", "GetCallerIdentity", aws.sts.get_caller_identity().send()).await.map(drop),
        Call::HeadBucket => aws.send("s3", "HeadBucket", aws.s3.head_bucket().bucket("b").send()).await.map(drop),
        Call::GetTagging => {
            aws.send("s3", "GetBucketTagging", aws.s3.get_bucket_tagging().bucket("b").send()).await.map(drop)
        }
        Call::CreateBucket => aws.send("s3", "CreateBucket", aws.s3.create_bucket().bucket("b").send()).await.map(drop),
        Call::DeleteVersion => {
            let request = aws.s3.delete_object().bucket("b").key("k").version_id("v").send();
            aws.send("s3", "DeleteObjectVersion", request).await.map(drop)
        }
        Call::DeleteVersions => {
            let version = aws_sdk_s3::types::ObjectIdentifier::builder().key("c/state.json").version_id("v").build();
            crate::aws::s3::remove(aws, "b", &[version.unwrap()]).await
        }
    };
    gone.unwrap_err()
}

fn read(failure: &Failure) -> String {
    let report = Report { failures: vec![(None, failure.clone())], ..Report::default() };
    // One line a paragraph, so that a row can quote it.
    text(&report, Style { width: 1000, ..Style::default() })
}

/// `Date` of an answer that is written so many minutes from now.
fn date(minutes: i64) -> String {
    let now = DateTime::from(SystemTime::now());
    DateTime::from_secs(now.secs() + minutes * 60).fmt(Format::HttpDate).unwrap()
}

async fn answered(row: &Row, minutes: i64) -> Failure {
    let cloud = Moto::connect_in(row.region, "c".to_owned(), "http://127.0.0.1:9", Recorder::alone()).await;
    let mut headers: Vec<_> = row.headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    headers.push(("date", date(minutes)));
    cloud.calls.reply(Some(Reply { status: row.status, headers, body: row.body.clone() }));
    fail(&cloud.aws, row.call).await
}

#[tokio::test]
async fn every_answer_has_the_hint_that_helps() {
    let rows: Vec<Row> = buckets().into_iter().chain(callers()).chain(refusals()).collect();
    for row in &rows {
        let failure = answered(row, 0).await;
        let told = read(&failure);
        assert_eq!(failure.class, row.class, "{:?} {}\n{told}", row.call, row.body);
        for part in row.says {
            assert!(told.contains(part), "{:?} {}: {part:?} is missing in\n{told}", row.call, row.body);
        }
        let passes = failure.class.passes();
        assert_eq!(told.contains("run the command again"), passes, "{:?} {}\n{told}", row.call, row.body);
    }
    assert!(rows.len() > 50, "{} rows", rows.len());
}

/// Some services say nothing of the time when they refuse a signature: the date of their answer does.
#[tokio::test]
async fn a_wrong_clock_shows_in_the_date_of_the_answer() {
    let refused = || ec2("AuthFailure", "AWS was not able to validate the provided access credentials");
    let row = row(Call::DescribeVpcs, 401, refused(), Class::Clock, &[]);
    for (minutes, side) in [(31, "30 minutes behind"), (-31, "31 minutes ahead of")] {
        let failure = answered(&row, minutes).await;
        let told = read(&failure);
        assert_eq!(failure.class, Class::Clock, "{told}");
        assert!(told.contains("set the clock") && (told.contains(side) || told.contains("31 minutes")), "{told}");
    }
    assert_eq!(answered(&row, 2).await.class, Class::Unauthenticated);
}

#[tokio::test]
async fn a_region_that_has_answered_is_enabled() {
    let cloud = Moto::connect_in("me-south-1", "c".to_owned(), "http://127.0.0.1:9", Recorder::alone()).await;
    let empty = "<DescribeVpcsResponse><vpcSet/></DescribeVpcsResponse>".to_owned();
    cloud.calls.reply(Some(Reply { status: 200, headers: Vec::new(), body: empty }));
    cloud.aws.send("ec2", "DescribeVpcs", cloud.aws.ec2.describe_vpcs().send()).await.unwrap();
    let body = ec2("AuthFailure", "AWS was not able to validate the provided access credentials");
    cloud.calls.reply(Some(Reply { status: 401, headers: Vec::new(), body }));
    assert_eq!(fail(&cloud.aws, Call::DescribeVpcs).await.class, Class::Unauthenticated);
}
