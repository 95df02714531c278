//! `snapexport fetch`: bring what an export made to this machine, and prove that it is right.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use super::Ending;
use super::reference;
use super::signals::Signals;
use super::status::look;
use super::wait::group;
use crate::commands::context::Context;
use crate::error::{Command, Error, Hint, Kind, Reason, Result};
use crate::fetch::{self, About, Evidence, Fetched, Wish};
use crate::options::Output;
use crate::poll::{self, Outcome};
use crate::provider::{self, Image, Object, Provider};
use crate::report::{Board, Printer};
use crate::secret::clean;
use crate::task::{State, Task};

/// Arguments of `fetch`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  snapexport fetch snap-export-12345678
  snapexport fetch snap-export-12345678 --to disk.qcow2
  snapexport fetch rackspace/7bdc8ede-… --to backups/
  snapexport fetch rackspace 7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c21 --to image.vhd
  snapexport fetch snap-export-12345678 --decompress --to - | qemu-img convert …

Leaves NAME, NAME.sha256 and NAME.export.json; the same command goes on after a kill. Exit code 1 where what came is not right: then it is in NAME.bad.")]
pub struct Args {
    /// The task: the provider's id, qualified (rackspace/ID) where a bare one is ambiguous; or rackspace, and an image
    #[arg(value_name = "TASK")]
    pub task: String,
    /// After rackspace: the image itself, from a cloud without exports (Flex, OVH, any Glance)
    #[arg(value_name = "IMAGE")]
    pub image: Option<String>,
    /// A file, a folder, - for standard output, or with --force a block device; by default the object's own name here
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
    /// Unpack it; done without being asked for where --to names a file that does not end in .gz
    #[arg(long)]
    pub decompress: bool,
    /// Keep it packed without reading what is in it: faster, and its CRC is not verified
    #[arg(long, conflicts_with = "decompress")]
    pub no_inflate: bool,
    /// So many requests at once; without it, as many as pay
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    pub parallel: Option<u8>,
    /// Overwrite a file that is not from this object, or all that a block device holds
    #[arg(long)]
    pub force: bool,
    /// With --to - or a block device, of an instance with several disks: this one, such as /dev/sda1
    #[arg(long, value_name = "NAME", requires = "to")]
    pub device: Option<String>,
    /// Wait for its end first
    #[arg(long)]
    pub wait: bool,
}

impl Args {
    fn wish(&self) -> Wish {
        Wish {
            to: self.to.clone(),
            unpack: self.decompress,
            no_inflate: self.no_inflate,
            parallel: self.parallel.map(usize::from),
            force: self.force,
        }
    }
}

/// Runs `fetch`.
pub(crate) async fn run(context: &Context, args: Args) -> Result<Ending> {
    let mut printer = context.printer(Output::Table);
    args.to.as_deref().map(fetch::prepare).transpose()?;
    let signals = Signals::listen();
    let (provider, what) = match &args.image {
        Some(image) => {
            let entry = provider::by_name(&args.task)?;
            (
                context.connect(entry, None, None).await?,
                What::Image(image),
            )
        }
        None => {
            let seen = seen(context, &printer, &args, &signals).await?;
            let Some((provider, task)) = seen else {
                return Ok(Ending::Signal(signals.received().unwrap_or(2)));
            };
            (provider, What::Export(Box::new(task)))
        }
    };
    if args.to.as_deref().is_some_and(|to| to.as_os_str() == "-") {
        let image = what.open(provider.as_ref()).await?;
        return match stream(&printer, &image, &args, &signals).await {
            Err(error) if error.kind == Kind::Interrupted => Ok(interrupted(&signals)),
            streamed => streamed.map(|()| Ending::Code(0)),
        };
    }
    let about = about(provider.as_ref(), &what).await;
    if let Some(device) = args
        .to
        .as_deref()
        .filter(|to| args.force && fetch::is_device(to))
    {
        let image = what.open(provider.as_ref()).await?;
        return match onto(&printer, &image, &about, (&args, device), &signals).await {
            Err(error) if error.kind == Kind::Interrupted => Ok(interrupted(&signals)),
            Err(error) => Err(error),
            Ok(evidence) => {
                printer.fetched(&[device.to_owned()], &evidence);
                left_behind(provider.as_ref(), &what, &evidence.source.uri)
                    .into_iter()
                    .for_each(|hint| printer.note(hint));
                Ok(Ending::Code(0))
            }
        };
    }
    let (printing, provider) = (&printer, provider.as_ref());
    let brought = once_or_again(async |is_again| {
        let image = what.open(provider).await?;
        if is_again {
            let name = &image.name;
            let again = format!("{name} was changed meanwhile; its fetch begins again");
            printing.note(again);
        }
        bring(printing, &image, &about, &args, &signals).await
    });
    let fetched = match brought.await {
        Ok(fetched) => fetched,
        Err(error) if error.kind == Kind::Interrupted => {
            let kept = "What came is kept; the same command goes on from there.";
            let said = error.details.causes.first();
            printer.note(said.map_or(kept, String::as_str));
            return Ok(interrupted(&signals));
        }
        Err(error) => return Err(error),
    };
    if fetched.is_old {
        let path = fetched.paths[0].display();
        let verify = Command::from("snapexport verify").arg(&path);
        let old = Hint::say(format!("{path} was fetched before; nothing was read. "));
        printer.note(old.and_run(verify).and(" checks it again."));
    }
    printer.fetched(&fetched.paths, &fetched.evidence);
    if !fetched.is_old {
        left_behind(provider, &what, &fetched.evidence.source.uri)
            .into_iter()
            .for_each(|hint| printer.note(hint));
    }
    Ok(Ending::Code(0))
}

/// What goes on being billed after a fetch, and how it is deleted: nothing is by us.
pub(super) fn left_behind(provider: &dyn Provider, what: &What<'_>, uri: &str) -> Option<Hint> {
    let What::Export(task) = what else {
        return None;
    };
    let commands = provider.left_behind(task, uri);
    let billed = "Still billed, until you delete it";
    let said = commands
        .iter()
        .enumerate()
        .fold(Hint::say(billed), |said, (index, command)| {
            said.and(if index == 0 { ": " } else { "; " })
                .and_run(command.clone())
        });
    (!commands.is_empty()).then_some(said)
}

fn interrupted(signals: &Signals) -> Ending {
    Ending::Signal(signals.received().unwrap_or(2))
}

/// Fetches; once more from the beginning, if the object was changed meanwhile.
async fn once_or_again<T>(fetch: impl AsyncFn(bool) -> Result<T>) -> Result<T> {
    match fetch(false).await {
        Err(error) if error.is_because(Reason::ObjectChanged) => fetch(true).await,
        fetched => fetched,
    }
}

/// What is to be fetched.
pub(super) enum What<'a> {
    Image(&'a str),
    Export(Box<Task>),
}

impl What<'_> {
    /// Ready to be read.
    pub(super) async fn open(&self, provider: &dyn Provider) -> Result<Image> {
        match self {
            What::Image(image) => provider.open_source(image).await.map(Image::of),
            What::Export(task) => provider.open(task).await,
        }
    }
}

pub(super) async fn about(provider: &dyn Provider, what: &What<'_>) -> About {
    let (task_id, snapshot) = match what {
        What::Image(image) => (None, Some((*image).to_owned())),
        What::Export(task) => (Some(task.id.clone()), task.snapshot.clone()),
    };
    About {
        provider: provider.id(),
        region: provider.region().to_owned(),
        account: provider.realm().await.account,
        task_id,
        snapshot,
    }
}

/// The task, as its cloud sees it now: complete, or that is the error. `None` after a signal.
async fn seen(
    context: &Context,
    printer: &Printer,
    args: &Args,
    signals: &Signals,
) -> Result<Option<(Arc<dyn Provider>, Task)>> {
    let mut journal = context.existing_journal();
    let words = [args.task.clone()];
    let named = reference::resolve_all(&words, context, &mut journal)?;
    let (asked, mut errors) = reference::connect(context, named).await;
    let unasked = || Error::new(Kind::Internal, "Nobody could be asked");
    let Some(asked) = asked.into_iter().next() else {
        return Err(errors.pop().map_or_else(unasked, |(_, error)| error));
    };
    let provider = asked.provider.clone();
    let mut task = look(&asked, journal.as_ref())
        .await
        .pop()
        .ok_or_else(unasked)??;
    if args.wait && !task.is_settled() {
        let group = group(context, asked, &[0]);
        let mut reporter = printer.reporter(Board::new([(0, &task)].into_iter(), [].into_iter()));
        let began = Instant::now();
        let tell = |event: poll::Event<'_>| reporter.event(&event, began.elapsed());
        let options = poll::Options {
            interval: context.interval,
            ..poll::Options::default()
        };
        let (outcomes, _) = poll::watch(vec![group], options, signals.wait(), tell).await;
        reporter.finish();
        match outcomes.into_iter().next() {
            Some((_, Outcome::Lost(task, error))) => return Err(task.named_in(error)),
            Some((_, Outcome::Settled(seen))) => task = seen,
            Some((_, Outcome::UnderWay(_))) | None => return Ok(None),
        }
    }
    match task.state {
        State::Completed => Ok(Some((provider, task))),
        State::Failed | State::Cancelled | State::Stalled => {
            let why = task.error.as_ref().map(|fault| fault.message.clone());
            let sentence = format!("The export {} made nothing: it is {}", task.id, task.state);
            let error = Error::new(Kind::TaskFailed, sentence);
            Err(why.into_iter().fold(error, Error::cause))
        }
        State::Pending | State::Running => Err(fetch::not_ended(&task)),
    }
}

/// To standard output. What was written cannot be taken back: an object that changes is an error.
async fn stream(printer: &Printer, image: &Image, args: &Args, signals: &Signals) -> Result<()> {
    let object = chosen(image, args.device.as_deref())?;
    image.price.iter().for_each(|price| printer.note(price));
    let mut bar = printer.transfer(&object.name, object.size);
    let wish = args.wish();
    let told = |bytes| bar.at(bytes);
    let out = (Stdout, "standard output");
    let written = fetch::to_stream(object, &wish, out, signals.wait(), told);
    let found = written.await;
    bar.finish();
    for check in found?.checks.iter().filter(|check| check.is_open()) {
        printer.note(format!("Not verified: {} ({})", check.name, check.detail));
    }
    Ok(())
}

/// Onto a block device. Nothing is beside it: the evidence is what `-o json` prints.
async fn onto(
    printer: &Printer,
    image: &Image,
    about: &About,
    (args, device): (&Args, &Path),
    signals: &Signals,
) -> Result<Evidence> {
    let object = chosen(image, args.device.as_deref())?;
    let mut bar = printer.transfer(&object.name, object.size);
    let parallel = args.wish().parallel;
    let over = format!(
        "{} is overwritten from its first byte on; a fetch that stops there begins again",
        device.display()
    );
    // Once it is known that it fits, and before the bar.
    let mut notes = vec![over];
    notes.extend(image.price.clone());
    let told = |bytes| {
        notes.drain(..).for_each(|note| printer.note(note));
        bar.at(bytes);
    };
    let wait = signals.wait();
    let written = fetch::to_device(image, object, about, (device, parallel), wait, told).await;
    bar.finish();
    written
}

/// Into files.
async fn bring(
    printer: &Printer,
    image: &Image,
    about: &About,
    args: &Args,
    signals: &Signals,
) -> Result<Fetched> {
    let wish = args.wish();
    let size = image.disks.iter().map(|disk| disk.size).sum();
    let mut bar = printer.transfer(&image.name, size);
    // Once something is read, and before the bar.
    let mut price = image.price.as_ref();
    let told = |bytes| {
        price.take().iter().for_each(|price| printer.note(*price));
        bar.at(bytes);
    };
    let fetched = fetch::to_files(image, about, &wish, signals.wait(), told).await;
    bar.finish();
    fetched
}

/// The disk that is written to standard output.
fn chosen<'i>(image: &'i Image, device: Option<&str>) -> Result<&'i Object> {
    let is_it = |disk: &&Object| match (device, &disk.device) {
        (None, _) => image.disks.len() == 1,
        (Some(wanted), Some(own)) => own == wanted || own.rsplit('/').next() == Some(wanted),
        (Some(_), None) => false,
    };
    image.disks.iter().find(is_it).ok_or_else(|| {
        let devices: Vec<&str> = image
            .disks
            .iter()
            .filter_map(|disk| disk.device.as_deref())
            .collect();
        let sentence = match device {
            Some(device) => format!("{} has no disk '{}'", image.name, clean(device)),
            None => format!(
                "{} has {} disks, and one goes to standard output",
                image.name,
                image.disks.len()
            ),
        };
        Error::usage(sentence).hint(format!("--device with one of {}", devices.join(", ")))
    })
}

/// Standard output, as bytes.
#[derive(Clone)]
struct Stdout;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        crate::report::write_bytes(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
