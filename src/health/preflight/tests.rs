#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

fn servers(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn no_answer(why: &str) -> NoAnswer {
    NoAnswer { why: why.to_owned(), advice: Some("do this".to_owned()) }
}

fn evidence() -> PreflightEvidence {
    let own = servers(&["ns-1.awsdns-1.org", "ns-2.awsdns-2.com"]);
    PreflightEvidence {
        simulated: false,
        caller: Ok(CallerIdentity {
            account: "123456789012".to_owned(),
            arn: "arn:aws:iam::123456789012:user/ada".to_owned(),
        }),
        wanted_account: Some("123456789012".to_owned()),
        skew: Ok(Some(SignedDuration::from_millis(-400))),
        region: "us-east-1".to_owned(),
        zones: vec!["us-east-1a".to_owned(), "us-east-1b".to_owned()],
        sizes: vec!["t3.large".to_owned(), "t3.medium".to_owned()],
        findings: Ok(RegionFindings {
            problems: BTreeMap::new(),
            hosted_zone: HostedZoneFinding::Found("example.com".to_owned()),
        }),
        quotas: Ok(Some(vec![
            QuotaFinding {
                noun: "vCPU",
                holder: None,
                code: "L-1216C47A",
                limit: Some(32),
                used_by_others: 8,
                needed: 12,
            },
            QuotaFinding {
                noun: "VPC",
                holder: None,
                code: "L-F678F1CE",
                limit: Some(5),
                used_by_others: 4,
                needed: 1,
            },
            QuotaFinding {
                noun: "network load balancer",
                holder: None,
                code: "L-69A177A2",
                limit: None,
                used_by_others: 4,
                needed: 1,
            },
        ])),
        delegation: Some(Ok(DelegationFinding { own: own.clone(), dns: Ok(own) })),
        bucket_name: "state.chat.example.com".to_owned(),
        bucket: Ok(BucketFinding::Absent),
        lease: Ok(None),
    }
}

fn listed(checks: &[PreflightCheck]) -> String {
    let line = |check: &PreflightCheck| {
        let advice = check.advice.as_ref().map_or(String::new(), |advice| format!(" [{advice}]"));
        format!("{:?} {:?}: {}{advice}\n", check.area, check.status, check.finding)
    };
    checks.iter().map(line).collect()
}

/// Returns the checks that are not `ok`.
fn troubles(change: impl Fn(&mut PreflightEvidence)) -> String {
    let mut evidence = evidence();
    change(&mut evidence);
    let mut checks = preflight(&evidence);
    let areas: Vec<PreflightArea> = checks.iter().map(|check| check.area).collect();
    assert!(areas.is_sorted(), "{areas:?}");
    checks.retain(|check| check.status != PreflightStatus::Ok);
    listed(&checks)
}

#[test]
fn an_account_that_is_ready_has_nothing_but_ok() {
    insta::assert_snapshot!(listed(&preflight(&evidence())));
}

#[test]
fn what_is_in_the_way_is_named_with_what_to_do() {
    let problem = |area, text: &'static str| {
        move |evidence: &mut PreflightEvidence| {
            evidence.findings.as_mut().unwrap().problems.insert(area, vec![text.to_owned()]);
        }
    };
    let delegated = |dns: Answer<BTreeSet<String>>| {
        move |evidence: &mut PreflightEvidence| {
            evidence.delegation.as_mut().unwrap().as_mut().unwrap().dns = dns.clone();
        }
    };
    let named = |zone: HostedZoneFinding| {
        move |evidence: &mut PreflightEvidence| evidence.findings.as_mut().unwrap().hosted_zone = zone.clone()
    };
    let held = |is_expired| {
        move |evidence: &mut PreflightEvidence| {
            evidence.lease = Ok(Some(LeaseFinding { holder: "`apply` by ada on laptop".to_owned(), is_expired }));
        }
    };
    let every = [
        ("no credentials", troubles(|it| it.caller = Err(no_answer("no credentials were found")))),
        ("another account", troubles(|it| it.wanted_account = Some("999999999999".to_owned()))),
        ("no account", troubles(|it| it.wanted_account = None)),
        ("the clock", troubles(|it| it.skew = Ok(Some(SignedDuration::from_mins(-7))))),
        ("the clock, a little", troubles(|it| it.skew = Ok(Some(SignedDuration::from_secs(90))))),
        ("no region", troubles(|it| it.findings = Err(no_answer("not authorized")))),
        ("a zone", troubles(problem(PreflightArea::Zones, "the account cannot use us-east-1z"))),
        ("a size", troubles(problem(PreflightArea::Sizes, "us-east-1b does not offer t3.medium"))),
        ("no hosted zone", troubles(named(HostedZoneFinding::Missing))),
        ("a new hosted zone", troubles(named(HostedZoneFinding::Created("example.com".to_owned())))),
        ("no public names", troubles(named(HostedZoneFinding::Unwanted))),
        ("not delegated", troubles(delegated(Ok(BTreeSet::new())))),
        ("delegated elsewhere", troubles(delegated(Ok(servers(&["ns1.registrar.example"]))))),
        ("no DNS", troubles(delegated(Err(no_answer("no name server answered"))))),
        ("a shared bucket", troubles(|it| it.bucket = Ok(BucketFinding::Shared))),
        ("a foreign bucket", troubles(|it| it.bucket = Err(no_answer("the bucket belongs to another account")))),
        ("another run", troubles(held(false))),
        ("a dead run", troubles(held(true))),
        ("no state", troubles(|it| it.lease = Err(no_answer("not a lease")))),
        ("the sandbox", troubles(|it| (it.simulated, it.skew) = (true, Ok(None)))),
    ];
    let every: Vec<String> = every.iter().map(|(name, listed)| format!("-- {name}\n{listed}")).collect();
    insta::assert_snapshot!(every.join("\n"));
}

#[test]
fn a_clock_is_a_failure_from_four_minutes_on() {
    let status = |seconds| {
        let mut evidence = evidence();
        evidence.skew = Ok(Some(SignedDuration::from_secs(seconds)));
        preflight(&evidence).into_iter().find(|check| check.area == PreflightArea::Clock).unwrap().status
    };
    assert_eq!([0, 60, -60].map(status), [PreflightStatus::Ok; 3]);
    assert_eq!([61, -61, 240, -240].map(status), [PreflightStatus::Warning; 4]);
    assert_eq!([241, -241, 1_000_000].map(status), [PreflightStatus::Failed; 3]);
}

#[test]
fn a_quota_without_room_is_named_with_its_code() {
    let used = |vcpus, vpcs| {
        troubles(|evidence| {
            let quotas = evidence.quotas.as_mut().unwrap().as_mut().unwrap();
            (quotas[0].used_by_others, quotas[1].used_by_others) = (vcpus, vpcs);
        })
    };
    assert_eq!(used(20, 4), "", "exactly enough");
    assert_eq!(
        used(21, 5),
        "Quotas Failed: the cluster needs 12 vCPUs, and others use 21 of the 32 that the account may have in us-east-1 [ask for a \
         higher quota in Service Quotas (L-1216C47A), or make the cluster smaller]\n\
         Quotas Failed: the cluster needs 1 VPC, and others use 5 of the 5 that the account may have in us-east-1 [ask for a higher \
         quota in Service Quotas (L-F678F1CE), or make the cluster smaller]\n"
    );
    assert_eq!(
        troubles(|evidence| evidence.quotas = Err(no_answer("not allowed"))),
        "Quotas Skipped: the quotas could not be read: not allowed\n"
    );
    assert!(troubles(|evidence| evidence.quotas = Ok(Some(Vec::new()))).contains("has no values for this account"));
}
