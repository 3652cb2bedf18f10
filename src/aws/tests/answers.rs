//! Error answers of AWS, exactly as its services write them, read through the SDK: the class of each answer, and the
//! hint that a user reads.

#![allow(clippy::too_many_lines, reason = "the functions are tables")]
#![allow(clippy::large_futures, reason = "one call at a time")]

use std::time::SystemTime;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

use super::recorder::CannedReply;
use super::*;
use crate::engine::{Failure, FailureClass};
use crate::view::TextStyle;
use crate::view::failure::{FailureReport, text};

/// A call, by the service that it goes to.
#[derive(Debug, Clone, Copy)]
enum SampleCall {
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

/// An answer, and its expected class and text.
struct SampleAnswer {
    call: SampleCall,
    region: &'static str,
    status: u16,
    headers: &'static [(&'static str, &'static str)],
    body: String,
    class: FailureClass,
    /// Parts of the message and of the hint.
    says: &'static [&'static str],
}

fn row(
    call: SampleCall,
    status: u16,
    body: String,
    class: FailureClass,
    says: &'static [&'static str],
) -> SampleAnswer {
    SampleAnswer { call, region: "us-east-1", status, headers: &[], body, class, says }
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

fn buckets() -> Vec<SampleAnswer> {
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
        SampleAnswer {
            headers: &[("x-amz-bucket-region", "eu-west-1")],
            ..row(
                SampleCall::GetTagging,
                301,
                s3(
                    "PermanentRedirect",
                    redirect,
                    "<Endpoint>b.s3-eu-west-1.amazonaws.com</Endpoint><Bucket>b</Bucket>",
                ),
                FailureClass::Elsewhere,
                elsewhere,
            )
        },
        // An answer to HEAD has no body: only the header has the region.
        SampleAnswer {
            headers: &[("x-amz-bucket-region", "eu-west-1")],
            ..row(SampleCall::HeadBucket, 301, String::new(), FailureClass::Elsewhere, elsewhere)
        },
        row(
            SampleCall::GetTagging,
            400,
            s3("AuthorizationHeaderMalformed", malformed, "<Region>eu-west-1</Region>"),
            FailureClass::Elsewhere,
            elsewhere,
        ),
        row(
            SampleCall::CreateBucket,
            400,
            s3(
                "IllegalLocationConstraintException",
                "The us-east-1 location constraint is incompatible for the region specific endpoint this request was sent to.",
                "",
            ),
            FailureClass::Elsewhere,
            &["not in the cluster's region"],
        ),
        row(
            SampleCall::GetTagging,
            403,
            s3("AccessDenied", "Access Denied", ""),
            FailureClass::Denied,
            &["belongs to another account", "s3:GetBucketTagging"],
        ),
        row(
            SampleCall::GetTagging,
            403,
            s3("AccessDenied", listed, ""),
            FailureClass::Denied,
            &["the caller needs the IAM permission `s3:GetBucketTagging`"],
        ),
        row(
            SampleCall::HeadBucket,
            403,
            String::new(),
            FailureClass::Denied,
            &["belongs to another account", "s3:ListBucket"],
        ),
        row(
            SampleCall::CreateBucket,
            409,
            s3("BucketAlreadyExists", taken, "<BucketName>b</BucketName>"),
            FailureClass::AlreadyExists,
            &["another account has this one", "name another bucket with `state`"],
        ),
        row(
            SampleCall::CreateBucket,
            409,
            s3(
                "BucketAlreadyOwnedByYou",
                "Your previous request to create the named bucket succeeded and you already own it.",
                "<BucketName>b</BucketName>",
            ),
            FailureClass::AlreadyExists,
            &["perhaps in another region"],
        ),
        row(
            SampleCall::DeleteVersion,
            403,
            s3("AccessDenied", locked, ""),
            FailureClass::Protected,
            &["object lock", "until its retention ends"],
        ),
        // A call that succeeds, and reports a key that it did not delete.
        row(
            SampleCall::DeleteVersions,
            200,
            errors,
            FailureClass::Protected,
            &["c/state.json", "until its retention ends"],
        ),
        row(
            SampleCall::GetTagging,
            503,
            s3("SlowDown", "Please reduce your request rate.", ""),
            FailureClass::Throttled,
            &["run the command again"],
        ),
        row(
            SampleCall::CreateBucket,
            400,
            s3("TooManyBuckets", "You have attempted to create more buckets than allowed", ""),
            FailureClass::Quota,
            &["Service Quotas"],
        ),
        row(
            SampleCall::GetTagging,
            403,
            s3(
                "RequestTimeTooSkewed",
                "The difference between the request time and the current time is too large.",
                "",
            ),
            FailureClass::Clock,
            &["set the clock of this machine"],
        ),
        row(
            SampleCall::GetTagging,
            403,
            s3("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", ""),
            FailureClass::Unauthenticated,
            &[SIGN_IN],
        ),
    ]
}

fn callers() -> Vec<SampleAnswer> {
    let unknown = "AWS was not able to validate the provided access credentials";
    let invalid = "The security token included in the request is invalid.";
    let expired =
        "Signature expired: 20261128T190000Z is now earlier than 20261128T191500Z (20261128T193000Z - 15 min.)";
    let early =
        "Signature not yet current: 20261128T200000Z is still later than 20261128T191500Z (20261128T190000Z + 15 min.)";
    let mismatch = "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
                    Access Key and signing method. Consult the service documentation for details.";
    let clock: &[&str] = &["set the clock of this machine"];
    let region: &[&str] = &["the region is probably not enabled", "AWS Regions"];
    vec![
        row(SampleCall::DescribeVpcs, 401, ec2("AuthFailure", unknown), FailureClass::Unauthenticated, &[SIGN_IN]),
        SampleAnswer {
            region: "me-south-1",
            ..row(SampleCall::DescribeVpcs, 401, ec2("AuthFailure", unknown), FailureClass::NotEnabled, region)
        },
        SampleAnswer {
            region: "af-south-1",
            ..row(SampleCall::GetCaller, 403, query("InvalidClientTokenId", invalid), FailureClass::NotEnabled, region)
        },
        SampleAnswer {
            region: "af-south-1",
            ..row(
                SampleCall::GetParameters,
                400,
                json("UnrecognizedClientException", invalid),
                FailureClass::NotEnabled,
                region,
            )
        },
        // A global service knows the account wherever the cluster is.
        SampleAnswer {
            region: "af-south-1",
            ..row(
                SampleCall::CreateRole,
                403,
                query("InvalidClientTokenId", invalid),
                FailureClass::Unauthenticated,
                &[SIGN_IN],
            )
        },
        row(
            SampleCall::GetCaller,
            403,
            query("InvalidClientTokenId", invalid),
            FailureClass::Unauthenticated,
            &[SIGN_IN],
        ),
        row(
            SampleCall::GetParameters,
            400,
            json("UnrecognizedClientException", invalid),
            FailureClass::Unauthenticated,
            &[SIGN_IN],
        ),
        row(
            SampleCall::DescribeVpcs,
            400,
            ec2(
                "OptInRequired",
                "You are not subscribed to this service. Please go to http://aws.amazon.com to subscribe.",
            ),
            FailureClass::NotEnabled,
            &["complete its registration"],
        ),
        row(
            SampleCall::DescribeVpcs,
            400,
            ec2("PendingVerification", "Your request for accessing resources in this region is being validated."),
            FailureClass::NotEnabled,
            &["verifying the account"],
        ),
        row(SampleCall::GetCaller, 403, query("SignatureDoesNotMatch", expired), FailureClass::Clock, clock),
        row(SampleCall::CreateRole, 403, query("SignatureDoesNotMatch", early), FailureClass::Clock, clock),
        row(SampleCall::GetParameters, 400, json("InvalidSignatureException", expired), FailureClass::Clock, clock),
        row(SampleCall::DescribeVpcs, 400, ec2("RequestExpired", "Request has expired."), FailureClass::Clock, clock),
        row(
            SampleCall::GetCaller,
            403,
            query("SignatureDoesNotMatch", mismatch),
            FailureClass::Unauthenticated,
            &["the secret key does not belong to the key's id"],
        ),
        row(
            SampleCall::GetCaller,
            403,
            query("ExpiredToken", "The security token included in the request is expired"),
            FailureClass::Unauthenticated,
            &["the session has ended", "aws sso login"],
        ),
        row(
            SampleCall::GetParameters,
            400,
            json("ExpiredTokenException", "The security token included in the request is expired"),
            FailureClass::Unauthenticated,
            &["the session has ended"],
        ),
        row(
            SampleCall::DescribeVpcs,
            403,
            ec2("UnauthorizedOperation", ENCODED),
            FailureClass::Denied,
            &["ec2:DescribeVpcs", "decode-authorization-message"],
        ),
        row(
            SampleCall::CreateRole,
            403,
            query(
                "AccessDenied",
                "User: arn:aws:iam::123456789012:user/ada is not authorized to perform: iam:CreateRole on resource: \
                 arn:aws:iam::123456789012:role/x because no identity-based policy allows the iam:CreateRole action",
            ),
            FailureClass::Denied,
            &["the caller needs the IAM permission `iam:CreateRole`"],
        ),
        row(
            SampleCall::CreateRole,
            403,
            query(
                "AccessDenied",
                "User: arn:aws:iam::123456789012:user/ada is not authorized to perform: iam:CreateRole on resource: x with an \
                 explicit deny in a service control policy",
            ),
            FailureClass::Denied,
            &["change that policy"],
        ),
        row(
            SampleCall::CreateZone,
            403,
            query(
                "AccessDenied",
                "User: arn:aws:iam::123456789012:user/ada is not authorized to perform: route53:CreateHostedZone",
            ),
            FailureClass::Denied,
            &["`route53:CreateHostedZone`"],
        ),
    ]
}

fn refusals() -> Vec<SampleAnswer> {
    let again = &["run the command again"];
    vec![
        row(
            SampleCall::ModifyVolume,
            400,
            ec2("InvalidParameterValue", "New size cannot be smaller than existing size"),
            FailureClass::Invalid,
            &["a volume cannot shrink"],
        ),
        row(
            SampleCall::ModifyVolume,
            400,
            ec2(
                "VolumeModificationRateExceeded",
                "You've reached the maximum modification rate per volume limit. Wait at least 6 hours between modifications \
                 per EBS volume.",
            ),
            FailureClass::Invalid,
            &["six hours"],
        ),
        row(
            SampleCall::ModifyVolume,
            400,
            ec2("IncorrectModificationState", "Cannot modify volume vol-1 in modification state OPTIMIZING"),
            FailureClass::Invalid,
            &["six hours"],
        ),
        row(
            SampleCall::CreateGroup,
            400,
            query("ValidationError", "You must use a valid fully-formed launch template. The image id does not exist"),
            FailureClass::MaybeNotYetConsistent,
            &["retries did not help", "change the setting"],
        ),
        row(
            SampleCall::CreateVolume,
            400,
            ec2("VcpuLimitExceeded", "You have requested more vCPU capacity than your current vCPU limit of 32 allows"),
            FailureClass::Quota,
            &["quota of vCPUs"],
        ),
        row(
            SampleCall::CreateVolume,
            400,
            ec2("AddressLimitExceeded", "The maximum number of addresses has been reached."),
            FailureClass::Quota,
            &["Service Quotas"],
        ),
        row(
            SampleCall::CreateRole,
            400,
            query("InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive."),
            FailureClass::Invalid,
            &["Duplicate tag keys found"],
        ),
        row(
            SampleCall::CreateBalancer,
            400,
            query("TooManyLoadBalancers", "The quota for the number of load balancers has been reached"),
            FailureClass::Quota,
            &["Service Quotas"],
        ),
        row(
            SampleCall::CreateRole,
            409,
            query("LimitExceeded", "Cannot exceed quota for RolesPerAccount: 1000"),
            FailureClass::Quota,
            &["Service Quotas"],
        ),
        row(
            SampleCall::CreateVolume,
            500,
            ec2("InsufficientVolumeCapacity", "There is not enough capacity to fulfill your EBS volume request."),
            FailureClass::Unavailable,
            &["name another size or zone"],
        ),
        row(
            SampleCall::CreateVolume,
            500,
            ec2(
                "InsufficientInstanceCapacity",
                "We currently do not have sufficient t3.medium capacity in us-east-1e.",
            ),
            FailureClass::Unavailable,
            &["name another size or zone"],
        ),
        row(
            SampleCall::CreateVolume,
            400,
            ec2(
                "Unsupported",
                "Your requested instance type (t3.medium) is not supported in your requested Availability Zone",
            ),
            FailureClass::Invalid,
            &["name another size or zone"],
        ),
        row(
            SampleCall::DescribeVpcs,
            400,
            ec2("DependencyViolation", "The vpc 'vpc-1' has dependencies and cannot be deleted."),
            FailureClass::Held,
            &["something still uses the object"],
        ),
        row(
            SampleCall::DescribeVpcs,
            503,
            ec2("RequestLimitExceeded", "Request limit exceeded."),
            FailureClass::Throttled,
            again,
        ),
        row(SampleCall::DescribeGroups, 400, query("Throttling", "Rate exceeded"), FailureClass::Throttled, again),
        row(
            SampleCall::GetParameters,
            400,
            json("ThrottlingException", "Rate exceeded"),
            FailureClass::Throttled,
            again,
        ),
        row(
            SampleCall::GetParameters,
            500,
            json("InternalServerError", "An error occurred"),
            FailureClass::UnknownOutcome,
            again,
        ),
        row(
            SampleCall::DescribeVpcs,
            500,
            ec2("InternalError", "An internal error has occurred"),
            FailureClass::UnknownOutcome,
            again,
        ),
        row(
            SampleCall::CreateZone,
            400,
            query(
                "TooManyHostedZones",
                "Limits Exceeded: MAX_HOSTED_ZONES_BY_OWNER - Cannot create more hosted zones.",
            ),
            FailureClass::Quota,
            &["Service Quotas"],
        ),
    ]
}

/// Makes a call, and returns the failure.
async fn fail(aws: &AwsProvider, call: SampleCall) -> Failure {
    let gone = match call {
        SampleCall::DescribeVpcs => aws.send("ec2", "DescribeVpcs", aws.ec2.describe_vpcs().send()).await.map(drop),
        SampleCall::ModifyVolume => {
            aws.send("ec2", "ModifyVolume", aws.ec2.modify_volume().volume_id("vol-1").send()).await.map(drop)
        }
        SampleCall::CreateVolume => aws.send("ec2", "CreateVolume", aws.ec2.create_volume().send()).await.map(drop),
        SampleCall::DescribeGroups => {
            let request = aws.autoscaling.describe_auto_scaling_groups().send();
            aws.send("autoscaling", "DescribeAutoScalingGroups", request).await.map(drop)
        }
        SampleCall::CreateGroup => {
            let request =
                aws.autoscaling.create_auto_scaling_group().auto_scaling_group_name("g").min_size(1).max_size(1);
            aws.send("autoscaling", "CreateAutoScalingGroup", request.send()).await.map(drop)
        }
        SampleCall::CreateBalancer => {
            let request = aws.elb.create_load_balancer().name("b").send();
            aws.send("elasticloadbalancing", "CreateLoadBalancer", request).await.map(drop)
        }
        SampleCall::CreateRole => {
            let request = aws.iam.create_role().role_name("r").assume_role_policy_document("{}").send();
            aws.send("iam", "CreateRole", request).await.map(drop)
        }
        SampleCall::CreateZone => {
            let request = aws.route53.create_hosted_zone().name("example.com").caller_reference("1").send();
            aws.send("route53", "CreateHostedZone", request).await.map(drop)
        }
        SampleCall::GetParameters => {
            aws.send("ssm", "GetParameters", aws.ssm.get_parameters().names("n").send()).await.map(drop)
        }
        SampleCall::GetCaller => {
            aws.send("sts", "GetCallerIdentity", aws.sts.get_caller_identity().send()).await.map(drop)
        }
        SampleCall::HeadBucket => aws.send("s3", "HeadBucket", aws.s3.head_bucket().bucket("b").send()).await.map(drop),
        SampleCall::GetTagging => {
            aws.send("s3", "GetBucketTagging", aws.s3.get_bucket_tagging().bucket("b").send()).await.map(drop)
        }
        SampleCall::CreateBucket => {
            aws.send("s3", "CreateBucket", aws.s3.create_bucket().bucket("b").send()).await.map(drop)
        }
        SampleCall::DeleteVersion => {
            let request = aws.s3.delete_object().bucket("b").key("k").version_id("v").send();
            aws.send("s3", "DeleteObjectVersion", request).await.map(drop)
        }
        SampleCall::DeleteVersions => {
            let version = aws_sdk_s3::types::ObjectIdentifier::builder().key("c/state.json").version_id("v").build();
            crate::aws::s3::remove(aws, "b", &[version.unwrap()]).await
        }
    };
    gone.unwrap_err()
}

fn read(failure: &Failure) -> String {
    let report = FailureReport { failures: vec![(None, failure.clone())], ..FailureReport::default() };
    // One line a paragraph, so that a row can quote it.
    text(&report, TextStyle { width: 1000, ..TextStyle::default() })
}

/// Returns the `Date` of an answer that is written so many minutes from now.
fn date(minutes: i64) -> String {
    let now = DateTime::from(SystemTime::now());
    DateTime::from_secs(now.secs() + minutes * 60).fmt(Format::HttpDate).unwrap()
}

async fn answered(row: &SampleAnswer, minutes: i64) -> Failure {
    let cloud =
        MotoCluster::connect_in(row.region, "c".to_owned(), "http://127.0.0.1:9", RequestRecorder::alone()).await;
    let mut headers: Vec<_> = row.headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    headers.push(("date", date(minutes)));
    cloud.calls.reply(Some(CannedReply { status: row.status, headers, body: row.body.clone() }));
    fail(&cloud.aws, row.call).await
}

#[tokio::test]
async fn every_answer_has_the_hint_that_helps() {
    let rows: Vec<SampleAnswer> = buckets().into_iter().chain(callers()).chain(refusals()).collect();
    for row in &rows {
        let failure = answered(row, 0).await;
        let reported = read(&failure);
        assert_eq!(failure.class, row.class, "{:?} {}\n{reported}", row.call, row.body);
        for part in row.says {
            assert!(reported.contains(part), "{:?} {}: {part:?} is missing in\n{reported}", row.call, row.body);
        }
        let passes = failure.class.is_temporary();
        assert_eq!(reported.contains("run the command again"), passes, "{:?} {}\n{reported}", row.call, row.body);
    }
    assert!(rows.len() > 50, "{} rows", rows.len());
}

/// Some services send no time when they refuse a signature: the date of their answer has it.
#[tokio::test]
async fn a_wrong_clock_shows_in_the_date_of_the_answer() {
    let refused = || ec2("AuthFailure", "AWS was not able to validate the provided access credentials");
    let row = row(SampleCall::DescribeVpcs, 401, refused(), FailureClass::Clock, &[]);
    for (minutes, side) in [(31, "30 minutes behind"), (-31, "31 minutes ahead of")] {
        let failure = answered(&row, minutes).await;
        let reported = read(&failure);
        assert_eq!(failure.class, FailureClass::Clock, "{reported}");
        assert!(
            reported.contains("set the clock") && (reported.contains(side) || reported.contains("31 minutes")),
            "{reported}"
        );
    }
    assert_eq!(answered(&row, 2).await.class, FailureClass::Unauthenticated);
}

#[tokio::test]
async fn a_region_that_has_answered_is_enabled() {
    let cloud =
        MotoCluster::connect_in("me-south-1", "c".to_owned(), "http://127.0.0.1:9", RequestRecorder::alone()).await;
    let empty = "<DescribeVpcsResponse><vpcSet/></DescribeVpcsResponse>".to_owned();
    cloud.calls.reply(Some(CannedReply { status: 200, headers: Vec::new(), body: empty }));
    cloud.aws.send("ec2", "DescribeVpcs", cloud.aws.ec2.describe_vpcs().send()).await.unwrap();
    let body = ec2("AuthFailure", "AWS was not able to validate the provided access credentials");
    cloud.calls.reply(Some(CannedReply { status: 401, headers: Vec::new(), body }));
    assert_eq!(fail(&cloud.aws, SampleCall::DescribeVpcs).await.class, FailureClass::Unauthenticated);
}
