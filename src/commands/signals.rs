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
        let (sender, stop) = watch::channel(None);
        let is_asked = Arc::new(AtomicBool::new(false));
        #[cfg(unix)]
        unix::listen(sender, &is_asked);
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
    use tokio::signal::unix::{SignalKind, signal};

    use super::{Arc, AtomicBool, Ordering, leave, watch};

    /// A signal for which there can be no handler does at once what it means by default.
    pub(super) fn listen(stop: watch::Sender<Option<i32>>, is_asked: &Arc<AtomicBool>) {
        for kind in asking() {
            if let Ok(mut asks) = signal(kind) {
                let is_asked = is_asked.clone();
                tokio::spawn(async move {
                    while asks.recv().await.is_some() {
                        is_asked.store(true, Ordering::Relaxed);
                    }
                });
            }
        }
        let (Ok(mut interrupt), Ok(mut terminate), Ok(mut quit)) = (
            signal(SignalKind::interrupt()),
            signal(SignalKind::terminate()),
            signal(SignalKind::quit()),
        ) else {
            return;
        };
        let mut hangup = (!is_hangup_ignored())
            .then(|| signal(SignalKind::hangup()).ok())
            .flatten();
        tokio::spawn(async move {
            let hung_up = async {
                match &mut hangup {
                    Some(hangup) => hangup.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::pin!(hung_up);
            loop {
                let number = tokio::select! {
                    _ = &mut hung_up => SIGHUP,
                    _ = interrupt.recv() => SIGINT,
                    _ = terminate.recv() => SIGTERM,
                    _ = quit.recv() => SIGQUIT,
                };
                if matches!(number, SIGQUIT | SIGHUP) || stop.borrow().is_some() {
                    leave::at_once();
                    let _ = signal_hook::low_level::emulate_default_handler(number);
                }
                stop.send_replace(Some(number));
            }
        });
    }

    /// Whether somebody has asked that the end of the terminal is not the program's, as `nohup` does. Where the system does
    /// not tell, it may be so.
    fn is_hangup_ignored() -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status
            .lines()
            .find_map(|line| line.strip_prefix("SigIgn:"))
            .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        mask.is_none_or(|mask| mask & 1 << (SIGHUP - 1) != 0)
    }

    /// Ctrl-T sends SIGINFO where there is one.
    fn asking() -> Vec<SignalKind> {
        vec![
            SignalKind::user_defined1(),
            #[cfg(any(
                target_os = "dragonfly",
                target_os = "freebsd",
                target_os = "macos",
                target_os = "netbsd",
                target_os = "openbsd"
            ))]
            SignalKind::info(),
        ]
    }
}
