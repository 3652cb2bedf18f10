//! Instance profiles. AWS allows one role in each. Two rounds of calls: the profiles, and each with its tags.

use std::collections::BTreeSet;

use aws_sdk_iam::types::InstanceProfile as IamProfile;
use futures_util::future::try_join_all;

use super::failure::{if_there, just_made};
use super::iam::{IAM, from_iam, name_in, path_prefix, to_iam};
use super::kind::{AwsKind, CreateContext, decode, live, updated};
use super::observe_cache::ObserveCache;
use super::{AwsProvider, tags};
use crate::engine::{Failure, FailureClass, Live, ProgressNote};
use crate::resource::{InstanceProfile, Resource};

impl AwsKind for InstanceProfile {
    async fn observe(cache: &ObserveCache<'_>) -> Result<Vec<Live>, Failure> {
        let aws = cache.aws;
        let prefix = path_prefix(aws, Self::KIND.name);
        let pages =
            || aws.iam.list_instance_profiles().path_prefix(&prefix).into_paginator().items().send().try_collect();
        let profiles: Vec<IamProfile> = aws.read(IAM, "ListInstanceProfiles", pages).await?;
        let ours = profiles.iter().filter_map(|profile| Some((name_in(profile.path(), &prefix)?, profile)));
        let found = try_join_all(ours.map(|(name, profile)| see(aws, name, profile.instance_profile_name()))).await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn create(&self, aws: &AwsProvider, creation: &CreateContext<'_>) -> Result<Live, Failure> {
        let request = aws
            .iam
            .create_instance_profile()
            .instance_profile_name(&self.name)
            .path(&self.path)
            .set_tags(Some(to_iam(&self.tags)?));
        let made = aws.send(IAM, "CreateInstanceProfile", request.send()).await?;
        let arn = made.instance_profile().map(aws_sdk_iam::types::InstanceProfile::arn).unwrap_or_default();
        self.add_role(aws).await.map_err(just_made)?;
        live(creation.object.address.name(), &self.name, self, &outputs(arn, &self.name))
    }

    async fn update(&self, aws: &AwsProvider, live: &Live, changed: &BTreeSet<String>) -> Result<Live, Failure> {
        if changed.contains("role") {
            // Its current roles: an earlier attempt may have done a part.
            let there = roles(aws, &live.id).await?;
            let wanted = self.role.known().unwrap_or_default();
            remove_roles(aws, &live.id, there.iter().filter(|role| *role != wanted)).await?;
            if !there.iter().any(|role| role == wanted) {
                self.add_role(aws).await?;
            }
        }
        if changed.contains("tags") {
            self.retag(aws, live).await?;
        }
        updated(live, self)
    }

    async fn delete(aws: &AwsProvider, live: &Live, _note: ProgressNote<'_>) -> Result<(), Failure> {
        let observed: Self = decode(live)?;
        let role = observed.role.known().filter(|role| !role.is_empty()).map(str::to_owned);
        if remove_roles(aws, &live.id, role.iter()).await.is_err() {
            remove_roles(aws, &live.id, roles(aws, &live.id).await?.iter()).await?;
        }
        match remove(aws, &live.id).await {
            // It has got another role since the plan was made.
            Err(failure) if failure.class == FailureClass::Held => {
                remove_roles(aws, &live.id, roles(aws, &live.id).await?.iter()).await?;
                remove(aws, &live.id).await
            }
            outcome => outcome,
        }
    }
}

impl InstanceProfile {
    /// Removes tags first: IAM does not distinguish upper and lower case in keys.
    async fn retag(&self, aws: &AwsProvider, live: &Live) -> Result<(), Failure> {
        let removed = tags::removed(live, &self.tags);
        if !removed.is_empty() {
            let request = aws.iam.untag_instance_profile().instance_profile_name(&live.id).set_tag_keys(Some(removed));
            aws.send(IAM, "UntagInstanceProfile", request.send()).await?;
        }
        let set = tags::difference(live, &self.tags);
        if !set.is_empty() {
            let request = aws.iam.tag_instance_profile().instance_profile_name(&live.id).set_tags(Some(to_iam(&set)?));
            aws.send(IAM, "TagInstanceProfile", request.send()).await?;
        }
        Ok(())
    }

    async fn add_role(&self, aws: &AwsProvider) -> Result<(), Failure> {
        let request = aws.iam.add_role_to_instance_profile().instance_profile_name(&self.name);
        let request = request.set_role_name(self.role.known().map(str::to_owned));
        match aws.send(IAM, "AddRoleToInstanceProfile", request.send()).await {
            // A profile holds one role: with ours in it already, an earlier call took effect after all.
            Err(full) if full.class == FailureClass::Quota => {
                let there = roles(aws, &self.name).await?;
                if there.len() == 1 && there.first().map(String::as_str) == self.role.known() {
                    Ok(())
                } else {
                    Err(full)
                }
            }
            outcome => outcome.map(drop),
        }
    }
}

fn outputs<'a>(arn: &'a str, name: &'a str) -> [(&'a str, &'a str); 2] {
    [("arn", arn), ("name", name)]
}

fn translate(profile: &IamProfile) -> InstanceProfile {
    InstanceProfile {
        name: profile.instance_profile_name().to_owned(),
        path: profile.path().to_owned(),
        role: profile.roles().first().map(aws_sdk_iam::types::Role::role_name).unwrap_or_default().into(),
        tags: from_iam(profile.tags()),
    }
}

/// Returns the profile with its tags, which are not in a list. `None` if it was removed after it was listed.
async fn see(aws: &AwsProvider, name: &str, id: &str) -> Result<Option<Live>, Failure> {
    let Some(profile) = if_there(get(aws, id).await)?.flatten() else { return Ok(None) };
    live(name, id, &translate(&profile), &outputs(profile.arn(), id)).map(Some)
}

async fn get(aws: &AwsProvider, profile: &str) -> Result<Option<IamProfile>, Failure> {
    let request = || aws.iam.get_instance_profile().instance_profile_name(profile).send();
    Ok(aws.read(IAM, "GetInstanceProfile", request).await?.instance_profile)
}

async fn roles(aws: &AwsProvider, profile: &str) -> Result<Vec<String>, Failure> {
    let found = get(aws, profile).await?;
    let roles = found.as_ref().map(IamProfile::roles).unwrap_or_default();
    Ok(roles.iter().map(|role| role.role_name().to_owned()).collect())
}

async fn remove(aws: &AwsProvider, profile: &str) -> Result<(), Failure> {
    let request = aws.iam.delete_instance_profile().instance_profile_name(profile);
    aws.send(IAM, "DeleteInstanceProfile", request.send()).await.map(drop)
}

async fn remove_roles(aws: &AwsProvider, profile: &str, roles: impl Iterator<Item = &String>) -> Result<(), Failure> {
    let remove = roles.map(|role| async move {
        let request = aws.iam.remove_role_from_instance_profile().instance_profile_name(profile).role_name(role);
        if_there(aws.send(IAM, "RemoveRoleFromInstanceProfile", request.send()).await)
    });
    try_join_all(remove).await.map(drop)
}
