//! `snapexport completions`: print a shell's completion script.

use super::Ending;
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

/// The shells, each with its script as `cargo run --example generate` wrote it.
pub const SHELLS: [(&str, &str); 5] = [
    ("bash", include_str!("../../completions/snapexport.bash")),
    ("zsh", include_str!("../../completions/_snapexport")),
    ("fish", include_str!("../../completions/snapexport.fish")),
    (
        "powershell",
        include_str!("../../completions/snapexport.ps1"),
    ),
    ("elvish", include_str!("../../completions/snapexport.elv")),
];

fn shells() -> clap::builder::PossibleValuesParser {
    SHELLS.map(|(shell, _)| shell).into()
}

/// Runs `completions`.
pub fn run(args: &Args) -> Result<Ending> {
    let script = SHELLS.iter().find(|(shell, _)| *shell == args.shell);
    report::document(script.map_or("", |(_, text)| text))?;
    Ok(Ending::Code(0))
}
