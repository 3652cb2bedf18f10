//! The parts of a plan's screen, the most dangerous first.

use crate::engine::{Action, Change, PlanMode, Reason};
use crate::view::line::{StyledLine, TextRole, paragraph};
use crate::view::{TextStyle, value};

/// A part of the screen: changes of equal risk.
pub(super) struct PlanSection {
    holds: fn(Action, bool) -> bool,
    name: &'static str,
    refreshed: &'static str,
    explained: &'static str,
    ink: TextRole,
    folds: bool,
}

/// Every section, in the order of the screen.
pub(super) const SECTIONS: &[PlanSection] = &[
    PlanSection {
        holds: |action, _| action == Action::Refuse,
        name: "Refused",
        refreshed: "Refused",
        explained: "",
        ink: TextRole::Danger,
        folds: false,
    },
    PlanSection {
        holds: |action, loses_data| loses_data && action != Action::Refuse,
        name: "Loses data",
        refreshed: "Missing, with its data",
        explained: "",
        ink: TextRole::Danger,
        folds: false,
    },
    PlanSection {
        holds: |action, loses_data| action == Action::Delete && !loses_data,
        name: "Delete",
        refreshed: "Gone",
        explained: "",
        ink: TextRole::Removed,
        folds: false,
    },
    PlanSection {
        holds: |action, loses_data| action == Action::Replace && !loses_data,
        name: "Replace",
        refreshed: "Changed",
        explained: "the new object is created first, its dependents switch to it, then the old object is deleted",
        ink: TextRole::Removed,
        folds: false,
    },
    PlanSection {
        holds: |action, loses_data| action == Action::Roll && !loses_data,
        name: "Roll",
        refreshed: "Changed",
        explained: "changed in place, then the machines are replaced",
        ink: TextRole::Rolled,
        folds: false,
    },
    PlanSection {
        holds: |action, loses_data| action == Action::Update && !loses_data,
        name: "Update in place",
        refreshed: "Changed",
        explained: "",
        ink: TextRole::Changed,
        folds: false,
    },
    PlanSection {
        holds: |action, loses_data| action == Action::Create && !loses_data,
        name: "Create",
        refreshed: "Gone",
        explained: "",
        ink: TextRole::Added,
        folds: true,
    },
    PlanSection {
        holds: |action, loses_data| action == Action::Adopt && !loses_data,
        name: "Adopt",
        refreshed: "New",
        explained: "already correct, only recorded",
        ink: TextRole::Strong,
        folds: false,
    },
    PlanSection {
        holds: |action, loses_data| action == Action::Wait && !loses_data,
        name: "Not finished",
        refreshed: "Not finished",
        explained: "already correct, but not ready: apply waits for it",
        ink: TextRole::Strong,
        folds: false,
    },
];

impl PlanSection {
    /// Returns `true` if the change belongs to this section. Every change belongs to exactly one.
    pub(super) fn holds(&self, change: &Change, mode: PlanMode) -> bool {
        let action = match change.action {
            // A refresh only shows differences; the action that would undo one does not matter.
            Action::Replace | Action::Roll if mode == PlanMode::Refresh => Action::Update,
            action => action,
        };
        (self.holds)(action, change.loses_data)
    }

    /// Returns the heading.
    #[cfg(test)]
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// Returns `true` if the section contains refused changes.
    pub(super) fn refuses(&self) -> bool {
        (self.holds)(Action::Refuse, false)
    }

    /// Returns `true` if its changes are shown on one line each at most.
    pub(super) fn folds(&self, mode: PlanMode, style: TextStyle) -> bool {
        self.folds && !style.verbose && mode != PlanMode::Refresh
    }

    /// Returns the title, with the reason if all changes share it.
    pub(super) fn title(&self, mode: PlanMode, shared: Option<&Reason>, style: TextStyle) -> Vec<StyledLine> {
        let name = if mode == PlanMode::Refresh { self.refreshed } else { self.name };
        let why = shared.filter(|_| mode != PlanMode::Refresh).map(reason).filter(|why| why.len() < 60);
        let mut title = StyledLine::at(0).ink(self.ink, name);
        if let Some(why) = why {
            title = title.ink(TextRole::Faint, format!(": {why}"));
        }
        let mut lines = vec![title];
        if mode != PlanMode::Refresh && !self.explained.is_empty() {
            lines.extend(paragraph(0, TextRole::Faint, &format!("({})", self.explained), style));
        }
        lines
    }
}

/// Returns the sign of an action, three columns wide, and its ink.
pub(super) fn sign(action: Action, mode: PlanMode) -> (&'static str, TextRole) {
    match (action, mode) {
        // An object that would have to be created again is an object that was deleted.
        (Action::Create, PlanMode::Refresh) => return ("  -", TextRole::Removed),
        (Action::Adopt, PlanMode::Refresh) => return ("  +", TextRole::Added),
        (Action::Replace | Action::Roll, PlanMode::Refresh) => return ("  ~", TextRole::Changed),
        _ => {}
    }
    match action {
        Action::Refuse => ("  !", TextRole::Danger),
        Action::Delete => ("  -", TextRole::Removed),
        Action::Replace => ("-/+", TextRole::Removed),
        Action::Roll => (" ~>", TextRole::Rolled),
        Action::Update => ("  ~", TextRole::Changed),
        Action::Create => ("  +", TextRole::Added),
        Action::Adopt => ("  =", TextRole::Plain),
        Action::Wait => ("  .", TextRole::Plain),
    }
}

/// Returns the reason of a change, as a fragment.
pub(super) fn reason(reason: &Reason) -> String {
    match reason {
        Reason::New => "new in the file".to_owned(),
        Reason::Missing => "deleted outside since the last apply".to_owned(),
        Reason::File => "the file asks for it".to_owned(),
        Reason::Drift => "changed outside since the last apply".to_owned(),
        Reason::FileAndDrift => "the file asks for it, and it was changed outside since the last apply".to_owned(),
        Reason::NotInFile => "no longer in the file".to_owned(),
        Reason::Destroy => "the cluster is destroyed".to_owned(),
        Reason::Duplicate { kept } => {
            format!("duplicate; {} is kept", value::short_id(kept))
        }
        Reason::Unrecorded => "exists as wanted, and is not in the record".to_owned(),
        Reason::Unfinished => "not ready since the last apply".to_owned(),
        Reason::Foreign => {
            "exists already and does not belong to this cluster: remove it, or use another name".to_owned()
        }
        Reason::Rejected { message } => format!("the request would be rejected: {}", value::safe(message)),
        Reason::Fixed { attribute, instead } => {
            format!("`{attribute}` cannot be changed on a running cluster: {instead}")
        }
        Reason::Needed { instead } => instead.clone(),
        Reason::Moved { how } => value::safe(how),
        Reason::Lost { instead } => format!("it is missing and is not recreated: {instead}"),
    }
}
