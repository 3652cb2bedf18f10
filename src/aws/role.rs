//! IAM roles with their policies. Three rounds of calls: the roles, the names of their policies, the policies.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::types::Role as IamRole;
use futures_util::future::try_join_all;

use super::failure::{if_there, just_made};
use super::iam::{IAM, document, from_iam, name_in, path_prefix, to_iam};
use super::kind::{AwsKind, CreateContext, decode, live, updated};
use super::observe_cache::ObserveCache;
use super::{AwsProvider, tags};
use crate::engine::{Failure, FailureClass, Live, ProgressNote, TextInput};
use crate::resource::{REGION_TAG, Resource, Role, STATE_TAG, Tags};

impl AwsKind for Role {
    async fn observe(cache: &ObserveCache<'_>) -> Result<Vec<Live>, Failure> {
        let aws = cache.aws;
        let prefix = path_prefix(aws, Self::KIND.name);
        let pages = || aws.iam.list_roles().path_prefix(&prefix).into_paginator().items().send().try_collect();
        let roles: Vec<IamRole> = aws.read(IAM, "ListRoles", pages).await?;
        let ours = roles.iter().filter_map(|role| Some((name_in(role.path(), &prefix)?, role)));
        let found = try_join_all(ours.map(|(name, role)| see(aws, name, role))).await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn create(&self, aws: &AwsProvider, creation: &CreateContext<'_>) -> Result<Live, Failure> {
        let request = aws
            .iam
            .create_role()
            .role_name(&self.name)
            .path(&self.path)
            .assume_role_policy_document(&self.trust)
            .set_tags(Some(to_iam(&self.tags)?));
        let made = aws.send(IAM, "CreateRole", request.send()).await?;
        let arn = made.role().map(aws_sdk_iam::types::Role::arn).unwrap_or_default();
        let nothing = BTreeMap::new();
        tokio::try_join!(self.put_policies(aws, &nothing), self.attach(aws, &[])).map_err(just_made)?;
        live(creation.object.address.name(), &self.name, self, &outputs(arn, &self.name))
    }

    async fn update(&self, aws: &AwsProvider, live: &Live, changed: &BTreeSet<String>) -> Result<Live, Failure> {
        let before: Self = decode(live)?;
        if changed.contains("trust") {
            let request = aws.iam.update_assume_role_policy().role_name(&self.name).policy_document(&self.trust);
            aws.send(IAM, "UpdateAssumeRolePolicy", request.send()).await?;
        }
        if changed.contains("policies") {
            self.put_policies(aws, &before.policies).await?;
            let surplus = before.policies.keys().filter(|name| !self.policies.contains_key(*name));
            try_join_all(surplus.map(|name| remove_inline(aws, &self.name, name))).await?;
        }
        if changed.contains("attached") {
            self.attach(aws, &before.attached).await?;
            let surplus = before.attached.iter().filter(|arn| !self.attached.contains(arn));
            try_join_all(surplus.map(|arn| detach(aws, &self.name, arn))).await?;
        }
        if changed.contains("tags") {
            self.retag(aws, live).await?;
        }
        updated(live, self)
    }

    async fn delete(aws: &AwsProvider, live: &Live, _note: ProgressNote<'_>) -> Result<(), Failure> {
        let role = &live.id;
        let observed: Self = decode(live)?;
        remove_policies(aws, role, observed.policies.keys(), &observed.attached).await?;
        match remove(aws, role).await {
            // A policy was added since the plan was made.
            Err(failure) if failure.class == FailureClass::Held => {
                let (inline, attached) = tokio::try_join!(inline_names(aws, role), attached(aws, role))?;
                remove_policies(aws, role, inline.iter(), &attached).await?;
                remove(aws, role).await
            }
            outcome => outcome,
        }
    }
}

impl Role {
    /// Writes the inline policies that are missing or different.
    async fn put_policies(&self, aws: &AwsProvider, there: &BTreeMap<String, TextInput>) -> Result<(), Failure> {
        let missing = self.policies.iter().filter(|(name, wanted)| there.get(*name) != Some(wanted));
        let put = missing.map(|(name, wanted)| {
            let request = aws.iam.put_role_policy().role_name(&self.name).policy_name(name);
            let request = request.set_policy_document(wanted.known().map(str::to_owned));
            aws.send(IAM, "PutRolePolicy", request.send())
        });
        try_join_all(put).await.map(drop)
    }

    /// Removes tags first: IAM does not distinguish upper and lower case in keys.
    async fn retag(&self, aws: &AwsProvider, live: &Live) -> Result<(), Failure> {
        let removed = tags::removed(live, &self.tags);
        if !removed.is_empty() {
            let request = aws.iam.untag_role().role_name(&self.name).set_tag_keys(Some(removed));
            aws.send(IAM, "UntagRole", request.send()).await?;
        }
        let set = tags::difference(live, &self.tags);
        if !set.is_empty() {
            let request = aws.iam.tag_role().role_name(&self.name).set_tags(Some(to_iam(&set)?));
            aws.send(IAM, "TagRole", request.send()).await?;
        }
        Ok(())
    }

    /// Attaches the managed policies that are not attached.
    async fn attach(&self, aws: &AwsProvider, there: &[String]) -> Result<(), Failure> {
        let missing = self.attached.iter().filter(|arn| !there.contains(arn));
        let attach = missing.map(|arn| {
            let request = aws.iam.attach_role_policy().role_name(&self.name).policy_arn(arn);
            aws.send(IAM, "AttachRolePolicy", request.send())
        });
        try_join_all(attach).await.map(drop)
    }
}

fn outputs<'a>(arn: &'a str, name: &'a str) -> [(&'a str, &'a str); 2] {
    [("arn", arn), ("name", name)]
}

/// Returns the role with its policies and tags; `None` if it was removed after it was listed.
async fn see(aws: &AwsProvider, name: &str, role: &IamRole) -> Result<Option<Live>, Failure> {
    let id = role.role_name();
    let Some((policies, attached, tags)) =
        if_there(tokio::try_join!(inline_names(aws, id), attached(aws, id), tags_of(aws, id)))?
    else {
        return Ok(None);
    };
    // A role of an older release shows only by its policies to which cluster of the name it belongs.
    let is_located = tags.contains_key(REGION_TAG) && tags.contains_key(STATE_TAG);
    let policies = if aws.is_shallow() && is_located {
        policies.into_iter().map(|name| (name, TextInput::from(""))).collect()
    } else {
        documents(aws, id, policies).await?
    };
    live(name, id, &translate(role, policies, attached, tags), &outputs(role.arn(), id)).map(Some)
}

fn translate(role: &IamRole, policies: BTreeMap<String, TextInput>, attached: Vec<String>, tags: Tags) -> Role {
    Role {
        name: role.role_name().to_owned(),
        path: role.path().to_owned(),
        trust: document(role.assume_role_policy_document().unwrap_or_default()),
        policies,
        attached,
        tags,
    }
}

/// Returns the tags of a role, which are not in the answer of `ListRoles`.
async fn tags_of(aws: &AwsProvider, role: &str) -> Result<Tags, Failure> {
    let pages = || aws.iam.list_role_tags().role_name(role).into_paginator().items().send().try_collect();
    let tags: Vec<aws_sdk_iam::types::Tag> = aws.read(IAM, "ListRoleTags", pages).await?;
    Ok(from_iam(&tags))
}

/// Returns the inline policies of these names.
async fn documents(aws: &AwsProvider, role: &str, names: Vec<String>) -> Result<BTreeMap<String, TextInput>, Failure> {
    let policies = try_join_all(names.into_iter().map(|name| async move {
        let request = || aws.iam.get_role_policy().role_name(role).policy_name(&name).send();
        let answer = if_there(aws.read(IAM, "GetRolePolicy", request).await)?;
        Ok::<_, Failure>(answer.map(|answer| (name, TextInput::Known(document(answer.policy_document())))))
    }));
    Ok(policies.await?.into_iter().flatten().collect())
}

async fn inline_names(aws: &AwsProvider, role: &str) -> Result<Vec<String>, Failure> {
    let pages = || aws.iam.list_role_policies().role_name(role).into_paginator().items().send().try_collect();
    aws.read(IAM, "ListRolePolicies", pages).await
}

async fn attached(aws: &AwsProvider, role: &str) -> Result<Vec<String>, Failure> {
    let pages = || aws.iam.list_attached_role_policies().role_name(role).into_paginator().items().send().try_collect();
    let policies: Vec<aws_sdk_iam::types::AttachedPolicy> = aws.read(IAM, "ListAttachedRolePolicies", pages).await?;
    Ok(policies.into_iter().filter_map(|policy| policy.policy_arn).collect())
}

async fn remove(aws: &AwsProvider, role: &str) -> Result<(), Failure> {
    aws.send(IAM, "DeleteRole", aws.iam.delete_role().role_name(role).send()).await.map(drop)
}

async fn remove_policies(
    aws: &AwsProvider,
    role: &str,
    inline: impl Iterator<Item = &String>,
    attached: &[String],
) -> Result<(), Failure> {
    tokio::try_join!(
        try_join_all(inline.map(|name| remove_inline(aws, role, name))),
        try_join_all(attached.iter().map(|arn| detach(aws, role, arn))),
    )
    .map(drop)
}

async fn remove_inline(aws: &AwsProvider, role: &str, name: &str) -> Result<(), Failure> {
    let request = aws.iam.delete_role_policy().role_name(role).policy_name(name);
    if_there(aws.send(IAM, "DeleteRolePolicy", request.send()).await).map(drop)
}

async fn detach(aws: &AwsProvider, role: &str, arn: &str) -> Result<(), Failure> {
    let request = aws.iam.detach_role_policy().role_name(role).policy_arn(arn);
    if_there(aws.send(IAM, "DetachRolePolicy", request.send()).await).map(drop)
}
