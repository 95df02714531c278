use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;
use crate::settings::Env;

fn us() -> Us {
    Us::of(&Env::default()).expect("nothing is set")
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("ours");
}

/// A folder of ours, with a journal and all that lies beside it.
fn state() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal.db");
    for suffix in ["", "-wal", "-shm", "-journal"] {
        std::fs::write(beside(&path, suffix), "").expect("written");
        set_mode(&beside(&path, suffix), 0o600);
    }
    std::fs::create_dir(path.with_extension("live")).expect("made");
    set_mode(&path.with_extension("live"), 0o700);
    (folder, path)
}

#[test]
fn everything_that_is_relied_on_must_be_ours_alone() {
    let (folder, path) = state();
    assert_eq!(believe(&path, &us()), Ok(()));
    let live = path.with_extension("live");
    let mut places = vec![folder.path().to_owned(), live];
    places.extend(["", "-wal", "-shm", "-journal"].map(|suffix| beside(&path, suffix)));
    for place in places {
        let before = place.metadata().expect("there").permissions().mode();
        set_mode(&place, before | 0o002);
        let error = believe(&path, &us()).expect_err("others may write it");
        assert_eq!(error.exit_code(), 1);
        let line = format!("everybody may write {}", place.display());
        assert_eq!(error.details.causes, [line]);
        let hint = format!("chmod o-w {}", place.display());
        assert_eq!(error.details.hints[0].to_string(), hint);
        set_mode(&place, before);
    }
    // Our primary group may be alone with us, so that it may write is nothing to warn of.
    set_mode(folder.path(), 0o775);
    set_mode(&path, 0o660);
    assert_eq!(believe(&path, &us()), Ok(()));
}

#[test]
fn the_folder_above_may_be_everybodys_and_the_folder_itself_may_not() {
    let (folder, path) = state();
    set_mode(folder.path(), 0o1777);
    let error = believe(&path, &us()).expect_err("others may put something there");
    let hints = error.details.hints.iter().map(Hint::to_string);
    assert_eq!(
        hints.collect::<Vec<_>>(),
        ["let SNAPEXPORT_STATE_DIR name a folder of your own"]
    );
    let below = folder.path().join("snapexport");
    assert_eq!(believe(&below.join("journal.db"), &us()), Ok(()));
    std::fs::create_dir(&below).expect("made");
    set_mode(&below, 0o700);
    assert_eq!(believe(&below.join("journal.db"), &us()), Ok(()));
}

#[test]
fn of_a_link_it_is_judged_where_it_leads() {
    let (_target_folder, target) = state();
    let folder = tempfile::tempdir().expect("a folder");
    let link = folder.path().join("journal.db");
    symlink(&target, &link).expect("linked");
    assert_eq!(believe(&link, &us()), Ok(()));
    let parent = target.parent().expect("a folder");
    for place in [target.as_path(), parent, &beside(&target, "-wal")] {
        let before = place.metadata().expect("there").permissions().mode();
        set_mode(place, before | 0o002);
        assert!(believe(&link, &us()).is_err(), "{}", place.display());
        set_mode(place, before);
    }
    // It may lead where nothing is yet.
    std::fs::remove_file(&target).expect("removed");
    assert_eq!(believe(&link, &us()), Ok(()));
    set_mode(parent, 0o777);
    assert!(believe(&link, &us()).is_err());
}

#[test]
fn of_links_that_lead_to_links_every_folder_is_judged() {
    let (_target_folder, target) = state();
    let (middle, folder) = (
        tempfile::tempdir().expect("a folder"),
        tempfile::tempdir().expect("a folder"),
    );
    symlink(&target, middle.path().join("on")).expect("linked");
    let link = folder.path().join("journal.db");
    symlink(middle.path().join("on"), &link).expect("linked");
    assert_eq!(believe(&link, &us()), Ok(()));
    set_mode(middle.path(), 0o777);
    assert!(believe(&link, &us()).is_err());
    // A circle has no end.
    let circle = folder.path().join("circle.db");
    symlink(&circle, &circle).expect("linked");
    assert_eq!(believe(&circle, &us()), Ok(()));
}

#[test]
fn how_to_get_back_what_belongs_to_others_is_said() {
    let (folder, path) = (Path::new("/my s"), Path::new("/my s/journal.db"));
    let command = |places: &[&Path]| taken_back(folder, places).to_string();
    assert_eq!(
        command(&[folder, path]),
        "sudo chown -R \"$(id -un)\" '/my s'"
    );
    // Without a journal in it, all else in that folder may be somebody's with a right to it.
    assert_eq!(command(&[folder]), "sudo chown \"$(id -un)\" '/my s'");
    let elsewhere = Path::new("/else/kept.db");
    assert_eq!(
        command(&[elsewhere]),
        "sudo chown \"$(id -un)\" /else/kept.db"
    );
    let said = cause(path, Flaw::Owner(0));
    assert!(said.contains("root, perhaps by sudo"), "{said}");
    let said = cause(path, Flaw::Owner(1001));
    assert!(said.contains("another user (id 1001)"), "{said}");
}
