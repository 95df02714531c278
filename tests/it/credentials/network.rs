//! Proxies, private authorities and client certificates, as the program meets them.

use super::secure::{Authority, SecureServer, Tunnel};
use crate::program::{Ran, User};

const HOST: &str = "api.cloud.test";
const SNAPSHOTS: &str = r#"{"Snapshots":[],"Accounts":[{"AccountId":"1"}]}"#;

/// A user whose API is `HOST`, to which only the proxy knows the way.
struct Office {
    user: User,
    server: SecureServer,
    tunnel: Tunnel,
}

impl Office {
    fn new(clients: Option<&Authority>) -> Self {
        let authority = Authority::new();
        let server = SecureServer::start(HOST, &authority, clients, SNAPSHOTS);
        let tunnel = Tunnel::to(server.address);
        let user = User::new()
            .with("OSC_ACCESS_KEY", "AKIDEXAMPLE0000000AK")
            .with("OSC_SECRET_KEY", "SKEXAMPLE00000000000000000000000000000SK")
            .with("OSC_ENDPOINT_API", HOST)
            .with("OSC_ENDPOINT_OOS", HOST);
        std::fs::write(user.home.path().join("ca.pem"), authority.pem()).expect("written");
        let ca = user.home.path().join("ca.pem").display().to_string();
        Office {
            user: user.with("SSL_CERT_FILE", &ca),
            server,
            tunnel,
        }
    }

    fn proxy(&self) -> String {
        format!("http://someone:hunter2@{}", self.tunnel.address)
    }

    fn list(user: &User) -> Ran {
        user.run(&["list", "outscale", "-o", "json", "-vv"])
    }
}

#[test]
fn a_proxy_and_a_private_authority_are_used_and_the_proxys_password_is_not_said() {
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        let office = Office::new(None);
        let proxy = office.proxy();
        let user = office.user.with(variable, &proxy);
        let ran = Office::list(&user);
        assert_eq!(ran.code, Some(0), "{variable}: {}", ran.all());
        let heads = office.tunnel.heads();
        assert!(
            heads[0].starts_with("CONNECT api.cloud.test:443 "),
            "{heads:?}"
        );
        // someone:hunter2 in base64
        assert!(heads[0].contains("Basic c29tZW9uZTpodW50ZXIy"), "{heads:?}");
        let asked = office.server.requests();
        assert!(
            asked
                .iter()
                .any(|asked| asked.contains("/api/v1/ReadSnapshots"))
        );
        assert!(!ran.all().contains("hunter2"), "{}", ran.all());
        let address = office.tunnel.address;
        for said in [
            format!("proxy: http://{address}/ from {variable}"),
            "ca.pem from SSL_CERT_FILE".to_owned(),
        ] {
            assert!(ran.stderr.contains(&said), "{said}: {}", ran.all());
        }
    }
}

#[test]
fn no_proxy_exempts_a_host_and_the_failure_names_the_proxy_that_is_used() {
    let office = Office::new(None);
    let proxy = office.proxy();
    let user = office
        .user
        .with("HTTPS_PROXY", &proxy)
        .with("NO_PROXY", "cloud.test");
    let ran = Office::list(&user);
    assert_eq!(
        ran.code,
        Some(1),
        "the name is known to the proxy alone: {}",
        ran.all()
    );
    assert!(office.tunnel.heads().is_empty());
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = closed.local_addr().expect("bound");
    drop(closed);
    let user = user
        .without("NO_PROXY")
        .with("HTTPS_PROXY", &format!("http://me:hunter2@{address}"));
    let ran = Office::list(&user);
    assert_eq!(ran.code, Some(1), "{}", ran.all());
    assert!(
        ran.stderr
            .contains(&format!("the proxy http://{address}/ from HTTPS_PROXY")),
        "{}",
        ran.all()
    );
    assert!(!ran.all().contains("hunter2"), "{}", ran.all());
}

#[test]
fn aws_and_rackspace_calls_take_the_same_way() {
    let authority = Authority::new();
    let login = r#"{"access":{"token":{"id":"t","expires":"2040-01-01T00:00:00Z"},"serviceCatalog":[{"type":"image","name":"cloudImages","endpoints":[{"region":"DFW","publicURL":"https://images.cloud.test/v2"}]}]},"images":[],"instanceSnapshots":[],"diskSnapshots":[]}"#;
    let home = User::new();
    let ca = home.home.path().join("ca.pem");
    std::fs::write(&ca, authority.pem()).expect("written");
    let ca = ca.display().to_string();
    for (cloud, host, bundle, variables) in [
        (
            "lightsail",
            "lightsail.eu-west-3.amazonaws.com",
            "AWS_CA_BUNDLE",
            vec![
                ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
                ("AWS_SECRET_ACCESS_KEY", "secret"),
                ("AWS_REGION", "eu-west-3"),
            ],
        ),
        (
            "rackspace",
            "identity.api.rackspacecloud.com",
            "OS_CACERT",
            vec![
                ("RAX_USERNAME", "u"),
                ("RAX_API_KEY", "k"),
                ("RAX_REGION", "DFW"),
            ],
        ),
    ] {
        let server = SecureServer::start(host, &authority, None, login);
        let tunnel = Tunnel::to(server.address);
        let mut user = User::new()
            .with("HTTPS_PROXY", &format!("http://{}", tunnel.address))
            .with(bundle, &ca);
        for (name, value) in variables {
            user = user.with(name, value);
        }
        let ran = user.run(&["list", cloud]);
        let heads = tunnel.heads();
        assert!(
            heads[0].starts_with(&format!("CONNECT {host}:443 ")),
            "{heads:?}"
        );
        assert!(!server.requests().is_empty(), "no TLS: {}", ran.all());
    }
}

#[test]
fn an_authority_that_is_not_trusted_or_not_there_is_named() {
    let office = Office::new(None);
    let proxy = office.proxy();
    let user = office.user.with("HTTPS_PROXY", &proxy);
    let ran = Office::list(&user.with("SSL_CERT_FILE", "/nonexistent/ca.pem"));
    assert_eq!(ran.code, Some(2), "{}", ran.all());
    assert!(
        ran.stderr.contains("/nonexistent/ca.pem (SSL_CERT_FILE)"),
        "{}",
        ran.all()
    );
    let office = Office::new(None);
    let proxy = office.proxy();
    let user = office.user.with("HTTPS_PROXY", &proxy);
    let other = user.home.path().join("other.pem");
    std::fs::write(&other, Authority::new().pem()).expect("written");
    let ran = Office::list(&user.with("SSL_CERT_FILE", &other.display().to_string()));
    assert_eq!(ran.code, Some(1), "{}", ran.all());
    assert!(ran.stderr.contains("TLS failed"), "{}", ran.all());
    assert!(office.server.requests().is_empty());
}

/// In lines of 76 characters.
fn wrapped(base64: &str, end: &str) -> String {
    let lines = base64.as_bytes().chunks(76);
    let lines = lines.map(|line| format!("{}{end}", String::from_utf8_lossy(line)));
    lines.collect()
}

#[test]
fn a_client_certificate_of_the_osc_profile_or_the_environment_is_shown_to_the_server() {
    use aws_smithy_types::base64::encode;
    let clients = Authority::new();
    let (certificate, key) = clients.certify("me");
    let (pem, key) = (certificate.pem(), key.serialize_pem());
    let keys = r#""access_key":"AKIDEXAMPLE0000000AK","secret_key":"SKEXAMPLE00000000000000000000000000000SK""#;
    let base64 = (encode(&pem), encode(&key));
    let in_lines = wrapped(&base64.0, "\n");
    for (profile, variables, code) in [
        (
            r#","x509_client_cert":"~/me.pem","x509_client_key":"~/me.key""#.to_owned(),
            vec![],
            0,
        ),
        (
            r#","client_certificate":"~/both.pem""#.to_owned(),
            vec![],
            0,
        ),
        (
            format!(
                r#","x509_client_cert_b64":"{}","x509_client_key_b64":"{}""#,
                base64.0, base64.1
            ),
            vec![],
            0,
        ),
        // As GNU's base64 wraps it, and as Windows ends lines.
        (
            format!(
                r#","x509_client_cert_b64":"{}","x509_client_key_b64":"{}""#,
                wrapped(&base64.0, "\\n"),
                wrapped(&base64.1, "\\r\\n")
            ),
            vec![],
            0,
        ),
        (
            r#","client_certificate":["~/me.pem","~/me.key"]"#.to_owned(),
            vec![],
            0,
        ),
        (String::new(), vec![], 1),
        (r#","x509_client_cert":"~/me.pem""#.to_owned(), vec![], 4),
        (
            r#","x509_client_cert":"~/lost.pem","x509_client_key":"~/me.key""#.to_owned(),
            vec![],
            4,
        ),
        (
            String::new(),
            vec![
                ("OSC_ACCESS_KEY", "AKIDEXAMPLE0000000AK"),
                ("OSC_SECRET_KEY", "SKEXAMPLE00000000000000000000000000000SK"),
                ("OSC_X509_CLIENT_CERT", "~/me.pem"),
                ("OSC_X509_CLIENT_KEY_B64", base64.1.as_str()),
            ],
            0,
        ),
        (
            String::new(),
            vec![
                ("OSC_ACCESS_KEY", "AKIDEXAMPLE0000000AK"),
                ("OSC_SECRET_KEY", "SKEXAMPLE00000000000000000000000000000SK"),
                ("OSC_X509_CLIENT_CERT_B64", in_lines.as_str()),
                ("OSC_X509_CLIENT_KEY", "~/me.key"),
            ],
            0,
        ),
        // The certificate of the environment does not belong to the keys of the file.
        (
            r#","client_certificate":"~/both.pem""#.to_owned(),
            vec![("OSC_X509_CLIENT_CERT", "~/lost.pem")],
            0,
        ),
    ] {
        let office = Office::new(Some(&clients));
        let proxy = office.proxy();
        let mut user = office
            .user
            .without("OSC_ACCESS_KEY")
            .without("OSC_SECRET_KEY")
            .with("HTTPS_PROXY", &proxy);
        let is_set = |wanted| variables.iter().any(|(name, _)| *name == wanted);
        let is_stray = is_set("OSC_X509_CLIENT_CERT") && !is_set("OSC_ACCESS_KEY");
        for (name, value) in variables {
            user = user.with(name, value);
        }
        let home = user.home.path();
        for (name, text) in [
            ("me.pem", &pem),
            ("me.key", &key),
            ("both.pem", &format!("{pem}{key}")),
        ] {
            std::fs::write(home.join(name), text).expect("written");
        }
        std::fs::create_dir(home.join(".osc")).expect("made");
        let file = format!(r#"{{"default":{{{keys}{profile}}}}}"#);
        std::fs::write(home.join(".osc/config.json"), file).expect("written");
        let ran = Office::list(&user);
        assert_eq!(ran.code, Some(code), "{profile}: {}", ran.all());
        assert_eq!(office.server.requests().is_empty(), code != 0, "{profile}");
        let said = "OSC_X509_CLIENT_CERT is not used";
        assert_eq!(ran.stderr.contains(said), is_stray, "{}", ran.all());
    }
}

#[test]
fn asking_not_to_verify_certificates_is_answered_loudly_and_not_done() {
    let office = Office::new(None);
    let proxy = office.proxy();
    let user = office
        .user
        .with("HTTPS_PROXY", &proxy)
        .with("OSC_TLS_SKIP_VERIFY", "true")
        .without("SSL_CERT_FILE");
    let ran = Office::list(&user);
    assert_eq!(ran.code, Some(1), "{}", ran.all());
    assert!(
        ran.stderr.contains("they are verified all the same"),
        "{}",
        ran.all()
    );
    assert!(office.server.requests().is_empty());
}
