//! The rights of the processes of a service.
//!
//! The default meets the level "baseline" of the Pod Security Standards, and all of "restricted" that images which start as
//! root can do without. [docs/services.md](../../../docs/services.md) has the reasons.

use serde_json::{Value as Json, json};

use crate::spec::{Security, Service};

/// The group that owns the volumes of services. No image needs to know it.
const VOLUMES_GROUP: u32 = 2000;

/// The capabilities of root in a container. Images that start as root use them to prepare their folders, to listen on a port
/// below 1024, and to switch to another user. Of the defaults of containerd, `AUDIT_WRITE`, `MKNOD`, `NET_RAW`, `SETFCAP` and
/// `SYS_CHROOT` are left out.
const CAPABILITIES: [&str; 9] =
    ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETGID", "SETPCAP", "SETUID"];

/// The first port that every user may listen on by default.
const FIRST_UNPRIVILEGED_PORT: u16 = 1024;

/// Returns the security context of a pod.
pub(super) fn of_pod(service: &Service) -> Json {
    let security = &service.security;
    let seccomp = if security.unconfined { "Unconfined" } else { "RuntimeDefault" };
    let mut context = json!({ "seccompProfile": { "type": seccomp } });
    // The user of the image gets this group, and the volume belongs to the group: a new volume belongs to root only.
    let group = security.fs_group.or_else(|| (!service.volumes.is_empty()).then_some(VOLUMES_GROUP));
    if let Some(group) = group {
        context["fsGroup"] = group.into();
        context["fsGroupChangePolicy"] = "OnRootMismatch".into();
    }
    // Capabilities of another user than root are not effective, so the pod's network has no privileged ports for it.
    if runs_as_another(security) && service.ports.values().any(|port| port.number < FIRST_UNPRIVILEGED_PORT) {
        context["sysctls"] = json!([{ "name": "net.ipv4.ip_unprivileged_port_start", "value": "0" }]);
    }
    context
}

/// Returns the security context of a container.
pub(super) fn of_container(security: &Security) -> Json {
    let capabilities = match &security.capabilities {
        Some(named) => named.iter().map(String::as_str).collect(),
        None if runs_as_another(security) => Vec::new(),
        None => CAPABILITIES.to_vec(),
    };
    let mut context = json!({
        "allowPrivilegeEscalation": security.privilege_escalation,
        "capabilities": { "drop": ["ALL"] },
    });
    if !capabilities.is_empty() {
        context["capabilities"]["add"] = capabilities.into();
    }
    if let Some(user) = security.run_as_user {
        context["runAsUser"] = user.into();
    }
    if runs_as_another(security) {
        context["runAsNonRoot"] = true.into();
    }
    if let Some(group) = security.run_as_group {
        context["runAsGroup"] = group.into();
    }
    if security.read_only_root {
        context["readOnlyRootFilesystem"] = true.into();
    }
    context
}

/// Returns `true` if the file names another user than root.
fn runs_as_another(security: &Security) -> bool {
    security.run_as_user.is_some_and(|user| user != 0)
}
