use super::*;

const ALICE: u32 = 1000;
const HERS: u32 = 1000;
const TEAM: u32 = 50;
const OTHERS: u32 = 60;

fn alice(is_shared: bool) -> Us {
    Us {
        uids: vec![ALICE],
        primary: vec![HERS],
        groups: vec![HERS, TEAM],
        is_shared,
    }
}

#[test]
fn what_others_own_or_may_write_is_not_ours_and_what_our_primary_group_may_write_is() {
    use Flaw::{Group, Owner, Public, World};
    let cases: [(u32, u32, u32, &[Flaw]); 12] = [
        (ALICE, HERS, 0o100_600, &[]),
        (ALICE, HERS, 0o40_775, &[]),
        // Read is not written.
        (ALICE, TEAM, 0o40_755, &[]),
        (ALICE, TEAM, 0o40_775, &[Group(TEAM)]),
        (ALICE, TEAM, 0o42_770, &[Group(TEAM)]),
        (ALICE, HERS, 0o100_602, &[World]),
        (ALICE, HERS, 0o40_777, &[World]),
        (0, HERS, 0o40_775, &[Owner(0)]),
        (
            1001,
            OTHERS,
            0o100_666,
            &[Owner(1001), Group(OTHERS), World],
        ),
        (0, 0, 0o41_777, &[Public]),
        (ALICE, HERS, 0o41_777, &[Public]),
        (ALICE, HERS, 0o101_666, &[World]),
    ];
    for (uid, gid, mode, flaws) in cases {
        assert_eq!(
            alice(false).judge(uid, gid, mode),
            flaws,
            "{uid} {gid} {mode:o}"
        );
    }
}

#[test]
fn shared_with_a_group_its_members_are_believed_and_nobody_else() {
    use Flaw::{Owner, Public, World};
    let cases: [(u32, u32, u32, &[Flaw]); 7] = [
        (ALICE, TEAM, 0o42_770, &[]),
        (ALICE, OTHERS, 0o40_770, &[]),
        (1001, TEAM, 0o100_660, &[]),
        (0, TEAM, 0o42_775, &[]),
        (1001, OTHERS, 0o100_660, &[Owner(1001)]),
        (ALICE, TEAM, 0o42_777, &[World]),
        (0, 0, 0o41_777, &[Public]),
    ];
    for (uid, gid, mode, flaws) in cases {
        assert_eq!(
            alice(true).judge(uid, gid, mode),
            flaws,
            "{uid} {gid} {mode:o}"
        );
    }
}

#[test]
fn only_root_goes_by_who_called_sudo() {
    let env: Env = [("SUDO_UID", "4711"), ("SUDO_GID", "4712")]
        .into_iter()
        .collect();
    let us = Us::of(&env).expect("no mistake in it");
    let is_root = rustix::process::geteuid().is_root();
    assert_eq!(us.judge(4711, 4712, 0o40_775).is_empty(), is_root);
    assert_eq!(us.judge(4713, 4712, 0o40_755), [Flaw::Owner(4713)]);
    let unclear: Env = [("SNAPEXPORT_SHARED_STATE", "perhaps")]
        .into_iter()
        .collect();
    assert!(Us::of(&unclear).is_err());
}
