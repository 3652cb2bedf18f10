//! The permissions of the caller, as IAM's policy simulator evaluates them.

use std::collections::BTreeMap;

use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, EvaluationResult, PolicyEvaluationDecisionType};

use super::AwsProvider;
use super::failure::internal;
use super::iam::IAM;
use crate::cloud::{CloudProvider, PermissionSimulator};
use crate::engine::{BoxFuture, Failure, FailureClass};
use crate::resource::{PermissionCheck, RefusedBy};

impl PermissionSimulator for AwsProvider {
    fn principal(&self) -> BoxFuture<'_, Result<Option<String>, Failure>> {
        Box::pin(async move { principal(self, self.caller().await?).await })
    }

    fn refused<'a>(
        &'a self,
        principal: &'a str,
        checks: &'a [PermissionCheck],
    ) -> BoxFuture<'a, Result<BTreeMap<String, RefusedBy>, Failure>> {
        Box::pin(async move {
            let answers = checks.iter().map(|check| evaluate(self, principal, check));
            let answers = futures_util::future::try_join_all(answers).await?;
            Ok(answers.into_iter().flatten().collect())
        })
    }
}

/// Returns the ARN of the user or role behind a caller. A session's ARN has the name of its role, but not the role's path.
async fn principal(aws: &AwsProvider, caller: String) -> Result<Option<String>, Failure> {
    let Some((beginning, resource)) = caller.rsplit_once(':') else { return Ok(Some(caller)) };
    if resource == "root" {
        return Ok(None);
    }
    let Some(role) = resource.strip_prefix("assumed-role/").and_then(|session| session.split('/').next()) else {
        return Ok(Some(caller));
    };
    match aws.read(IAM, "GetRole", || aws.iam.get_role().role_name(role).send()).await {
        Ok(answer) => Ok(answer.role.map(|role| role.arn)),
        Err(failure) if failure.class == FailureClass::Denied => {
            Ok(Some(format!("{}:role/{role}", beginning.replace(":sts:", ":iam:"))))
        }
        Err(failure) => Err(failure),
    }
}

/// Returns the actions of a check that are allowed on none of its resources.
async fn evaluate(
    aws: &AwsProvider,
    principal: &str,
    check: &PermissionCheck,
) -> Result<BTreeMap<String, RefusedBy>, Failure> {
    let keys = check.keys.iter().map(|(key, value)| {
        let entry = ContextEntry::builder().context_key_name(key).context_key_type(ContextKeyTypeEnum::String);
        entry.context_key_values(value).build()
    });
    let keys: Vec<ContextEntry> = keys.collect();
    let actions: Vec<String> = check.actions.iter().map(|action| (*action).to_owned()).collect();
    let resources = (!check.resources.is_empty()).then(|| check.resources.clone());
    let pages = || {
        let request = aws.iam.simulate_principal_policy().policy_source_arn(principal);
        let request = request.set_action_names(Some(actions.clone())).set_resource_arns(resources.clone());
        request.set_context_entries(Some(keys.clone())).into_paginator().items().send().try_collect()
    };
    let results: Vec<EvaluationResult> = aws.read(IAM, "SimulatePrincipalPolicy", pages).await?;
    let mut refused: BTreeMap<String, RefusedBy> = BTreeMap::new();
    for action in &actions {
        let decisions = results.iter().filter(|result| result.eval_action_name() == action);
        let decisions: Vec<&PolicyEvaluationDecisionType> = decisions.map(EvaluationResult::eval_decision).collect();
        if decisions.is_empty() {
            return Err(internal("SimulatePrincipalPolicy", format!("the answer has no decision about {action}")));
        }
        if decisions.iter().all(|decision| **decision != PolicyEvaluationDecisionType::Allowed) {
            let is_denied = decisions.contains(&&PolicyEvaluationDecisionType::ExplicitDeny);
            refused.insert(action.clone(), if is_denied { RefusedBy::DenyingPolicy } else { RefusedBy::NoPolicy });
        }
    }
    Ok(refused)
}
