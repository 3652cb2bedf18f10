//! The permissions that the calls of a kind need.

use crate::engine::Action;

/// The IAM actions that the calls of a kind need, each as `service:Action`. Where AWS checks another action than that of
/// the call, that one: tags of a new object, a role that is passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindCalls {
    /// To observe all objects of the kind.
    pub read: &'static [&'static str],
    /// To create an object, and to wait for it.
    pub create: &'static [&'static str],
    /// To change an object.
    pub update: &'static [&'static str],
    /// To delete an object.
    pub delete: &'static [&'static str],
}

impl KindCalls {
    /// Returns the actions of a change.
    pub fn of(&self, action: Action) -> Vec<&'static str> {
        match action {
            Action::Create => self.create.to_vec(),
            Action::Update | Action::Roll => self.update.to_vec(),
            Action::Delete => self.delete.to_vec(),
            Action::Replace => [self.create, self.delete].concat(),
            Action::Adopt | Action::Wait | Action::Refuse => Vec::new(),
        }
    }
}
