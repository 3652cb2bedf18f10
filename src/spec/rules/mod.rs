//! The rules: what a cluster file must satisfy beyond its types, each with a code and an explanation; and the way from
//! the file to the [`Cluster`].
//!
//! A rule's text stands beside the reader that checks it. A reader returns a value of the cluster, or reports why there is
//! none: [`ErrorReported`] is the proof. Adding a rule is a `Rule`, its check, and a line in its module's `RULES`.

mod access;
pub(super) mod addons;
mod balancers;
mod cidr;
mod cluster;
mod dns;
mod environment;
pub(super) mod file;
mod image;
mod listeners;
mod masters;
mod network;
mod node_settings;
mod nodes;
mod placement;
mod pod_settings;
mod pods;
mod ports;
mod private_network;
mod programs;
pub(super) mod quota;
mod security;
mod services;
mod sharing;
mod size;
mod subnets;
mod tags;
mod tls;
mod web;
mod zones;

use std::collections::BTreeMap;

use super::cluster::{Addon, Cluster, Survives, Zone};
use super::diagnostic::{Diagnostic, Severity};
use super::file::{ClusterFile, SurvivesFile};
use super::shape::FileLanguage;
use super::sink::{DiagnosticSink, ErrorReported, all};
use super::source::Span;
use super::spanned::{List, Map, OptionalSetting, Spanned};

/// A rule of the cluster file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The code, for example `Q0401`.
    pub code: &'static str,
    /// Severity of a breach.
    pub severity: Severity,
    /// Short title of the rule.
    pub title: &'static str,
    /// Reason for the rule, and the fix.
    pub explanation: &'static str,
    /// HCL that breaks the rule.
    pub bad: &'static str,
    /// HCL that follows the rule.
    pub good: &'static str,
}

/// Every rule, by code.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    let modules: [&[&Rule]; 24] = [
        &file::RULES,
        &cluster::RULES,
        &zones::RULES,
        &dns::RULES,
        &tags::RULES,
        &network::RULES,
        &masters::RULES,
        &nodes::RULES,
        &node_settings::RULES,
        &access::RULES,
        &quota::RULES,
        &services::RULES,
        &environment::RULES,
        &ports::RULES,
        &balancers::RULES,
        &listeners::RULES,
        &web::RULES,
        &pods::RULES,
        &pod_settings::RULES,
        &security::RULES,
        &programs::RULES,
        &placement::RULES,
        &sharing::RULES,
        &addons::RULES,
    ];
    modules.into_iter().flatten().copied()
}

/// Returns the rule with a code, in upper or lower case.
pub fn rule(code: &str) -> Option<&'static Rule> {
    rules().find(|rule| rule.code.eq_ignore_ascii_case(code))
}

/// Makes the cluster of a file: parses every text, checks every rule, fills in every default. All readers run, whatever
/// another one has found, so that one pass finds every error.
pub(super) fn lower(
    file: &ClusterFile,
    language: FileLanguage,
    sink: &mut DiagnosticSink,
) -> Result<Cluster, ErrorReported> {
    let context = &mut LoweringContext { file, language, zones: zones::known(file), sink };
    let name = cluster::name(context);
    let state = cluster::state(context);
    let account = cluster::account(context);
    let version = cluster::version(context);
    let zones = zones::read(context);
    let dns = dns::read(context, &name);
    let tags = tags::read(context);
    let nodes = nodes::read(context, &zones);
    let masters = masters::read(context, &zones, &nodes);
    let network = network::read(context, &masters, &nodes);
    let api = access::api(context);
    let ssh = access::ssh(context);
    let ssm = context.file.ssm.optional().map(|ssm| ssm.copied().unwrap_or(true));
    let survives = survives(context);
    let addons = addons(context);
    let around = services::Surroundings { name: &name, dns: &dns, nodes: &nodes, network: &network };
    let web = web::balancer(context);
    let services = services::read(context, &around);
    let (region, zones) = zones?;
    let (kubernetes, kubernetes_given) = version?;
    let cluster = Cluster {
        name: name?,
        state: state?,
        account: account?,
        region,
        zones,
        kubernetes,
        kubernetes_given,
        network: network?,
        masters: masters.finish()?,
        nodes: nodes.finish()?,
        api: api?,
        ssh: ssh?,
        ssm: ssm?,
        survives: survives?,
        dns: dns.finish()?,
        tags: tags?,
        web: web?,
        services: services?,
        addons: addons?,
    };
    quota::check(context, &cluster);
    sharing::hint(context, &cluster);
    Ok(cluster)
}

fn survives(context: &LoweringContext) -> Result<Option<Survives>, ErrorReported> {
    let Some(require) = context.file.require.optional()? else { return Ok(None) };
    let survives = require.survives.optional()?;
    Ok(survives.map(|survives| match survives {
        SurvivesFile::Machine => Survives::Machine,
        SurvivesFile::Zone => Survives::Zone,
    }))
}

fn addons(context: &mut LoweringContext) -> Result<BTreeMap<String, Addon>, ErrorReported> {
    context.map(&context.file.addon, |context, name, addon| {
        let named = nodes::check_name(context, name, &addon.key, LONGEST_NAME, "an add-on");
        let manifest = addon.value().and_then(|file| context.required(&file.manifest, "manifest").cloned());
        named?;
        Ok(Addon { manifest: manifest?.into(), content: String::new() })
    })
}

/// The longest name of a service or an add-on.
const LONGEST_NAME: usize = 63;

/// A file that is being read.
struct LoweringContext<'f> {
    file: &'f ClusterFile,
    language: FileLanguage,
    /// The zones that are well formed, each once, in file order.
    zones: Vec<Zone>,
    sink: &'f mut DiagnosticSink,
}

impl LoweringContext<'_> {
    /// Reports an error.
    fn error(&mut self, problem: Diagnostic) -> ErrorReported {
        self.sink.error(problem)
    }

    /// Reports a warning or a hint.
    fn warn(&mut self, problem: Diagnostic) {
        self.sink.warn(problem);
    }

    /// The value of a setting that must be there. The shape of the file has been checked, so one that is missing is
    /// reported already.
    fn required<'s, T: 's>(
        &mut self,
        setting: impl OptionalSetting<'s, T>,
        name: &str,
    ) -> Result<&'s T, ErrorReported> {
        let missing = || Diagnostic::new(&file::MISSING, 0..0, format!("the setting `{name}` is missing"));
        setting.optional()?.ok_or_else(|| self.sink.reported_or(missing))
    }

    /// Reads every item of a list; nothing of one that is not there.
    fn list<'s, T: 's, U>(
        &mut self,
        setting: impl OptionalSetting<'s, List<T>>,
        mut read: impl FnMut(&mut Self, &'s Spanned<T>) -> Result<U, ErrorReported>,
    ) -> Result<Vec<U>, ErrorReported> {
        let items = setting.optional()?.into_iter().flatten();
        all(items.map(|item| read(self, item)))
    }

    /// Reads every value of a table with free names.
    fn map<'s, T: 's, U>(
        &mut self,
        setting: impl OptionalSetting<'s, Map<T>>,
        mut read: impl FnMut(&mut Self, &'s str, &'s Spanned<T>) -> Result<U, ErrorReported>,
    ) -> Result<BTreeMap<String, U>, ErrorReported> {
        let values = setting.optional()?.into_iter().flatten();
        all(values.map(|(name, value)| Ok((name.clone(), read(self, name, value)?))))
    }

    /// Returns a table or block on one line, as the file's language writes it.
    fn block(&self, name: &str, body: &str) -> String {
        match self.language {
            FileLanguage::Hcl => format!("{name} {{ {body} }}"),
            FileLanguage::Toml => format!("{name} = {{ {body} }}"),
        }
    }

    /// Returns the zones as a list, for samples.
    fn zone_list(&self) -> Vec<String> {
        self.zones.iter().map(|zone| format!("{:?}", zone.as_str())).collect()
    }
}
