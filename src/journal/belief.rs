//! Whether the journal is believed: whoever could write it could let an export be forgotten, or be started twice.

use std::path::{Path, PathBuf};

use super::file::beside;
use crate::error::{Command, Error, Hint, Kind, Result};
use crate::settings::{Flaw, Us};

/// Kind `internal`, with the commands that mend it, where the journal, its folder or what lies beside it is not ours, or
/// others may write it. What is not there yet is as we shall make it.
pub(crate) fn believe(path: &Path, us: &Us) -> Result<()> {
    let flaws: Vec<(PathBuf, Flaw)> = places(path)
        .into_iter()
        .flat_map(|place| {
            let flaws = us.flaws(&place);
            flaws.into_iter().map(move |flaw| (place.clone(), flaw))
        })
        .collect();
    if flaws.is_empty() {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(path);
    let message = format!("The journal {} is not believed", path.display());
    let error = Error::new(Kind::Internal, message);
    let causes = flaws.iter().map(|(place, flaw)| cause(place, *flaw));
    let error = causes.fold(error, Error::cause);
    let of = |kind: fn(&Flaw) -> bool| {
        let found = flaws.iter().filter(move |(_, flaw)| kind(flaw));
        found.map(|(place, _)| place.as_path()).collect::<Vec<_>>()
    };
    let foreign = of(|flaw| matches!(flaw, Flaw::Owner(_)));
    let for_group = of(|flaw| matches!(flaw, Flaw::Group(_)));
    let for_all = of(|flaw| *flaw == Flaw::World);
    let is_public = !of(|flaw| *flaw == Flaw::Public).is_empty();
    let shared = " (or SNAPEXPORT_SHARED_STATE=1, if that group is to share it)";
    let hints = [
        (!foreign.is_empty()).then(|| Hint::run(taken_back(folder, &foreign))),
        (!for_all.is_empty()).then(|| Hint::run(closed("chmod o-w", &for_all))),
        (!for_group.is_empty()).then(|| Hint::run(closed("chmod g-w", &for_group)).and(shared)),
        is_public.then(|| Hint::say("let SNAPEXPORT_STATE_DIR name a folder of your own")),
    ];
    Err(error.hints(hints.into_iter().flatten()))
}

/// As many as Linux follows.
const MOST_LINKS: usize = 40;

/// What is read or relied on: with the journal, what SQLite would carry over into it, and what tells which process lives.
fn places(path: &Path) -> Vec<PathBuf> {
    let folder = path.parent().unwrap_or(path);
    let mut places = vec![folder.to_owned()];
    let mut target = path.to_owned();
    // Whoever may write in the folder of any link may let it lead elsewhere. A circle of them has no end.
    for _ in 0..MOST_LINKS {
        let Ok(link) = std::fs::read_link(&target) else {
            break;
        };
        let folder = target.parent().unwrap_or(&target).to_owned();
        target = folder.join(link);
        places.extend(target.parent().map(Path::to_owned));
    }
    places.dedup();
    places.extend(["-wal", "-shm", "-journal"].map(|suffix| beside(&target, suffix)));
    places.extend([path.with_extension("live"), target]);
    places
}

fn cause(place: &Path, flaw: Flaw) -> String {
    let place = place.display();
    match flaw {
        Flaw::Owner(0) => format!("{place} belongs to root, perhaps by sudo"),
        Flaw::Owner(id) => format!("{place} belongs to another user (id {id})"),
        Flaw::Group(id) => format!("the group with id {id} may write {place}"),
        Flaw::World => format!("everybody may write {place}"),
        Flaw::Public => format!("everybody may make files in {place}"),
    }
}

/// With everything in it, if there is a journal in our folder: another folder may hold what is none of ours.
fn taken_back(folder: &Path, places: &[&Path]) -> Command {
    let has_journal =
        places.len() > 1 || !matches!(folder.join("journal.db").try_exists(), Ok(false));
    match places.iter().all(|place| place.starts_with(folder)) && has_journal {
        true => Command::from("sudo chown -R \"$(id -un)\"").arg(folder.display()),
        false => closed("sudo chown \"$(id -un)\"", places),
    }
}

fn closed(command: &'static str, places: &[&Path]) -> Command {
    Command::from(command).args(places.iter().map(|place| place.display()))
}

#[cfg(all(test, unix))]
mod tests;
