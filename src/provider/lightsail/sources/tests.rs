use super::*;
use aws_sdk_lightsail::types::{Disk, DiskSnapshotState, InstanceSnapshotState};

#[test]
fn what_lightsail_does_not_export_has_a_reason() {
    for (state, is_auto, blueprint, reason) in [
        ("available", false, "ubuntu_22_04", None),
        ("available", false, "wordpress", None),
        ("brand-new-word", false, "ubuntu_22_04", None),
        ("pending", false, "ubuntu_22_04", Some("pending")),
        ("error", false, "ubuntu_22_04", Some("failed")),
        ("available", true, "ubuntu_22_04", None),
        ("available", false, "cpanel_whm_linux", Some("cPanel")),
        ("available", false, "django", Some("Django")),
        ("available", false, "ghost_bitnami", Some("Ghost")),
    ] {
        let snapshot = InstanceSnapshot::builder()
            .name("s")
            .state(InstanceSnapshotState::from(state))
            .is_from_auto_snapshot(is_auto)
            .from_blueprint_id(blueprint)
            .build();
        let source = of_instance("eu-west-3", &snapshot).expect("it has a name");
        assert_eq!(source.exportable, reason.is_none(), "{source:?}");
        let said = source.reason.unwrap_or_default();
        assert!(said.contains(reason.unwrap_or("")), "{said}");
    }
}

#[test]
fn a_disk_snapshot_that_is_not_exported_has_a_reason() {
    for (state, is_auto, reason) in [
        ("completed", false, None),
        ("unknown", false, None),
        ("pending", false, Some("still being made")),
        ("error", false, Some("failed")),
        ("completed", true, None),
    ] {
        let snapshot = DiskSnapshot::builder()
            .name("d")
            .state(DiskSnapshotState::from(state))
            .is_from_auto_snapshot(is_auto)
            .build();
        let source = of_disk("eu-west-3", &snapshot).expect("it has a name");
        assert_eq!(source.exportable, reason.is_none(), "{source:?}");
        let said = source.reason.unwrap_or_default();
        assert!(said.contains(reason.unwrap_or("")), "{said}");
    }
}

#[test]
fn the_ready_words_of_both_kinds_become_one() {
    let instance = InstanceSnapshot::builder()
        .name("i")
        .state(InstanceSnapshotState::Available);
    let instance = of_instance("r", &instance.build()).expect("it has a name");
    assert_eq!(instance.state, "completed");
    let disk = DiskSnapshot::builder()
        .name("d")
        .state(DiskSnapshotState::Completed)
        .size_in_gb(8);
    let disk = of_disk("r", &disk.build()).expect("it has a name");
    assert_eq!(
        (disk.state.as_str(), disk.size_bytes),
        ("completed", Some(8 << 30))
    );
}

#[test]
fn a_system_disk_among_the_attached_counts_once() {
    let disk = |size, is_system| Disk::builder().size_in_gb(size).is_system_disk(is_system);
    let instance = InstanceSnapshot::builder()
        .name("i")
        .size_in_gb(40)
        .from_attached_disks(disk(40, true).build())
        .from_attached_disks(disk(8, false).build());
    let instance = of_instance("r", &instance.build()).expect("it has a name");
    assert_eq!(instance.size_bytes, Some(48 << 30));
}

#[test]
fn sizes_neither_overflow_nor_go_below_nothing() {
    let disk = |size| Disk::builder().size_in_gb(size).build();
    let huge = InstanceSnapshot::builder()
        .name("huge")
        .size_in_gb(i32::MAX)
        .from_attached_disks(disk(i32::MAX))
        .from_attached_disks(disk(-1))
        .from_attached_disks(disk(5));
    let size = (2 * 2_147_483_647 + 5) << 30;
    let huge = of_instance("r", &huge.build()).expect("it has a name");
    assert_eq!(huge.size_bytes, Some(size));
    let many = (0..8).fold(InstanceSnapshot::builder(), |all, _| {
        all.from_attached_disks(disk(i32::MAX))
    });
    let many = many.name("many").size_in_gb(i32::MAX).build();
    let many = of_instance("r", &many).expect("it has a name");
    assert_eq!(many.size_bytes, Some(u64::MAX));
    let negative = DiskSnapshot::builder().name("less").size_in_gb(-5).build();
    let negative = of_disk("r", &negative).expect("it has a name");
    assert_eq!(negative.size_bytes, None);
}

#[test]
fn a_snapshot_without_a_name_cannot_be_exported_and_is_left_out() {
    assert_eq!(of_instance("r", &InstanceSnapshot::builder().build()), None);
    assert_eq!(
        of_disk("r", &DiskSnapshot::builder().name("").build()),
        None
    );
}
