//! `snapexport sandbox`: the three clouds' APIs, simulated on loopback.

use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::time::Duration;

#[cfg(unix)]
use rustix::process::{Pid, Signal};
use snapexport_sandbox::{Failure, Fault, Sandbox, parse_size};

use super::Ending;
use super::signals::Signals;
use crate::commands::context::{Context, INSIDE, sandbox_options};
use crate::error::{Error, Hint, Kind, Result, shell_word};
use crate::options::{Output, parse_interval};
#[cfg(unix)]
use crate::process;
use crate::provider;
use crate::schema::SandboxObject;
use crate::settings::Sources;
use crate::settings::private_file::private_folders;
use crate::task::SCHEMA;

/// Our own variables that are about the real clouds.
const OF_REAL_CLOUDS: [&str; 4] = [
    "SNAPEXPORT_SANDBOX",
    "SNAPEXPORT_CONFIG",
    "SNAPEXPORT_PROFILE",
    "SNAPEXPORT_REGION",
];

/// Arguments of `sandbox`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  snapexport sandbox                       serve, and print the variables that lead clients there
  snapexport sandbox -- sh -c 'id=$(snapexport export lightsail web-1) && snapexport wait \"$id\"'
  snapexport --sandbox list outscale       the same clouds, inside one command; their state is kept
  snapexport sandbox --object-size 8GiB    the same, and each export leaves 8 GiB behind
  snapexport sandbox --fault 'outscale:CreateSnapshotExportTask:1:reset-after'
                                           the first start is executed, but its reply is lost

A fault is PROVIDER:CALL:ATTEMPT:WHAT (docs/reliability.md explains them):
  PROVIDER  outscale, oos, lightsail, rackspace
  CALL      as -v names it, or *
  ATTEMPT   1, 2+, 1-3, *
  WHAT      throttle, throttle=SECONDS, throttle=CALLS/s, status=CODE, reset-before, reset-after,
            delay=TIME, silence-before, silence-after, truncate, corrupt, slow=SIZE/s, changed,
            etag=TEXT, encoded, whole, longer, shorter, stale, garbage, redirect=URL, expire,
            unlisted=TIME, no-task

The clouds hold a few snapshots and images. The exports of snap-deadbeef (OUTSCALE), broken-1 (Lightsail) and cursed-1 (Rackspace) fail, for practice. Any client of these clouds works: aws, osc-cli, glance, curl.")]
pub struct Args {
    /// How long an export takes there
    #[arg(long, value_name = "DURATION", value_parser = parse_interval)]
    pub duration: Option<Duration>,
    /// The first of four ports on 127.0.0.1; without it, free ones
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub port: u16,
    /// Let this go wrong; may be given more than once
    #[arg(long = "fault", value_name = "FAULT")]
    pub fault: Vec<Fault>,
    /// A TOML file of faults.
    #[arg(
        help = "Let go wrong what this TOML file lists as [[fault]] [env: SNAPEXPORT_SANDBOX_FAULTS]",
        long,
        value_name = "FILE"
    )]
    pub faults: Option<PathBuf>,
    /// Let an export leave about so much behind, 64MiB or 8GiB; it takes no memory. Without it, a few hundred KiB
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub object_size: Option<u64>,
    /// Join large exports in Cloud Files by a static manifest (SLO) instead of a dynamic one (DLO)
    #[arg(long)]
    pub slo: bool,
    /// Let Rackspace be a cloud without export tasks, as Flex and other OpenStack clouds are
    #[arg(long)]
    pub no_export_tasks: bool,
    /// Run this inside, and end with it and its exit code
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// Runs `sandbox`.
pub(crate) async fn run(context: &Context, args: Args) -> Result<Ending> {
    let signals = Signals::listen_to_all();
    let Sources { env, home, .. } = &context.sources;
    let file = args.faults.map(|typed| context.sources.path(typed));
    let mut options = sandbox_options(env, home.as_deref(), args.duration, file)?;
    options.port = args.port;
    options.faults.extend(args.fault);
    options.object_size = args.object_size;
    options.has_static_manifests = args.slo;
    options.has_export_tasks = !args.no_export_tasks;
    let sandbox = Sandbox::start(options).await?;
    let home = Home::new()?;
    let mut variables = sandbox.variables();
    // What the user has set is what is rehearsed.
    variables.retain(|(name, _)| {
        !name.starts_with("SNAPEXPORT_") || context.sources.var(name).is_none()
    });
    variables.extend(home.variables());
    variables.push((INSIDE, "1".to_owned()));
    match args.command.split_first() {
        Some((program, rest)) => run_inside(program, rest, variables, &signals).await,
        None => serve(context, &variables, &signals).await,
    }
}

impl From<snapexport_sandbox::Error> for Error {
    /// A fault file is the user's to mend; a port and a place for the state are this machine's.
    fn from(error: snapexport_sandbox::Error) -> Self {
        let kind = match error.failure {
            Failure::FaultFile(_) => Kind::Usage,
            Failure::Port(_) | Failure::State(_) => Kind::Internal,
        };
        Error::new(kind, error.to_string()).cause(error.cause)
    }
}

/// Prints the variables and serves until a signal comes.
async fn serve(
    context: &Context,
    variables: &[(&str, String)],
    signals: &Signals,
) -> Result<Ending> {
    let mut printer = context.printer(Output::Table);
    printer.note(
        Hint::say(
            "The three clouds, simulated. In another terminal, paste these lines, then try: ",
        )
        .and_run("snapexport list outscale"),
    );
    if printer.output() == Output::Json {
        printer.object(&SandboxObject {
            schema: SCHEMA,
            variables: variables
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect(),
        });
    } else {
        for (name, value) in variables {
            printer.result(&format!("export {name}={}", shell_word(value)));
        }
    }
    if let Some(error) = printer.output_error() {
        return Err(error);
    }
    printer.note("Ctrl-C ends it.");
    signals.wait().await;
    Ok(Ending::Signal(signals.received().unwrap_or(2)))
}

/// Runs a command with the variables set. Signals are the command's to handle, and those of what it starts; we end with it.
async fn run_inside(
    program: &str,
    args: &[String],
    variables: Vec<(&'static str, String)>,
    signals: &Signals,
) -> Result<Ending> {
    let mut command = tokio::process::Command::new(program);
    command.args(args);
    // Nothing that is set for the real clouds may be mixed with what leads to the simulated ones.
    let real = provider::clouds().flat_map(|entry| entry.variables);
    for name in real.chain(&OF_REAL_CLOUDS) {
        command.env_remove(name);
    }
    command.envs(variables);
    let group = Group::of(&mut command);
    let mut child = command.spawn().map_err(|error| {
        Error::usage(format!("The command '{program}' cannot be run")).cause(error.to_string())
    })?;
    let status = wait_and_pass_on(&mut child, &group, signals)
        .await
        .map_err(|error| {
            Error::new(
                Kind::Internal,
                format!("The end of '{program}' cannot be learned"),
            )
            .cause(error.to_string())
        })?;
    if let Some(number) = signals.received() {
        return Ok(Ending::Signal(number));
    }
    #[cfg(unix)]
    if let Some(number) = std::os::unix::process::ExitStatusExt::signal(&status) {
        // As shells and env do: a command that died of a signal ends this one with 128 and its number.
        return Ok(Ending::Code(
            128u8.saturating_add(u8::try_from(number).unwrap_or(0)),
        ));
    }
    Ok(Ending::Code(
        status
            .code()
            .and_then(|code| u8::try_from(code).ok())
            .unwrap_or(1),
    ))
}

/// Waits for the child. A signal is passed on to it and to what it has started.
async fn wait_and_pass_on(
    child: &mut tokio::process::Child,
    group: &Group,
    signals: &Signals,
) -> std::io::Result<std::process::ExitStatus> {
    tokio::select! {
        status = child.wait() => return status,
        () = signals.wait() => {}
    }
    let number = signals.received();
    group.pass_on(child.id(), number);
    let status = child.wait().await;
    group.sweep(number);
    status
}

/// The process group of what runs inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Group {
    /// Its own: without a terminal nobody else signals it.
    Own,
    /// Ours: only that may use the terminal, and the terminal gives Ctrl-C to all of it.
    Ours,
}

#[cfg(unix)]
impl Group {
    /// Chooses for a command that is about to be run.
    fn of(command: &mut tokio::process::Command) -> Self {
        if process::has_terminal() {
            return Group::Ours;
        }
        command.process_group(0);
        Group::Own
    }

    /// Passes a signal on that came to us. What has just ended needs none.
    fn pass_on(self, child: Option<u32>, number: Option<i32>) {
        let child = child.and_then(|id| Pid::from_raw(id.cast_signed()));
        let (Some(child), Some(signal)) = (child, number.and_then(Signal::from_named_raw)) else {
            return;
        };
        let _ = match self {
            Group::Own => rustix::process::kill_process_group(child, signal),
            Group::Ours if matches!(signal, Signal::INT | Signal::QUIT) => Ok(()),
            Group::Ours => rustix::process::kill_process(child, signal),
        };
    }

    /// Ends what the child has left behind in our group, if that is only ours and not also of who started us.
    fn sweep(self, number: Option<i32>) {
        if self == Group::Ours
            && rustix::process::getpgrp() == rustix::process::getpid()
            && let Some(signal) = number.and_then(Signal::from_named_raw)
        {
            let _ = rustix::process::kill_current_process_group(signal);
        }
    }
}

/// Elsewhere the console ends all of them.
#[cfg(not(unix))]
impl Group {
    fn of(_: &mut tokio::process::Command) -> Self {
        Group::Ours
    }

    fn pass_on(self, _: Option<u32>, _: Option<i32>) {}

    fn sweep(self, _: Option<i32>) {}
}

/// Journal, tokens and settings of what runs inside, apart from the user's own. Removed at the end.
struct Home(PathBuf);

impl Home {
    fn new() -> Result<Self> {
        // The hasher's keys are random.
        let unique = RandomState::new().hash_one(std::process::id());
        let name = format!("snapexport-sandbox-{unique:016x}");
        let directory = std::env::temp_dir().join(name);
        let made = private_folders().recursive(false).create(&directory);
        made.map_err(|error| {
            Error::new(
                Kind::Internal,
                format!("The directory {} cannot be made", directory.display()),
            )
            .cause(error.to_string())
        })?;
        Ok(Home(directory))
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        [
            "SNAPEXPORT_STATE_DIR",
            "SNAPEXPORT_CACHE_DIR",
            "SNAPEXPORT_CONFIG_DIR",
        ]
        .into_iter()
        .zip(["state", "cache", "config"])
        .map(|(name, part)| (name, self.0.join(part).display().to_string()))
        .collect()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // What is left in the temporary directory is the system's to clean.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
