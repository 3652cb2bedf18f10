//! The commands: one file each, and one line here.

use clap::Subcommand;

use super::error::CliError;
use super::{Exit, Session};

/// Declares the commands.
macro_rules! commands {
    ($($name:ident in $module:ident),* $(,)?) => {
        $(mod $module;)*

        /// A command with its arguments.
        #[derive(Debug, Clone, Subcommand)]
        #[non_exhaustive]
        pub enum Command {
            $(#[allow(missing_docs, reason = "the help is the arguments' own")]
            $name($module::Arguments),)*
        }

        impl Command {
            /// Runs it.
            ///
            /// # Errors
            /// With everything that stops it before it could tell itself.
            pub async fn run(self, session: &Session) -> Result<Exit, CliError> {
                match self {
                    // Boxed: one future of all commands at once would be large.
                    $(Self::$name(arguments) => Box::pin(arguments.run(session)).await,)*
                }
            }
        }
    };
}

commands! {
    Plan in plan,
    Apply in apply,
    Destroy in destroy,
    Show in show,
    Validate in validate,
    Access in access,
    Kubeconfig in kubeconfig,
    Credential in credential,
    Token in token,
    Check in check,
    Explain in explain,
    Sandbox in sandbox,
    Completions in completions,
    Version in version,
}

impl Command {
    /// Whether it has something to bring to an end when it is interrupted: what is in flight, and its lease. All others
    /// the system ends at once.
    pub(super) fn winds_down(&self) -> bool {
        matches!(self, Self::Apply(_) | Self::Destroy(_) | Self::Token(_))
    }

    /// Whether it asks for everything to be shown.
    pub(super) fn is_verbose(&self) -> bool {
        match self {
            Self::Plan(arguments) => arguments.verbose,
            Self::Apply(arguments) => arguments.verbose,
            Self::Destroy(arguments) => arguments.verbose,
            _ => false,
        }
    }
}
