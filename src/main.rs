//! The program: calls the library and turns its ending into an exit code or a signal.

use std::ffi::OsString;
use std::process::ExitCode;

use snapexport::commands::Ending;
use snapexport::commands::stated_output;
use snapexport::settings::Env;
use snapexport::shown;

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    let env = Env::from_process();
    let stated = stated_output(&shown(&args), &env);
    snapexport::report::panic::install(stated);
    snapexport::secret::keep_out_of_core_dumps();
    // Where too few files may be open, a runtime would panic.
    let runtime = snapexport::process::enough_files().and_then(|()| {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
    });
    let ending = match runtime {
        Ok(runtime) => runtime.block_on(snapexport::run(args, env)),
        Err(error) => snapexport::not_begun(&error, stated),
    };
    match ending {
        // At once: the runtime would wait for a thread that still looks up a name or reads standard input.
        Ending::Code(code) => std::process::exit(i32::from(code)),
        Ending::Signal(number) => {
            // Dying of the signal itself lets a shell loop stop too.
            #[cfg(unix)]
            let _ = signal_hook::low_level::emulate_default_handler(number);
            ExitCode::from(128u8.saturating_add(u8::try_from(number).unwrap_or(0)))
        }
    }
}
