//! The parts of a plan's screen, the most dangerous first.

use crate::engine::{Action, Change, Mode, Reason};
use crate::view::line::{Ink, Line, paragraph};
use crate::view::{Style, value};

/// A part of the screen: changes that are equally dangerous.
pub(super) struct Section {
    holds: fn(Action, bool) -> bool,
    name: &'static str,
    refreshed: &'static str,
    explained: &'static str,
    ink: Ink,
    folds: bool,
}

/// Every section, in the order of the screen.
pub(super) const SECTIONS: &[Section] = &[
    Section {
        holds: |action, _| action == Action::Refuse,
        name: "Refused",
        refreshed: "Refused",
        explained: "",
        ink: Ink::Danger,
        folds: false,
    },
    Section {
        holds: |action, loses_data| loses_data && action != Action::Refuse,
        name: "Loses data",
        refreshed: "Lost with its data",
        explained: "",
        ink: Ink::Danger,
        folds: false,
    },
    Section {
        holds: |action, loses_data| action == Action::Delete && !loses_data,
        name: "Delete",
        refreshed: "Gone",
        explained: "",
        ink: Ink::Removed,
        folds: false,
    },
    Section {
        holds: |action, loses_data| action == Action::Replace && !loses_data,
        name: "Replace",
        refreshed: "Changed",
        explained: "the new one is made first, its users move over, then the old one is deleted",
        ink: Ink::Removed,
        folds: false,
    },
    Section {
        holds: |action, loses_data| action == Action::Roll && !loses_data,
        name: "Roll",
        refreshed: "Changed",
        explained: "changed in place, then the machines are replaced one after the other",
        ink: Ink::Rolled,
        folds: false,
    },
    Section {
        holds: |action, loses_data| action == Action::Update && !loses_data,
        name: "Update in place",
        refreshed: "Changed",
        explained: "",
        ink: Ink::Changed,
        folds: false,
    },
    Section {
        holds: |action, loses_data| action == Action::Create && !loses_data,
        name: "Create",
        refreshed: "Gone",
        explained: "",
        ink: Ink::Added,
        folds: true,
    },
    Section {
        holds: |action, loses_data| action == Action::Adopt && !loses_data,
        name: "Adopt",
        refreshed: "New",
        explained: "as it should be already, so it is only recorded",
        ink: Ink::Strong,
        folds: false,
    },
    Section {
        holds: |action, loses_data| action == Action::Wait && !loses_data,
        name: "Not finished",
        refreshed: "Not finished",
        explained: "as it should be already, but not ready: only waited for",
        ink: Ink::Strong,
        folds: false,
    },
];

impl Section {
    /// Whether the change stands in this section. Every change stands in exactly one.
    pub(super) fn holds(&self, change: &Change, mode: Mode) -> bool {
        let action = match change.action {
            // What it would take to undo it is of no interest to who only looks.
            Action::Replace | Action::Roll if mode == Mode::Refresh => Action::Update,
            action => action,
        };
        (self.holds)(action, change.loses_data)
    }

    /// What stands above it.
    #[cfg(test)]
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// Whether it holds what stops the plan.
    pub(super) fn refuses(&self) -> bool {
        (self.holds)(Action::Refuse, false)
    }

    /// Whether its changes are shown in one line each at most.
    pub(super) fn folds(&self, mode: Mode, style: Style) -> bool {
        self.folds && !style.verbose && mode != Mode::Refresh
    }

    /// The title, with the reason if all changes have the same.
    pub(super) fn title(&self, mode: Mode, shared: Option<&Reason>, style: Style) -> Vec<Line> {
        let name = if mode == Mode::Refresh { self.refreshed } else { self.name };
        let why = shared.filter(|_| mode != Mode::Refresh).map(reason).filter(|why| why.len() < 60);
        let mut title = Line::at(0).ink(self.ink, name);
        if let Some(why) = why {
            title = title.ink(Ink::Faint, format!(": {why}"));
        }
        let mut lines = vec![title];
        if mode != Mode::Refresh && !self.explained.is_empty() {
            lines.extend(paragraph(0, Ink::Faint, &format!("({})", self.explained), style));
        }
        lines
    }
}

/// The sign of an action, three columns wide, and its ink.
pub(super) fn sign(action: Action, mode: Mode) -> (&'static str, Ink) {
    match (action, mode) {
        // What would have to be made again is what is gone.
        (Action::Create, Mode::Refresh) => return ("  -", Ink::Removed),
        (Action::Adopt, Mode::Refresh) => return ("  +", Ink::Added),
        (Action::Replace | Action::Roll, Mode::Refresh) => return ("  ~", Ink::Changed),
        _ => {}
    }
    match action {
        Action::Refuse => ("  !", Ink::Danger),
        Action::Delete => ("  -", Ink::Removed),
        Action::Replace => ("-/+", Ink::Removed),
        Action::Roll => (" ~>", Ink::Rolled),
        Action::Update => ("  ~", Ink::Changed),
        Action::Create => ("  +", Ink::Added),
        Action::Adopt => ("  =", Ink::Plain),
        Action::Wait => ("  .", Ink::Plain),
    }
}

/// Why a change is made, as a fragment.
pub(super) fn reason(reason: &Reason) -> String {
    match reason {
        Reason::New => "new in the file".to_owned(),
        Reason::Missing => "deleted outside since the last apply".to_owned(),
        Reason::File => "the file asks for it".to_owned(),
        Reason::Drift => "changed outside since the last apply".to_owned(),
        Reason::FileAndDrift => "the file asks for it, and it was changed outside since the last apply".to_owned(),
        Reason::NotInFile => "no longer in the file".to_owned(),
        Reason::Destroy => "the whole cluster goes".to_owned(),
        Reason::Duplicate { kept } => {
            format!("a second one of this name; {} stays", value::short_id(kept))
        }
        Reason::Unrecorded => "made by an earlier run that did not finish".to_owned(),
        Reason::Unfinished => "not ready since the last apply".to_owned(),
        Reason::Foreign => {
            "exists already, and nothing shows that this cluster made it: remove it yourself, or choose another name"
                .to_owned()
        }
        Reason::Rejected { message } => format!("the cloud would not take it: {}", value::safe(message)),
        Reason::Fixed { attribute, instead } => {
            format!("`{attribute}` of a living cluster cannot be changed: {instead}")
        }
        Reason::Needed { instead } => instead.clone(),
        Reason::Moved { how } => value::safe(how),
        Reason::Lost { instead } => format!("it is gone, and is not made again: {instead}"),
    }
}
