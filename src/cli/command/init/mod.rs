//! `quorate init`: a new cluster file from flags, from answers on a terminal, or from a kops cluster.

mod kops;
mod questions;
mod target;
mod values;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::cli::{CliError, Exit, Session};
use crate::spec::{ClusterDraft, KopsDifference, NODE_GROUP, Scale, WrittenDraft};
use crate::view::FORMAT;
use crate::words;
use questions::ask_all;
use target::InitTarget;
use values::{scale, set_scale, tag};

/// Write a new cluster file
///
/// Writes cluster.hcl, or the file of --file, in HCL or TOML by its extension. On a terminal, the command asks for what is
/// needed if --name or --zones is missing. An existing file is not overwritten without --force. Needs no account and no
/// network.
#[derive(Debug, Clone, Args)]
pub struct InitArgs {
    /// The cluster's DNS name, for example chat.example.com
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The availability zones, for example us-east-1a,us-east-1b,us-east-1c
    #[arg(long, value_name = "ZONES", value_delimiter = ',')]
    zones: Vec<String>,
    /// Number of masters: 1, 3, 5 or 7 [default: 3]
    #[arg(long, value_name = "NUMBER")]
    masters: Option<u32>,
    /// Instance size of the masters [default: t3.medium]
    #[arg(long, value_name = "SIZE")]
    size: Option<String>,
    /// Number of nodes; with a range like 3-9, an autoscaler sets the number [default: 3]
    #[arg(long, value_name = "NUMBER", value_parser = scale, conflicts_with = "from_kops")]
    nodes: Option<Scale>,
    /// Instance size of the nodes [default: t3.large]
    #[arg(long, value_name = "SIZE", conflicts_with = "from_kops")]
    node_size: Option<String>,
    /// Location of the record of what was applied [default: s3://state.NAME]
    #[allow(clippy::doc_markdown, reason = "the help shows the text as it stands")]
    #[arg(long, value_name = "LOCATION")]
    state: Option<String>,
    /// The only AWS account that the file may be applied to
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// The Kubernetes minor version [default: 1.36]
    #[arg(long, value_name = "VERSION")]
    kubernetes: Option<String>,
    /// Address range of the VPC [default: 172.20.0.0/16]
    #[arg(long, value_name = "RANGE")]
    cidr: Option<String>,
    /// Address ranges that may connect to the Kubernetes API [default: none]
    #[arg(long, value_name = "RANGES", value_delimiter = ',')]
    api_allow: Vec<String>,
    /// The public hosted zone of the cluster's names [default: the account's zone that the name ends in]
    #[arg(long, value_name = "ZONE")]
    dns_zone: Option<String>,
    /// Create no public names in Route 53
    #[arg(long, conflicts_with = "dns_zone")]
    no_public_names: bool,
    /// A tag on every AWS object of the cluster; can be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = tag)]
    tag: Vec<(String, String)>,
    /// Convert the output of `kops get NAME -o yaml`, `-` for stdin; other flags take precedence
    #[arg(long, value_name = "FILE")]
    from_kops: Option<PathBuf>,
    /// Print the file instead of writing it; the same as `--file -`
    #[arg(long)]
    stdout: bool,
    /// Overwrite an existing file
    #[arg(long)]
    force: bool,
}

impl InitArgs {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let target = InitTarget::of(session, self.stdout, self.force)?;
        if let Some(export) = &self.from_kops {
            return self.convert(session, &target, export);
        }
        let mut draft = ClusterDraft::default();
        self.fill(&mut draft);
        let missing = missing(&draft);
        if !missing.is_empty() {
            if !session.ui.can_ask() {
                return Err(missing_flags(&missing));
            }
            ask_all(session, &mut draft, target.file_name()).await?;
        }
        draft.complete(flag);
        let written = draft.write(target.file_name()).map_err(CliError::values)?;
        target.write(&written.text)?;
        report(session, &target, &written, &[])?;
        Ok(Exit::Done)
    }

    /// Writes the file of a kops cluster.
    fn convert(&self, session: &Session, target: &InitTarget, export: &Path) -> Result<Exit, CliError> {
        let mut conversion = kops::read(export)?;
        self.fill(&mut conversion.draft);
        conversion.settle(target.file_name(), flag).map_err(CliError::values)?;
        conversion.remark();
        let written = conversion.draft.write(target.file_name()).map_err(CliError::values)?;
        target.write(&written.text)?;
        kops::show(session, &conversion.differences);
        report(session, target, &written, &conversion.differences)?;
        Ok(Exit::Done)
    }

    /// Sets what the flags say.
    fn fill(&self, draft: &mut ClusterDraft) {
        let texts: [(&[&str], &Option<String>, &str); 8] = [
            (&["name"], &self.name, "--name"),
            (&["masters", "size"], &self.size, "--size"),
            (&["nodes", NODE_GROUP, "size"], &self.node_size, "--node-size"),
            (&["state"], &self.state, "--state"),
            (&["account"], &self.account, "--account"),
            (&["kubernetes"], &self.kubernetes, "--kubernetes"),
            (&["network", "cidr"], &self.cidr, "--cidr"),
            (&["dns", "zone"], &self.dns_zone, "--dns-zone"),
        ];
        for (path, text, flag) in texts {
            if let Some(text) = text {
                draft.set(path, text.trim(), flag);
            }
        }
        let lists: [(&[&str], &[String], &str); 2] =
            [(&["zones"], &self.zones, "--zones"), (&["api", "allow"], &self.api_allow, "--api-allow")];
        for (path, items, flag) in lists {
            if !items.is_empty() {
                draft.set(path, items.iter().map(|item| item.trim().to_owned()).collect::<Vec<_>>(), flag);
            }
        }
        if let Some(masters) = self.masters {
            draft.set(&["masters", "count"], masters, "--masters");
        }
        if let Some(nodes) = self.nodes {
            set_scale(draft, nodes);
        }
        if self.no_public_names {
            draft.set(&["dns", "public"], false, "--no-public-names");
        }
        if !self.tag.is_empty() {
            draft.set(&["tags"], self.tag.iter().cloned().collect::<BTreeMap<_, _>>(), "--tag");
        }
    }
}

/// Returns the origin of a default: the flag that sets another value.
fn flag(name: &str) -> String {
    format!("--{name}")
}

/// Returns the required flags that are missing.
fn missing(draft: &ClusterDraft) -> Vec<String> {
    ["name", "zones"].iter().filter(|name| draft.get(&[name]).is_none()).map(|name| format!("--{name}")).collect()
}

fn missing_flags(missing: &[String]) -> CliError {
    let verb = if missing.len() == 1 { "is" } else { "are" };
    CliError::Usage {
        message: format!(
            "{} {verb} missing. Without a terminal, or with --json, the command asks nothing: nothing was written",
            words::list(missing)
        ),
        hint: "for example: `quorate init --name chat.example.com --zones us-east-1a,us-east-1b,us-east-1c`".to_owned(),
    }
}

fn report(
    session: &Session,
    target: &InitTarget,
    written: &WrittenDraft,
    differences: &[KopsDifference],
) -> Result<(), CliError> {
    let ui = &session.ui;
    if !written.parsed.diagnostics.is_empty() && !ui.is_json() && !ui.is_quiet() {
        let style = ui.message_style();
        ui.message(&written.parsed.render(style.color, style.width));
    }
    let cluster = &written.cluster;
    let file = target.path().map(|path| path.display().to_string());
    ui.json(&json!({
        "format": FORMAT,
        "file": file,
        "name": cluster.name,
        "text": written.text,
        "diagnostics": written.parsed.diagnostics,
        "differences": differences,
    }))?;
    let Some(file) = file else {
        ui.text(&written.text);
        return Ok(());
    };
    ui.text(&format!(
        "{file}: {} with {} and {} in {}\n",
        cluster.name,
        words::count(cluster.masters.zones.len(), "master"),
        words::count(cluster.nodes.len(), "node group"),
        words::count(cluster.zones.len(), "zone"),
    ));
    ui.note(&format!("{file} is written. Next: `quorate plan{}` shows what it would create", target.file_flag()));
    Ok(())
}
