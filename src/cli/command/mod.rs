//! The commands: one file and one line here for each.

use clap::Subcommand;

use super::error::CliError;
use super::{Exit, Session};

/// Declares the commands.
macro_rules! commands {
    ($($name:ident in $module:ident as $arguments:ident),* $(,)?) => {
        $(pub(super) mod $module;)*

        /// A command with its arguments.
        #[derive(Debug, Clone, Subcommand)]
        #[non_exhaustive]
        pub enum Command {
            $(#[allow(missing_docs, reason = "the help is the arguments' own")]
            $name($module::$arguments),)*
        }

        impl Command {
            /// Runs the command.
            ///
            /// # Errors
            /// Returns the error that stopped the command before it could report one itself.
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
    Init in init as InitArgs,
    Plan in plan as PlanArgs,
    Apply in apply as ApplyArgs,
    Upgrade in upgrade as UpgradeArgs,
    Roll in roll as RollArgs,
    Replace in replace as ReplaceArgs,
    Destroy in destroy as DestroyArgs,
    Show in show as ShowArgs,
    Cost in cost as CostArgs,
    Availability in availability as AvailabilityArgs,
    Graph in graph as GraphArgs,
    Validate in validate as ValidateArgs,
    Logs in logs as LogsArgs,
    Shell in shell as ShellArgs,
    Access in access as AccessArgs,
    Kubeconfig in kubeconfig as KubeconfigArgs,
    Credential in credential as CredentialArgs,
    Token in token as TokenArgs,
    State in state as StateArgs,
    Unlock in unlock as UnlockArgs,
    Doctor in doctor as DoctorArgs,
    Check in check as CheckArgs,
    IamPolicy in iam_policy as IamPolicyArgs,
    Explain in explain as ExplainArgs,
    Sandbox in sandbox as SandboxArgs,
    Completions in completions as CompletionsArgs,
    Man in man as ManArgs,
    Version in version as VersionArgs,
}

impl Command {
    /// Returns `true` if the command must clean up when it is interrupted: changes in flight and its lease. The system ends
    /// all other commands at once.
    pub(super) fn winds_down(&self) -> bool {
        matches!(
            self,
            Self::Apply(_)
                | Self::Upgrade(_)
                | Self::Roll(_)
                | Self::Replace(_)
                | Self::Destroy(_)
                | Self::Token(_)
                | Self::State(_)
        )
    }

    /// Returns `true` if the command was started with `--verbose`.
    pub(super) fn is_verbose(&self) -> bool {
        match self {
            Self::Plan(arguments) => arguments.verbose,
            Self::Apply(arguments) => arguments.flags.verbose,
            Self::Upgrade(arguments) => arguments.apply.verbose,
            Self::Roll(arguments) => arguments.apply.verbose,
            Self::Replace(arguments) => arguments.apply.verbose,
            Self::Destroy(arguments) => arguments.verbose,
            _ => false,
        }
    }
}
