//! The options of `doctor` that name a place, one for each word that the clouds have for it.

use clap::{Arg, ArgMatches, Args, Command, Error, FromArgMatches};

use crate::provider::{self, PlaceOption};

/// The places to look for, each by its cloud's word for it.
#[derive(Clone, Debug, Default)]
pub struct Places(Vec<(&'static str, String)>);

impl Places {
    /// The one that is meant for a cloud with this option.
    pub(super) fn get(&self, option: Option<PlaceOption>) -> Option<&str> {
        let option = option?;
        let found = self.0.iter().find(|(word, _)| *word == option.word);
        found.map(|(_, place)| place.as_str())
    }

    /// The words of those that were typed.
    pub(super) fn words(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|(word, _)| *word)
    }

    /// One option a word, also where two clouds share it.
    fn options() -> Vec<PlaceOption> {
        let mut options: Vec<PlaceOption> = Vec::new();
        for option in provider::clouds().filter_map(|entry| entry.place) {
            if options.iter().all(|other| other.word != option.word) {
                options.push(option);
            }
        }
        options
    }
}

impl Args for Places {
    fn augment_args(command: Command) -> Command {
        command.args(Places::options().into_iter().map(|option| {
            Arg::new(option.word)
                .long(option.word)
                .value_name("NAME")
                .help(option.help)
        }))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Places::augment_args(command)
    }
}

impl FromArgMatches for Places {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let typed = |option: PlaceOption| {
            let place = matches.get_one::<String>(option.word)?;
            Some((option.word, place.clone()))
        };
        Ok(Places(
            Places::options().into_iter().filter_map(typed).collect(),
        ))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Places::from_arg_matches(matches)?;
        Ok(())
    }
}
