//! How servers are reached: through which proxy, trusting whom, showing which certificate.

use std::fmt;
use std::path::{Path, PathBuf};

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::{Certificate, ClientBuilder, Identity};

use super::reach::{is_loopback, is_metadata};
use crate::error::{Error, Result};
use crate::secret::{Secret, Url, plain};
use crate::settings::{Env, Origin, Setting};

/// A file or a proxy may be named by any of these, the first that is set.
const HTTPS_PROXY: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
const HTTP_PROXY: [&str; 4] = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];
const NO_PROXY: [&str; 2] = ["no_proxy", "NO_PROXY"];
const PROXY_SCHEMES: [&str; 6] = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];

/// How servers are reached. The default: directly, trusting whom the system trusts.
#[derive(Clone, Default)]
pub struct Network {
    https: Option<Proxy>,
    http: Option<Proxy>,
    /// Hosts that are reached directly, as in `NO_PROXY`.
    exempt: String,
    /// Files of further authorities, each with who named it.
    authorities: Vec<(PathBuf, Origin)>,
    certificate: Option<Identity>,
}

/// A proxy and who named it.
#[derive(Clone)]
struct Proxy {
    /// Name and password may be in it.
    address: Secret,
    origin: Origin,
}

impl Proxy {
    fn url(&self) -> Option<Url> {
        let text = self.address.expose().trim();
        let full = match text.contains("://") {
            true => text.to_owned(),
            false => format!("http://{text}"),
        };
        let url = Url::parse(&full).ok()?;
        (PROXY_SCHEMES.contains(&url.scheme()) && url.has_host()).then_some(url)
    }

    fn check(&self) -> Result<()> {
        match self.url() {
            Some(_) => Ok(()),
            None => Err(
                Error::usage(format!("{} is no address of a proxy", self.origin))
                    .hint("such as http://proxy.example.com:3128"),
            ),
        }
    }
}

impl Network {
    /// What the environment says: the usual variables for proxies, and `SSL_CERT_FILE`.
    pub fn of(env: &Env, home: Option<&Path>) -> Self {
        let first = |names: &[&'static str]| {
            let mut set = names
                .iter()
                .filter_map(|name| Some((*name, env.get(name)?)));
            set.next()
        };
        let proxy = |names: &[&'static str]| {
            first(names).map(|(name, address)| Proxy {
                address: Secret::new(address),
                origin: Origin::Variable(name),
            })
        };
        // In a CGI program HTTP_PROXY is what a stranger sent as the header "Proxy".
        let is_cgi = env.get("REQUEST_METHOD").is_some();
        let strangers = Origin::Variable("HTTP_PROXY");
        let http = proxy(&HTTP_PROXY).filter(|proxy| !is_cgi || proxy.origin != strangers);
        let mut network = Network {
            https: proxy(&HTTPS_PROXY),
            http,
            exempt: first(&NO_PROXY).map_or(String::new(), |(_, hosts)| hosts.to_owned()),
            ..Network::default()
        };
        if let Some(path) = env.path("SSL_CERT_FILE", home) {
            network.trust(path, Origin::Variable("SSL_CERT_FILE"));
        }
        // Python's clients also take a directory there, which is laid out for OpenSSL.
        if let Some(path) = env.path("REQUESTS_CA_BUNDLE", home)
            && path.is_file()
        {
            network.trust(path, Origin::Variable("REQUESTS_CA_BUNDLE"));
        }
        network
    }

    /// Trusts the authorities in a PEM file, besides those trusted already.
    pub fn trust(&mut self, path: PathBuf, origin: Origin) {
        self.authorities.push((path, origin));
    }

    /// Shows a server that asks for one this certificate.
    pub fn present(&mut self, certificate: Identity) {
        self.certificate = Some(certificate);
    }

    /// Goes through this proxy, whatever the environment says; `NO_PROXY` still exempts.
    pub fn go_through(&mut self, address: &str, origin: Origin) {
        let proxy = Proxy {
            address: Secret::new(address),
            origin,
        };
        (self.https, self.http) = (Some(proxy.clone()), Some(proxy));
    }

    /// The proxy on the way to a URL, without name and password. What is on this machine or its link goes through none.
    pub fn proxy(&self, url: &Url) -> Option<Setting> {
        let proxy = self.proxy_for(url)?;
        let shown = proxy.url()?.to_string();
        Some(Setting {
            name: "proxy",
            value: shown,
            origin: proxy.origin.to_string(),
        })
    }

    /// The names and the passwords by which proxies know us, as they are and as they are written in addresses.
    pub(super) fn proxy_accounts(&self) -> (Vec<String>, Vec<String>) {
        let (mut users, mut passwords) = (Vec::new(), Vec::new());
        for url in self.https.iter().chain(&self.http).filter_map(Proxy::url) {
            for (all, text) in [
                (&mut users, url.username()),
                (&mut passwords, url.password().unwrap_or_default()),
            ] {
                all.extend([text.to_owned(), plain(text)]);
            }
        }
        (users, passwords)
    }

    /// What is to be shown of the way to a URL: its proxy, and the authorities that are trusted besides the system's.
    pub fn settings(&self, url: &Url) -> Vec<Setting> {
        let trusted = self.authorities.iter().map(|(path, origin)| {
            let path = path.display().to_string();
            Setting::new("authorities", path, origin)
        });
        let proxy = self.proxy(url);
        let proxy = proxy.map(|proxy| Setting::new(proxy.name, proxy.value, proxy.origin));
        proxy.into_iter().chain(trusted).collect()
    }

    fn proxy_for(&self, url: &Url) -> Option<&Proxy> {
        if is_loopback(url) || is_metadata(url) {
            return None;
        }
        let proxy = match url.scheme() {
            "http" => self.http.as_ref(),
            _ => self.https.as_ref(),
        }?;
        let rule = Matcher::builder()
            .all(proxy.address.expose())
            .no(self.exempt.as_str())
            .build();
        rule.intercept(&url.as_str().parse().ok()?)?;
        Some(proxy)
    }

    /// Makes a client reach its servers so.
    pub(super) fn apply(&self, mut builder: ClientBuilder) -> Result<ClientBuilder> {
        for proxy in self.https.iter().chain(&self.http) {
            proxy.check()?;
        }
        let network = self.clone();
        // First the system's own proxies are given up: ours are from the same variables, and shown by doctor.
        builder = builder.no_proxy();
        if self.https.is_some() || self.http.is_some() {
            builder = builder.proxy(reqwest::Proxy::custom(move |url| {
                network
                    .proxy_for(&url.clone().into())?
                    .url()
                    .map(url::Url::from)
            }));
        }
        for (path, origin) in &self.authorities {
            builder = builder.tls_certs_merge(authorities(path, origin)?);
        }
        Ok(match &self.certificate {
            Some(certificate) => builder.identity(certificate.clone()),
            None => builder,
        })
    }

    /// Whether a client certificate is shown.
    pub(super) fn has_certificate(&self) -> bool {
        self.certificate.is_some()
    }
}

/// Files and certificates are public, proxies may hold a password.
impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("authorities", &self.authorities)
            .finish_non_exhaustive()
    }
}

fn authorities(path: &PathBuf, origin: &Origin) -> Result<Vec<Certificate>> {
    let unusable = |why: String| {
        Error::usage(format!(
            "The certificate authorities in {} ({origin}) cannot be used",
            path.display()
        ))
        .cause(why)
        .hint("it takes a file of certificates in PEM form; nothing was sent")
    };
    let pem = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
    let found =
        Certificate::from_pem_bundle(&pem).map_err(|error| unusable(super::chain(&error)))?;
    if found.is_empty() {
        return Err(unusable("there is no certificate in it".into()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
