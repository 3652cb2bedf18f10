//! The common objects of masters and nodes: a launch template and an Auto Scaling group.

use super::bootstrap::MachineSettings;
use super::outputs::{instance_profile, machine_routes, machine_subnet, security_group, security_group_rules};
use super::{BlueprintProblem, BuildContext, identity, names, secrets};
use crate::engine::{Object, TextInput};
use crate::resource::{AutoScalingGroup, LaunchTemplate, PurchaseOption, Resource, Tags};
use crate::spec::{ImageId, InstanceSize, NodeRoll, RootVolume, Scale, Zone};

/// A group of equal machines.
pub(super) struct MachineGroup<'a> {
    /// The name of their objects.
    pub object: &'a str,
    /// Their name in the console.
    pub display: String,
    /// Their role, which is also the name of their security group.
    pub role: &'static str,
    /// Tags beside those of their group.
    pub tags: Tags,
    /// Their instance size.
    pub size: &'a InstanceSize,
    /// Other sizes that they may have, in order of preference.
    pub other_sizes: &'a [InstanceSize],
    /// Their purchase option.
    pub purchase: PurchaseOption,
    /// The image that the file names for them.
    pub image: Option<&'a ImageId>,
    /// Their root volume.
    pub root: &'a RootVolume,
    /// Their zones.
    pub zones: &'a [Zone],
    /// Number of machines.
    pub scale: Scale,
    /// The target groups that they are registered in.
    pub target_groups: Vec<TextInput>,
    /// The limits of a roll; `None` for a master, which is replaced by its successor.
    pub roll: Option<NodeRoll>,
    /// Groups of one lane are rolled one at a time.
    pub lane: Option<&'static str>,
    /// Their boot settings.
    pub settings: MachineSettings,
}

impl MachineGroup<'_> {
    /// Returns the settings, the launch template and the group.
    pub(super) fn objects(&self, site: &BuildContext<'_>) -> Result<[Object; 3], BlueprintProblem> {
        let mut instance_tags = site.tags(&AutoScalingGroup::address(self.object), &self.display);
        instance_tags.extend(self.tags.clone());
        let mut template = self.template(site, instance_tags.clone())?.object(self.object)?;
        template.depends_on.extend(self.settings.files());
        let mut group = self.group(site, instance_tags).object(self.object)?;
        // A machine that starts needs its files, secrets among them, a route to them, and rules that allow it to leave.
        // As the group needs the new files, the old ones are removed only after it: until then machines may start from
        // the old template.
        group.depends_on.extend(self.settings.files());
        group.depends_on.extend(machine_routes(site.cluster));
        group.depends_on.insert(security_group_rules(self.role));
        group.depends_on.extend(secrets::of_role(self.role));
        group.lane = self.lane.map(str::to_owned);
        Ok([self.settings.object(site)?, template, group])
    }

    fn template(&self, site: &BuildContext<'_>, instance_tags: Tags) -> Result<LaunchTemplate, BlueprintProblem> {
        let image = site.image(self.size, self.image)?;
        Ok(LaunchTemplate {
            name: names::fitted(&self.display, names::LAUNCH_TEMPLATE),
            image: image.id.to_owned(),
            instance_size: self.size.to_string(),
            profile: instance_profile(self.role),
            security_groups: vec![security_group(self.role)],
            public_address: site.cluster.network.private.is_none(),
            key: identity::key(site).unwrap_or_else(|| "".into()),
            user_data: self.settings.user_data(site)?,
            root_device: image.root_device.to_owned(),
            root_gib: self.root.gib,
            // One hop: a pod, a bridge away, cannot take the machine's role.
            metadata_hops: 1,
            instance_tags,
            tags: site.tags(&LaunchTemplate::address(self.object), &self.display),
        })
    }

    /// Returns all sizes, the preferred one first; none if there is only one.
    fn sizes(&self) -> Vec<String> {
        let preferred = Some(self.size).filter(|_| !self.other_sizes.is_empty());
        preferred.into_iter().chain(self.other_sizes).map(ToString::to_string).collect()
    }

    fn group(&self, site: &BuildContext<'_>, tags: Tags) -> AutoScalingGroup {
        let (min, max, desired) = match self.scale {
            Scale::Count(count) => (count, count, Some(count)),
            Scale::Range { min, max } => (min, max, None),
        };
        let template = |output| TextInput::output(LaunchTemplate::address(self.object), output);
        let roll = self.roll.filter(|roll| *roll != NodeRoll::default());
        AutoScalingGroup {
            name: names::fitted(&self.display, names::AUTO_SCALING_GROUP),
            launch_template: template("id"),
            version: template("version"),
            machines: template("generation"),
            sizes: self.sizes(),
            purchase: self.purchase.clone(),
            subnets: self.zones.iter().map(|zone| machine_subnet(site.cluster, zone)).collect(),
            min,
            max,
            desired,
            target_groups: self.target_groups.clone(),
            max_surge: roll.map(|roll| roll.max_surge),
            max_unavailable: roll.map(|roll| roll.max_unavailable),
            replace: Vec::new(),
            tags,
        }
    }
}
