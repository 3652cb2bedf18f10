//! Launch templates: the object is the default version, and a change is a new one.
//!
//! A version that differs from another one only in tags names that version in its description: machines of that one need
//! not be replaced.

mod data;

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_sdk_ec2::types::{LaunchTemplate as Answer, LaunchTemplateVersion, ResourceType};

use super::AwsProvider;
use super::ec2::{EC2, created, from_ec2, of_cluster, retag, specification};
use super::failure::ErrorCodes;
use super::kind::{AwsKind, CreateContext};
use super::observe_cache::ObserveCache;
use super::tags::ObservationScope;
use crate::engine::{Failure, FailureClass, Live, ProgressNote, Value};
use crate::resource::{LaunchTemplate, Resource};

/// The prefix of the description of a version that differs from an earlier one only in tags.
const LIKE: &str = "only the tags differ from version ";

/// Maximum number of versions in one answer of EC2.
const PAGE: i32 = 200;

impl AwsKind for LaunchTemplate {
    const CODES: ErrorCodes = &[
        (
            FailureClass::Gone,
            &["InvalidLaunchTemplateId.VersionNotFound", "InvalidLaunchTemplateName.NotFoundException"],
        ),
        (FailureClass::AlreadyExists, &["InvalidLaunchTemplateName.AlreadyExistsException"]),
        (FailureClass::Quota, &["MaxTemplateVersionsExceeded"]),
    ];

    async fn observe(cache: &ObserveCache<'_>) -> Result<Vec<Live>, Failure> {
        let templates = templates(cache).await?;
        if templates.is_empty() {
            return Ok(Vec::new());
        }
        let versions = default_versions(cache).await?;
        templates.iter().filter_map(|template| live_of(cache.whose, template, &versions)).collect()
    }

    // The data of a template is large: boxed, or every future around it is.
    async fn create(&self, aws: &AwsProvider, creation: &CreateContext<'_>) -> Result<Live, Failure> {
        let request = aws
            .ec2
            .create_launch_template()
            .launch_template_name(&self.name)
            .launch_template_data(data::request(self))
            .client_token(&creation.token.0)
            .tag_specifications(specification(ResourceType::LaunchTemplate, &self.tags));
        let made = aws.send(EC2, "CreateLaunchTemplate", Box::pin(request.send())).await?;
        let template = made.launch_template();
        let id = template.and_then(Answer::launch_template_id).unwrap_or_default();
        let version = template.and_then(Answer::default_version_number).unwrap_or(1);
        live(creation.object.address.name(), id, self, version, version)
    }

    async fn update(&self, aws: &AwsProvider, live: &Live, changed: &BTreeSet<String>) -> Result<Live, Failure> {
        let mut outputs = live.outputs.clone();
        let of_version: BTreeSet<&str> = changed.iter().map(String::as_str).filter(|name| *name != "tags").collect();
        if !of_version.is_empty() {
            let alike =
                live.outputs.get("generation").filter(|_| of_version.iter().all(|name| *name == "instance_tags"));
            let version = self.renew(aws, &live.id, alike).await?;
            outputs.insert("generation".to_owned(), alike.cloned().unwrap_or_else(|| version.clone()));
            outputs.insert("version".to_owned(), version);
        }
        retag(aws, live, &self.tags, changed.contains("tags")).await?;
        let now = super::kind::live(live.address.name(), &live.id, self, &[])?;
        Ok(Live { outputs, created: live.created, ..now })
    }

    async fn delete(aws: &AwsProvider, live: &Live, _note: ProgressNote<'_>) -> Result<(), Failure> {
        let request = aws.ec2.delete_launch_template().launch_template_id(&live.id);
        aws.send(EC2, "DeleteLaunchTemplate", request.send()).await.map(drop)
    }
}

impl LaunchTemplate {
    /// Creates a complete version (nothing is inherited from another one), and makes it the default.
    /// `like` is the version from which it differs only in tags.
    async fn renew(&self, aws: &AwsProvider, id: &str, like: Option<&String>) -> Result<String, Failure> {
        let request = aws
            .ec2
            .create_launch_template_version()
            .launch_template_id(id)
            .set_version_description(like.map(|version| format!("{LIKE}{version}")))
            .launch_template_data(data::request(self));
        let made = aws.send(EC2, "CreateLaunchTemplateVersion", Box::pin(request.send())).await?;
        let number = made.launch_template_version().and_then(LaunchTemplateVersion::version_number);
        let version = number.unwrap_or_default().to_string();
        let request = aws.ec2.modify_launch_template().launch_template_id(id).default_version(&version);
        aws.send(EC2, "ModifyLaunchTemplate", request.send()).await.map_err(too_early)?;
        Ok(version)
    }
}

/// Classifies a failure: a version that was created a moment ago may not be visible yet.
fn too_early(failure: Failure) -> Failure {
    match failure.code.as_deref() {
        Some("InvalidLaunchTemplateId.VersionNotFound") => Failure { class: FailureClass::NotYetConsistent, ..failure },
        _ => failure,
    }
}

async fn templates(cache: &ObserveCache<'_>) -> Result<Vec<Answer>, Failure> {
    let aws = cache.aws;
    // There is no filter for ids, and a list of ids fails as a whole if one is missing.
    let ours = matches!(cache.whose, ObservationScope::Tagged(_)).then(|| vec![of_cluster(aws)]);
    let pages = || {
        let request = aws.ec2.describe_launch_templates().set_filters(ours.clone()).max_results(PAGE);
        request.into_paginator().items().send().try_collect()
    };
    aws.read(EC2, "DescribeLaunchTemplates", pages).await
}

/// Returns the default versions of all templates of the account: versions have no tags to filter by.
pub(super) async fn default_versions(cache: &ObserveCache<'_>) -> Result<Arc<Vec<LaunchTemplateVersion>>, Failure> {
    let aws = cache.aws;
    let pages = || {
        let request = aws.ec2.describe_launch_template_versions().versions("$Default").max_results(PAGE);
        request.into_paginator().items().send().try_collect()
    };
    cache.once(|| aws.read(EC2, "DescribeLaunchTemplateVersions", pages)).await
}

/// Returns the first version since which only tags have changed, up to this one.
pub(super) fn generation(version: &LaunchTemplateVersion) -> i64 {
    let number = version.version_number().unwrap_or_default();
    let like = version.version_description().and_then(|text| text.strip_prefix(LIKE)?.parse().ok());
    like.filter(|like| (1..=number).contains(like)).unwrap_or(number)
}

/// Converts EC2's answer to a live object.
fn live_of(
    whose: ObservationScope<'_>,
    template: &Answer,
    versions: &[LaunchTemplateVersion],
) -> Option<Result<Live, Failure>> {
    let tags = from_ec2(template.tags());
    let id = template.launch_template_id()?;
    let address = whose.address(&tags, id, LaunchTemplate::KIND.name)?;
    // A template that was created between the two calls has no version yet: the next observation returns it.
    let version = versions.iter().find(|version| version.launch_template_id() == Some(id))?;
    let name = template.launch_template_name().unwrap_or_default().to_owned();
    let (observed, beside) = data::read(name, tags, version.launch_template_data());
    let number = version.version_number().unwrap_or_default();
    let live = live(address.name(), id, &observed, number, generation(version));
    Some(live.map(|live| Live { created: created(template.create_time()), ..with_notes(live, &beside) }))
}

fn live(name: &str, id: &str, template: &LaunchTemplate, version: i64, generation: i64) -> Result<Live, Failure> {
    let (version, generation) = (version.to_string(), generation.to_string());
    super::kind::live(name, id, template, &[("id", id), ("version", &version), ("generation", &generation)])
}

/// Appends settings that no attribute has to the image's id: the template then differs from the wanted one, the plan
/// shows why, and the next version does not have them.
fn with_notes(mut live: Live, beside: &[String]) -> Live {
    if !beside.is_empty()
        && let Some(Value::Text(image)) = live.attributes.get_mut("image")
    {
        *image = format!("{image} (and: {})", beside.join(", "));
    }
    live
}

#[cfg(test)]
mod tests;
