//! Ctrl-C and SIGTERM: the first asks a command to stop, the second ends the process.

use tokio::sync::watch;

/// Hears signals from when it is made.
#[derive(Clone)]
pub struct Signals(watch::Receiver<Option<i32>>);

impl Signals {
    /// Takes over Ctrl-C and SIGTERM.
    pub fn listen() -> Self {
        let (sender, receiver) = watch::channel(None);
        #[cfg(unix)]
        tokio::spawn(async move {
            use tokio::signal::unix::{SignalKind, signal};
            let (Ok(mut interrupt), Ok(mut terminate)) = (
                signal(SignalKind::interrupt()),
                signal(SignalKind::terminate()),
            ) else {
                // Without a handler the signal ends the process at once, which is what it means.
                return;
            };
            loop {
                let number = tokio::select! {
                    _ = interrupt.recv() => signal_hook::consts::SIGINT,
                    _ = terminate.recv() => signal_hook::consts::SIGTERM,
                };
                if sender.borrow().is_some() {
                    let _ = signal_hook::low_level::emulate_default_handler(number);
                }
                sender.send_replace(Some(number));
            }
        });
        #[cfg(not(unix))]
        tokio::spawn(async move {
            while tokio::signal::ctrl_c().await.is_ok() {
                if sender.borrow().is_some() {
                    std::process::exit(130);
                }
                sender.send_replace(Some(2));
            }
        });
        Signals(receiver)
    }

    /// The signal that came, if any.
    pub fn received(&self) -> Option<i32> {
        *self.0.borrow()
    }

    /// Resolves when a signal has come; never if none can.
    pub async fn wait(&self) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(Option::is_some).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
