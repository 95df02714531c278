//! `snapexport completions`: print a shell's completion script.

use super::Ending;
use crate::completion;
use crate::error::Result;
use crate::report;

/// Arguments of `completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  source <(snapexport completions bash)                                  in ~/.bashrc
  source <(snapexport completions zsh)                                   in ~/.zshrc, after compinit
  snapexport completions fish | source                                   in ~/.config/fish/config.fish
  snapexport completions powershell | Out-String | Invoke-Expression     in $PROFILE
  eval (snapexport completions elvish | slurp)                           in ~/.config/elvish/rc.elv

Tasks, snapshots, buckets, profiles and regions are completed from the journal and the configuration, never over the network.")]
pub struct Args {
    /// The shell
    #[arg(value_name = "SHELL", value_parser = shells())]
    pub shell: String,
}

fn shells() -> clap::builder::PossibleValuesParser {
    completion::SHELLS.map(|(shell, _)| shell).into()
}

/// Runs `completions`.
pub fn run(args: &Args) -> Result<Ending> {
    let script = completion::SHELLS
        .iter()
        .find(|(shell, _)| *shell == args.shell);
    report::document(script.map_or("", |(_, text)| text))?;
    Ok(Ending::Code(0))
}
