//! The OUTSCALE API (1.42): who may come in, and which call is meant.

mod calls;
mod members;
mod state;
#[cfg(test)]
mod tests;

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::clock::Moment;
use crate::ids::random_uuid;
use crate::signature::{AWS4, OSC4, claim};
use crate::{Sandbox, World, wire};
#[cfg(test)]
pub(crate) use state::Story;
pub(crate) use state::{ACCOUNT, PARTNER_ACCOUNT, State, Task};

/// The sandbox's access key.
pub(crate) const ACCESS_KEY: &str = "AKSANDBOX0000OUTSCAL";
/// Its secret.
pub(crate) const SECRET_KEY: &str = "SKSANDBOX00000000000000000000000OUTSCALE";
/// The region served.
pub(crate) const REGION: &str = "eu-west-2";
/// The access key of another account, which owns the bucket `partner`.
pub(crate) const PARTNER_ACCESS_KEY: &str = "AKSANDBOX0000PARTNER";
/// Its secret.
pub(crate) const PARTNER_SECRET_KEY: &str = "SKSANDBOX00000000000000000000000PARTNER0";

/// A date further ahead is refused: 2 s is accepted, 4 s is not.
const MAX_AHEAD: SignedDuration = SignedDuration::from_secs(3);
/// A date further behind is refused: 800 s was accepted, a day was not.
const MAX_BEHIND: SignedDuration = SignedDuration::from_secs(900);

impl Sandbox {
    /// The key pair for the bucket `partner`, which belongs to another OUTSCALE account.
    pub fn partner_variables(&self) -> [(&'static str, String); 2] {
        [
            ("OSU_ACCESS_KEY", PARTNER_ACCESS_KEY.into()),
            ("OSU_SECRET_KEY", PARTNER_SECRET_KEY.into()),
        ]
    }
}

/// The account and the secret behind an access key.
pub(crate) fn key(access_key: &str) -> Option<(&'static str, &'static str)> {
    match access_key {
        ACCESS_KEY => Some((ACCOUNT, SECRET_KEY)),
        PARTNER_ACCESS_KEY => Some((PARTNER_ACCOUNT, PARTNER_SECRET_KEY)),
        _ => None,
    }
}

/// A call: the state, the caller's account, the body.
type Call = fn(&mut State, &Caller, &Value, &Moment) -> Result<Value, wire::Response>;

/// Who calls.
pub(crate) struct Caller {
    account: &'static str,
    access_key: &'static str,
    secret_key: &'static str,
}

/// Answers a request to the API.
pub(crate) fn handle(
    world: &mut World,
    request: &wire::Request,
    moment: &Moment,
) -> wire::Response {
    serve(&mut world.outscale, request, moment).unwrap_or_else(|refusal| refusal)
}

fn serve(
    state: &mut State,
    request: &wire::Request,
    moment: &Moment,
) -> Result<wire::Response, wire::Response> {
    if request.method != "POST" {
        return Err(refuse(405, "2", "AccessDenied", "Only POST is supported."));
    }
    let path: Vec<&str> = request.path.trim_start_matches('/').split('/').collect();
    let call: Option<(&members::Members, Call)> = match path[..] {
        ["api", "v1" | "V1" | "latest", action] => match action {
            "CreateSnapshotExportTask" => Some((&members::CREATE, calls::create)),
            "ReadSnapshotExportTasks" => Some((&members::READ_TASKS, calls::read_tasks)),
            "DeleteExportTask" => Some((&members::DELETE, calls::delete)),
            "ReadSnapshots" => Some((&members::READ_SNAPSHOTS, calls::read_snapshots)),
            "ReadAccounts" => Some((&members::READ_ACCOUNTS, calls::read_accounts)),
            _ => None,
        },
        _ => None,
    };
    let Some((members, call)) = call else {
        return Err(refuse(
            404,
            "12000",
            "InvalidAction",
            "The action is not valid for this web service.",
        ));
    };
    let caller = authenticate(state, request, moment)?;
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    members::check(members, &body)?;
    // A dry run is checked like any call; what it returns beside the context is not documented.
    let mut answer = if body["DryRun"] == true {
        call(&mut state.clone(), &caller, &body, moment)?;
        json!({})
    } else {
        call(state, &caller, &body, moment)?
    };
    answer["ResponseContext"] = json!({"RequestId": random_uuid()});
    Ok(wire::Response::json(200, &answer))
}

/// Checks lock, key, signature and clock, in either algorithm. All but the lock are refused in the same words.
fn authenticate(
    state: &mut State,
    request: &wire::Request,
    moment: &Moment,
) -> Result<Caller, wire::Response> {
    let denied = || {
        refuse(
            401,
            "1",
            "AccessDenied",
            "The request could not be authenticated.",
        )
    };
    let claim = claim(request, &[OSC4, AWS4]).ok_or_else(denied)?;
    let (account, secret_key) = key(&claim.access_key).ok_or_else(denied)?;
    if state.is_locked(account, moment.now) {
        let details = "The access key is temporarily locked after repeated failures.";
        return Err(refuse(401, "13", "AccessDenied", details));
    }
    if !claim.is_signed_with(secret_key, request) {
        state.count_refusal(account, moment.now);
        return Err(denied());
    }
    state.forget_refusals(account);
    let ahead = moment.ahead(claim.signed_at);
    if ahead > MAX_AHEAD || -ahead > MAX_BEHIND {
        return Err(denied());
    }
    let access_key = if account == ACCOUNT {
        ACCESS_KEY
    } else {
        PARTNER_ACCESS_KEY
    };
    Ok(Caller {
        account,
        access_key,
        secret_key,
    })
}

/// An error in the API's form. `Code` is a string there.
pub(crate) fn refuse(status: u16, code: &str, kind: &str, details: &str) -> wire::Response {
    let body = json!({
        "Errors": [{"Type": kind, "Code": code, "Details": details}],
        "ResponseContext": {"RequestId": random_uuid()},
    });
    wire::Response::json(status, &body)
}
