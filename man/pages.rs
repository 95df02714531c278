// Made by `cargo run --example generate`.
[
    ("snapexport", include_str!("snapexport.1")),
    ("snapexport-export", include_str!("snapexport-export.1")),
    ("snapexport-export-outscale", include_str!("snapexport-export-outscale.1")),
    ("snapexport-export-lightsail", include_str!("snapexport-export-lightsail.1")),
    ("snapexport-export-rackspace", include_str!("snapexport-export-rackspace.1")),
    ("snapexport-status", include_str!("snapexport-status.1")),
    ("snapexport-wait", include_str!("snapexport-wait.1")),
    ("snapexport-list", include_str!("snapexport-list.1")),
    ("snapexport-doctor", include_str!("snapexport-doctor.1")),
    ("snapexport-cancel", include_str!("snapexport-cancel.1")),
    ("snapexport-sandbox", include_str!("snapexport-sandbox.1")),
    ("snapexport-completions", include_str!("snapexport-completions.1")),
    ("snapexport-man", include_str!("snapexport-man.1")),
    ("snapexport-exit-codes", include_str!("snapexport-exit-codes.7")),
    ("snapexport-config", include_str!("snapexport-config.5")),
    ("snapexport-json", include_str!("snapexport-json.7")),
]
