//! The subcommands of `export`: one for each cloud, with its own arguments and those that all have.

use clap::error::ErrorKind;
use clap::{ArgMatches, Args, Command, Error, FromArgMatches, Subcommand};

use super::Starting;
use crate::provider::{self, Entry, Typed};

/// What was typed after `export`.
#[derive(Debug)]
pub struct Cloud {
    /// The cloud.
    pub entry: &'static Entry,
    /// Its own arguments.
    pub typed: Typed,
    /// How to start.
    pub starting: Starting,
}

fn subcommand(entry: &Entry) -> Command {
    let own = (entry.export.augment)(Command::new(entry.id.0));
    let about = own.get_about().cloned().unwrap_or_default();
    // The comment on what is added would take the place of the line about the cloud.
    Starting::augment_args(own).about(about).long_about(None)
}

impl FromArgMatches for Cloud {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let found = matches.subcommand().and_then(|(name, matches)| {
            let entry = provider::clouds().find(|entry| entry.id.0 == name)?;
            Some((entry, matches))
        });
        let (entry, matches) = found.ok_or_else(|| Error::new(ErrorKind::MissingSubcommand))?;
        Ok(Cloud {
            entry,
            typed: (entry.export.read)(matches)?,
            starting: Starting::from_arg_matches(matches)?,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Cloud::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Subcommand for Cloud {
    fn augment_subcommands(command: Command) -> Command {
        command.subcommands(provider::clouds().map(subcommand))
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Cloud::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        provider::names().contains(&name)
    }
}
