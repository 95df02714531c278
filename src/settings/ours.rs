//! Whose a file is and who else may write it: only what is ours alone is believed.

use std::path::Path;

use super::Env;
use crate::error::Result;

/// This user, as the file system knows it.
#[derive(Clone, Debug)]
pub struct Us {
    /// Owners that count as us. As Git has it: the effective one, and for root under sudo the one who called sudo.
    uids: Vec<u32>,
    /// The primary groups of the same: where the umask is 002, what is ours is writable by them.
    primary: Vec<u32>,
    /// Every group of this process.
    groups: Vec<u32>,
    /// Whether the state is shared with a group, by the user's own word.
    is_shared: bool,
}

/// Why a file or folder is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// It belongs to this other user.
    Owner(u32),
    /// A group that is not our primary one may write it.
    Group(u32),
    /// Everybody may write it.
    World,
    /// Everybody may make files in this folder, which is right for `/tmp` and no place of ours.
    Public,
}

impl Us {
    /// This process. Kind `usage` where `SNAPEXPORT_SHARED_STATE` says neither yes nor no.
    pub fn of(env: &Env) -> Result<Us> {
        let (uid, gid, groups) = process();
        let caller = |name| env.get(name).filter(|_| uid == 0)?.parse().ok();
        Ok(Us {
            uids: [uid].into_iter().chain(caller("SUDO_UID")).collect(),
            primary: [gid].into_iter().chain(caller("SUDO_GID")).collect(),
            groups,
            is_shared: env.switch("SNAPEXPORT_SHARED_STATE")?,
        })
    }

    /// What keeps a file or folder from being believed; of a link, where it leads. Nothing where nothing is.
    pub(crate) fn flaws(&self, place: &Path) -> Vec<Flaw> {
        let marks = marks(place);
        marks.map_or_else(Vec::new, |(uid, gid, mode)| self.judge(uid, gid, mode))
    }

    fn judge(&self, uid: u32, gid: u32, mode: u32) -> Vec<Flaw> {
        // Only its members, and root, can give a file to a group.
        let is_ours = self.uids.contains(&uid) || self.is_shared && self.groups.contains(&gid);
        let is_group_fine = self.is_shared || self.primary.contains(&gid);
        if mode & 0o41_002 == 0o41_002 {
            return vec![Flaw::Public];
        }
        let flaws = [
            (!is_ours).then_some(Flaw::Owner(uid)),
            (mode & 0o020 != 0 && !is_group_fine).then_some(Flaw::Group(gid)),
            (mode & 0o002 != 0).then_some(Flaw::World),
        ];
        flaws.into_iter().flatten().collect()
    }
}

/// The effective owner and group of what this process makes, and all its groups.
#[cfg(unix)]
fn process() -> (u32, u32, Vec<u32>) {
    use rustix::process::{Gid, getegid, geteuid, getgroups};
    let gid = getegid().as_raw();
    let groups = getgroups().unwrap_or_default();
    let groups = groups.into_iter().map(Gid::as_raw).chain([gid]).collect();
    (geteuid().as_raw(), gid, groups)
}

/// Owner, group and mode.
#[cfg(unix)]
fn marks(place: &Path) -> Option<(u32, u32, u32)> {
    use std::os::unix::fs::MetadataExt;
    let data = place.metadata().ok()?;
    Some((data.uid(), data.gid(), data.mode()))
}

/// Elsewhere files have no such owners.
#[cfg(not(unix))]
fn process() -> (u32, u32, Vec<u32>) {
    (0, 0, Vec::new())
}

#[cfg(not(unix))]
fn marks(_place: &Path) -> Option<(u32, u32, u32)> {
    None
}

#[cfg(all(test, unix))]
mod tests;
