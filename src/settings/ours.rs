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
    /// It belongs to this user.
    Owner(u32),
    /// A group that is not our primary one may write it.
    Group(u32),
    /// Everybody may write it.
    World,
    /// Everybody may make files in it, which is right for `/tmp` and no place of ours.
    Public,
}

impl Us {
    /// This process. Kind `usage` where `SNAPEXPORT_SHARED_STATE` says neither yes nor no.
    pub fn of(env: &Env) -> Result<Us> {
        let is_shared = env.switch("SNAPEXPORT_SHARED_STATE")?;
        #[cfg(unix)]
        {
            use rustix::process::{getegid, geteuid, getgroups};
            let (uid, gid) = (geteuid(), getegid().as_raw());
            let caller = |name| env.get(name).filter(|_| uid.is_root())?.parse().ok();
            let groups = getgroups().unwrap_or_default();
            let groups = groups.into_iter().map(rustix::process::Gid::as_raw);
            Ok(Us {
                uids: [uid.as_raw()]
                    .into_iter()
                    .chain(caller("SUDO_UID"))
                    .collect(),
                primary: [gid].into_iter().chain(caller("SUDO_GID")).collect(),
                groups: groups.chain([gid]).collect(),
                is_shared,
            })
        }
        // Elsewhere files have no such owners.
        #[cfg(not(unix))]
        Ok(Us {
            uids: Vec::new(),
            primary: Vec::new(),
            groups: Vec::new(),
            is_shared,
        })
    }

    /// What keeps a file or folder from being believed; of a link, where it leads. Nothing where nothing is.
    #[cfg(unix)]
    pub(crate) fn flaws(&self, place: &Path) -> Vec<Flaw> {
        use std::os::unix::fs::MetadataExt;
        std::fs::metadata(place).map_or_else(
            |_| Vec::new(),
            |data| self.judge(data.uid(), data.gid(), data.mode()),
        )
    }

    #[cfg(not(unix))]
    pub(crate) fn flaws(&self, _place: &Path) -> Vec<Flaw> {
        Vec::new()
    }

    #[cfg_attr(not(unix), expect(dead_code))]
    fn judge(&self, uid: u32, gid: u32, mode: u32) -> Vec<Flaw> {
        const PUBLIC: u32 = 0o1002;
        // Only its members, and root, can give a file to a group.
        let is_ours = self.uids.contains(&uid) || self.is_shared && self.groups.contains(&gid);
        let is_group_fine = self.is_shared || self.primary.contains(&gid);
        let mut flaws = Vec::new();
        if mode & PUBLIC == PUBLIC {
            return vec![Flaw::Public];
        }
        if !is_ours {
            flaws.push(Flaw::Owner(uid));
        }
        if mode & 0o020 != 0 && !is_group_fine {
            flaws.push(Flaw::Group(gid));
        }
        if mode & 0o002 != 0 {
            flaws.push(Flaw::World);
        }
        flaws
    }
}

#[cfg(all(test, unix))]
mod tests;
