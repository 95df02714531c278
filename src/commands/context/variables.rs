//! What was not typed comes from `SNAPEXPORT_…` variables.

use std::path::Path;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::options::{Global, Output, parse_interval};
use crate::settings::text::{self, Form};
use crate::settings::{Env, bad_variable};

/// The output form that a command line or the environment names, for errors that come before anything is parsed.
pub fn stated_output(args: &[String], env: &Env) -> Option<Output> {
    let mut stated = env.get("SNAPEXPORT_OUTPUT");
    for (index, arg) in args.iter().enumerate() {
        match arg.as_str() {
            "--" => break,
            "-o" | "--output" => stated = args.get(index + 1).map(String::as_str),
            other => {
                // -o may end a cluster of short flags: -qojson.
                let short = other
                    .strip_prefix('-')
                    .filter(|rest| !rest.starts_with('-'));
                let clustered =
                    short.and_then(|rest| rest.trim_start_matches(['q', 'v']).strip_prefix('o'));
                let attached = other.strip_prefix("--output=").or(clustered);
                stated = match attached {
                    Some("") => args.get(index + 1).map(String::as_str),
                    Some(value) => Some(value.trim_start_matches('=')),
                    None => stated,
                };
            }
        }
    }
    stated
        .filter(|text| text.eq_ignore_ascii_case("json"))
        .map(|_| Output::Json)
}

/// Fills what was not typed from the environment.
pub(super) fn complete(global: &mut Global, env: &Env, home: Option<&Path>) -> Result<()> {
    let set = |name: &str| env.get(name).map(str::to_owned);
    global.profile = global.profile.take().or_else(|| set("SNAPEXPORT_PROFILE"));
    global.region = global.region.take().or_else(|| set("SNAPEXPORT_REGION"));
    global.config = match global.config.take() {
        Some(typed) => Some(text::path(typed.as_os_str(), home)?),
        None => env.path("SNAPEXPORT_CONFIG", home),
    };
    let is_quiet_typed = global.quiet;
    if is_quiet_typed {
        global.output.get_or_insert(Output::Id);
    }
    global.output = global.output.or(choice(env, "SNAPEXPORT_OUTPUT")?);
    global.progress = global.progress.or(choice(env, "SNAPEXPORT_PROGRESS")?);
    global.color = global.color.or(choice(env, "SNAPEXPORT_COLOR")?);
    global.quiet |= env.switch("SNAPEXPORT_QUIET")?;
    global.raw |= env.switch("SNAPEXPORT_RAW")?;
    global.sandbox |= env.switch("SNAPEXPORT_SANDBOX")?;
    global.no_journal |= env.switch("SNAPEXPORT_NO_JOURNAL")?;
    global.allow_http |= env.switch("SNAPEXPORT_ALLOW_HTTP")?;
    if global.verbose == 0
        && !is_quiet_typed
        && let Some(level) = env.get("SNAPEXPORT_VERBOSE")
    {
        global.verbose = match level.parse() {
            Ok(level) => level,
            Err(_) => u8::from(env.switch("SNAPEXPORT_VERBOSE")?),
        };
    }
    for (name, value) in [("--profile", &global.profile), ("--region", &global.region)] {
        if value
            .as_deref()
            .is_some_and(|value| value.trim().is_empty())
        {
            return Err(Error::usage(format!("The value of {name} is empty")));
        }
    }
    if let Some(region) = &global.region {
        Form::Region.check("The value of --region", region)?;
    }
    Ok(())
}

fn choice<T: clap::ValueEnum>(env: &Env, name: &'static str) -> Result<Option<T>> {
    let Some(text) = env.get(name) else {
        return Ok(None);
    };
    T::from_str(text, true).map(Some).map_err(|_| {
        let words: Vec<String> = T::value_variants()
            .iter()
            .filter_map(|variant| Some(variant.to_possible_value()?.get_name().to_owned()))
            .collect();
        bad_variable(
            name,
            text,
            &format!("it takes one of: {}", words.join(", ")),
        )
    })
}

pub(super) fn pause(env: &Env, name: &'static str) -> Result<Option<Duration>> {
    let Some(text) = env.get(name) else {
        return Ok(None);
    };
    parse_interval(text)
        .map(Some)
        .map_err(|why| bad_variable(name, text, &why))
}

/// How many times shorter than usual limits are.
pub(super) fn haste(env: &Env) -> Result<u32> {
    const NAME: &str = "SNAPEXPORT_HASTE";
    let Some(text) = env.get(NAME) else {
        return Ok(1);
    };
    match text.parse() {
        Ok(times @ 1..=1000) => Ok(times),
        _ => Err(bad_variable(NAME, text, "it takes a number from 1 to 1000")),
    }
}

#[cfg(test)]
mod tests;
