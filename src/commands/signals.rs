//! Ctrl-C and SIGTERM: the first asks a command to stop, the second ends the process. SIGUSR1 asks where things stand.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

use crate::report::leave;

/// Hears signals from when it is made.
#[derive(Clone)]
pub(super) struct Signals {
    stop: watch::Receiver<Option<i32>>,
    is_asked: Arc<AtomicBool>,
}

impl Signals {
    /// Takes over Ctrl-C, SIGTERM and SIGUSR1 (SIGINFO as well, where there is one).
    pub(super) fn listen() -> Self {
        #[cfg(unix)]
        return Signals::with(unix::AT_ONCE);
        #[cfg(not(unix))]
        Signals::with(&[])
    }

    /// The same where nothing ends this process at once: something has to be ended before.
    #[cfg(feature = "sandbox")]
    pub(super) fn listen_to_all() -> Self {
        Signals::with(&[])
    }

    #[cfg_attr(not(unix), expect(unused_variables))]
    fn with(at_once: &'static [i32]) -> Self {
        let (sender, stop) = watch::channel(None);
        let is_asked = Arc::new(AtomicBool::new(false));
        #[cfg(unix)]
        unix::listen(&sender, &is_asked, at_once);
        #[cfg(not(unix))]
        tokio::spawn(async move {
            while tokio::signal::ctrl_c().await.is_ok() {
                if sender.borrow().is_some() {
                    leave::at_once();
                    std::process::exit(130);
                }
                sender.send_replace(Some(2));
            }
        });
        Signals { stop, is_asked }
    }

    /// The signal that came, if any.
    pub(super) fn received(&self) -> Option<i32> {
        *self.stop.borrow()
    }

    /// Whether somebody has asked where things stand, since the last time this was called.
    pub(super) fn is_asked(&self) -> bool {
        self.is_asked.swap(false, Ordering::Relaxed)
    }

    /// Resolves when a signal has come; never if none can.
    pub(super) async fn wait(&self) {
        let mut receiver = self.stop.clone();
        if receiver.wait_for(Option::is_some).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(unix)]
mod unix {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    use tokio::signal::unix::{Signal, SignalKind, signal};

    use super::{Arc, AtomicBool, Ordering, leave, watch};
    use crate::process;

    /// These end the process at once, like a second signal of the others.
    pub(super) const AT_ONCE: &[i32] = &[SIGQUIT, SIGHUP];

    /// A signal for which there can be no handler does at once what it means by default.
    pub(super) fn listen(
        stop: &watch::Sender<Option<i32>>,
        is_asked: &Arc<AtomicBool>,
        at_once: &'static [i32],
    ) {
        for number in asking() {
            if let Some(mut asks) = heard(number) {
                let is_asked = is_asked.clone();
                tokio::spawn(async move {
                    while asks.recv().await.is_some() {
                        is_asked.store(true, Ordering::Relaxed);
                    }
                });
            }
        }
        for number in [SIGINT, SIGTERM, SIGQUIT, SIGHUP] {
            if let Some(mut stops) = heard(number) {
                let stop = stop.clone();
                tokio::spawn(async move {
                    while stops.recv().await.is_some() {
                        if at_once.contains(&number) || stop.borrow().is_some() {
                            leave::at_once();
                            let _ = signal_hook::low_level::emulate_default_handler(number);
                        }
                        stop.send_replace(Some(number));
                    }
                });
            }
        }
    }

    /// Takes a signal over, unless who started this process wished it to be ignored, as `nohup` and a shell's `trap ''`
    /// do. The end of the terminal is left alone also where the system does not tell.
    fn heard(number: i32) -> Option<Signal> {
        let is_ignored = process::is_ignored(number).unwrap_or(number == SIGHUP);
        if is_ignored {
            return None;
        }
        signal(SignalKind::from_raw(number)).ok()
    }

    /// Ctrl-T sends SIGINFO where there is one.
    fn asking() -> Vec<i32> {
        vec![
            signal_hook::consts::SIGUSR1,
            #[cfg(any(
                target_os = "dragonfly",
                target_os = "freebsd",
                target_os = "macos",
                target_os = "netbsd",
                target_os = "openbsd"
            ))]
            signal_hook::consts::SIGINFO,
        ]
    }
}
