//! `token`: what new nodes join by.

use serde_json::json;

use crate::cli::error::CliError;
use crate::cli::{Exit, Vault};

use super::Flow;
use super::begin::{Tenure, begin};
use crate::view::FORMAT;

/// Makes a new join token, under the lease: no apply makes machines meanwhile.
pub async fn rotate_token(flow: &Flow<'_>, vault: &Vault) -> Result<Exit, CliError> {
    let tenure = begin(flow, "token rotate").await?;
    let rotated = match tenure {
        Tenure::Leased { .. } => vault.rotate_token().await,
        Tenure::NoStore => {
            Err(CliError::not_applied(format!("{} has no join token: it was never applied", flow.name())))
        }
    };
    tenure.end(flow).await;
    rotated?;
    flow.ui.json(&json!({ "format": FORMAT, "cluster": flow.name(), "sandbox": flow.sandbox, "rotated": true }))?;
    flow.ui.text("The join token is new.\n");
    flow.ui.note(
        "masters take it up within minutes and then refuse the old one; a node that starts in between tries again \
         until they have. Nodes that have joined keep their own certificates.",
    );
    Ok(Exit::Done)
}
