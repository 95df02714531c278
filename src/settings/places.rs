//! The user's places for configuration, state and cache.

use std::path::PathBuf;

use directories::{BaseDirs, ProjectDirs};

use super::Env;

/// The user's places; each `None` where the platform knows none.
#[derive(Debug)]
pub struct Places {
    /// Where `config.toml` is.
    pub config: Option<PathBuf>,
    /// Where the journal is.
    pub state: Option<PathBuf>,
    /// Where tokens are kept.
    pub cache: Option<PathBuf>,
    /// The home directory, for the clouds' own files.
    pub home: Option<PathBuf>,
}

impl Places {
    /// `SNAPEXPORT_*_DIR`, else XDG on every Unix system, else the platform's own.
    pub fn of(env: &Env) -> Self {
        let project = ProjectDirs::from("", "", "snapexport");
        let home = BaseDirs::new().map(|dirs| dirs.home_dir().to_owned());
        let own = |name: &str| env.path(name, home.as_deref());
        let xdg = |name: &str| {
            let base = own(name).filter(|path| cfg!(unix) && path.is_absolute())?;
            Some(base.join("snapexport"))
        };
        let platform = |pick: fn(&ProjectDirs) -> PathBuf| project.as_ref().map(pick);
        Places {
            config: own("SNAPEXPORT_CONFIG_DIR")
                .or_else(|| xdg("XDG_CONFIG_HOME"))
                .or_else(|| platform(|dirs| dirs.config_dir().to_owned())),
            state: own("SNAPEXPORT_STATE_DIR")
                .or_else(|| xdg("XDG_STATE_HOME"))
                .or_else(|| {
                    platform(|dirs| {
                        dirs.state_dir()
                            .unwrap_or_else(|| dirs.data_local_dir())
                            .to_owned()
                    })
                }),
            cache: own("SNAPEXPORT_CACHE_DIR")
                .or_else(|| xdg("XDG_CACHE_HOME"))
                .or_else(|| platform(|dirs| dirs.cache_dir().to_owned())),
            home,
        }
    }
}
