//! Calls that carry a token: logged in at the first one, again when the token is refused or runs out.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use reqwest::{Method, Url};
use tokio::sync::{Mutex as Gate, OnceCell};

use super::cache::Cache;
use super::credentials::{Access, Settings};
use super::identity::{self, Grant, Version};
use crate::error::{Error, Kind, Result};
use crate::provider::http::{Http, Reply, Request};

/// A client of one account in one region.
pub struct Session {
    http: Http,
    settings: Settings,
    region: String,
    cache: Option<Cache>,
    grant: Mutex<Option<Arc<Grant>>>,
    /// Held during a login, so that calls side by side share one.
    gate: Gate<()>,
    /// Where a bare token's files are, once looked up.
    token_files: OnceCell<Url>,
}

/// Which service a call goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Cloud Images.
    Images,
    /// Cloud Files.
    Files,
}

impl Session {
    /// A session; sends a login only if the region cannot be known without one.
    pub async fn open(http: Http, settings: Settings, cache: Option<Cache>) -> Result<Self> {
        let mut session = Session {
            http,
            settings,
            region: String::new(),
            cache,
            grant: Mutex::new(None),
            gate: Gate::new(()),
            token_files: OnceCell::new(),
        };
        session.region = session.find_region().await?;
        Ok(session)
    }

    /// The region by setting, else the account's own; for a bare token without one, the endpoint's host stands in.
    async fn find_region(&self) -> Result<String> {
        if let Some(region) = &self.settings.region {
            return Ok(region.clone());
        }
        if let (Access::Token(..), Some(url)) = (&self.settings.access, &self.settings.images) {
            return Ok(url.host_str().unwrap_or_default().to_owned());
        }
        let grant = self.grant().await?;
        let mut regions: Vec<&str> = grant
            .endpoints
            .iter()
            .filter(|endpoint| endpoint.kind == "image")
            .filter_map(|endpoint| endpoint.region.as_deref())
            .collect();
        regions.sort_unstable();
        regions.dedup();
        let region = match (&grant.default_region, &regions[..]) {
            (Some(region), _) => region.clone(),
            (None, [only]) => (*only).to_owned(),
            (None, several) => {
                return Err(Error::usage(
                    "The region is not known: the account has no default one",
                )
                .hint(format!("use --region with one of: {}", several.join(", "))));
            }
        };
        tracing::info!("rackspace: region {region} from the account");
        Ok(region)
    }

    /// The region of every call.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Differs when the secret that is sent does.
    pub fn credentials_tag(&self) -> u64 {
        match &self.settings.access {
            Access::Login(login) => login.proof.secret().tag(),
            Access::Token(token, _) => token.tag(),
        }
    }

    /// User and tenant, or a label for a token that says where it is used.
    pub fn account(&self) -> String {
        match &self.settings.access {
            Access::Login(login) => match &login.tenant {
                Some(tenant) => format!("{}@{}", login.user, tenant.as_str()),
                None => login.user.clone(),
            },
            Access::Token(..) => {
                let host = self.settings.images.as_ref().and_then(Url::host_str);
                format!("token@{}", host.unwrap_or("unknown"))
            }
        }
    }

    /// The account number or project, once a login has told it.
    pub fn tenant(&self) -> Option<String> {
        self.known_grant()?.tenant.clone()
    }

    /// A valid token with what it opens, logging in if need be.
    pub async fn grant(&self) -> Result<Arc<Grant>> {
        self.grant_other_than(None).await
    }

    /// A grant whose token is not the one that was just refused.
    async fn grant_other_than(&self, refused: Option<&Arc<Grant>>) -> Result<Arc<Grant>> {
        let _gate = self.gate.lock().await;
        let now = Timestamp::now();
        let is_good = |grant: &Grant| {
            grant.is_fresh(now) && refused.is_none_or(|refused| refused.token != grant.token)
        };
        if let Some(grant) = self.known_grant().filter(|grant| is_good(grant)) {
            return Ok(grant);
        }
        let kept = self.cache.as_ref().and_then(|cache| cache.load(now));
        let grant = match (kept.filter(is_good), &self.settings.access) {
            (Some(grant), _) => grant,
            (None, Access::Token(token, tenant)) => Grant::of_token(token.clone(), tenant.clone()),
            (None, Access::Login(login)) => {
                let grant = identity::login(&self.http, &self.settings.identity, login).await?;
                if let Some(cache) = &self.cache {
                    cache.store(&grant);
                }
                grant
            }
        };
        let grant = Arc::new(grant);
        *self.slot() = Some(grant.clone());
        Ok(grant)
    }

    fn known_grant(&self) -> Option<Arc<Grant>> {
        let known = self.slot().clone();
        known.or_else(|| {
            let kept = self.cache.as_ref()?.load(Timestamp::now())?;
            Some(Arc::new(kept))
        })
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<Arc<Grant>>> {
        self.grant.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The address of a service, as far as it is known without asking anybody.
    pub fn known_base(&self, service: Service) -> Option<Url> {
        let grant = self.known_grant();
        if let Some(url) = self.overridden(service) {
            return Some(url);
        }
        self.catalogued(grant.as_deref()?, service).ok().flatten()
    }

    /// The address of a service, logging in if need be. A bare token's files are looked up in its own catalogue,
    /// for which its tenant must be known: by setting, or as the owner of something of its own.
    pub async fn base(&self, service: Service, owner: Option<&str>) -> Result<Url> {
        if let Some(url) = self.overridden(service) {
            return Ok(url);
        }
        let grant = self.grant().await?;
        if let Some(url) = self.catalogued(&grant, service)? {
            return Ok(url);
        }
        if let (Access::Token(..), Service::Files) = (&self.settings.access, service) {
            let looked_up = self
                .token_files
                .get_or_try_init(|| self.ask_for_files(&grant, owner));
            return looked_up.await.cloned();
        }
        Err(Error::new(
            Kind::Provider,
            format!("The account's catalogue has no {} service", service.kind()),
        )
        .hint(match service {
            Service::Images => "set OS_IMAGE_URL if you know where it is",
            Service::Files => "set OS_OBJECT_STORE_URL if you know where it is",
        }))
    }

    fn overridden(&self, service: Service) -> Option<Url> {
        match service {
            Service::Images => self.settings.images.clone().map(with_version),
            Service::Files => self
                .settings
                .files
                .clone()
                .or_else(|| self.token_files.get().cloned()),
        }
    }

    fn catalogued(&self, grant: &Grant, service: Service) -> Result<Option<Url>> {
        let url = grant.endpoint(service.kind(), service.name(), &self.region)?;
        let url = url.map(|url| self.http.endpoint(url, "the service catalogue"));
        Ok(match service {
            Service::Images => url.transpose()?.map(with_version),
            Service::Files => url.transpose()?,
        })
    }

    async fn ask_for_files(&self, grant: &Grant, owner: Option<&str>) -> Result<Url> {
        let unknown = |why: &str| {
            Error::new(
                Kind::Credentials,
                "With a token alone, the address of Cloud Files is not known",
            )
            .cause(why)
            .hint("set OS_OBJECT_STORE_URL, or log in with RAX_USERNAME and RAX_API_KEY")
        };
        let settings = &self.settings;
        // The default identity service is Rackspace's: it must not see another cloud's token.
        let is_rackspace = settings.images.as_ref().is_some_and(identity::is_rackspace);
        if !settings.is_identity_chosen && !is_rackspace {
            return Err(unknown(
                "the endpoint is not Rackspace's, and OS_AUTH_URL is not set",
            ));
        }
        if settings.identity.version == Version::V3 {
            return Err(unknown("OS_AUTH_URL speaks Keystone v3"));
        }
        let tenant = grant.tenant.as_deref().or(owner);
        let tenant = tenant.ok_or_else(|| unknown("neither is its tenant (TENANT_ID)"))?;
        let endpoints =
            identity::catalogue_of(&self.http, &settings.identity, &grant.token, tenant).await?;
        let catalogue = Grant {
            endpoints,
            ..Grant::of_token(grant.token.clone(), None)
        };
        // A host that stands in for a region is in no catalogue: then the only endpoint there is will do.
        match (&self.settings.region, &catalogue.endpoints[..]) {
            (Some(_), _) => self.catalogued(&catalogue, Service::Files)?,
            (None, endpoints) => {
                let mut files = endpoints.iter().filter(|e| e.kind == "object-store");
                match (files.next(), files.next()) {
                    (Some(only), None) => {
                        Some(self.http.endpoint(&only.url, "the service catalogue")?)
                    }
                    _ => None,
                }
            }
        }
        .ok_or_else(|| unknown("the token's catalogue has none for this region"))
    }

    /// A read with the token, repeated while it fails transiently, and once with a new token if the old one is refused.
    pub async fn read<T>(
        &self,
        name: &'static str,
        method: Method,
        url: &Url,
        parse: impl Fn(Reply) -> Result<T> + Send + Sync,
    ) -> Result<T> {
        let mut grant = self.grant().await?;
        let mut may_renew = self.can_log_in();
        loop {
            let build = || authorised(&grant, Request::new(name, method.clone(), url.clone()));
            match self.http.read(build, &parse).await {
                Err(error) if error.kind == Kind::Credentials && may_renew => {
                    may_renew = false;
                    grant = self.grant_other_than(Some(&grant)).await?;
                }
                Err(error) => return Err(self.explain(error)),
                Ok(value) => return Ok(value),
            }
        }
    }

    /// Sends a JSON body once; again only if the token was refused, for then nothing was executed.
    pub async fn post(&self, name: &'static str, url: &Url, body: &str) -> Result<Reply> {
        let request = |grant: &Grant| {
            authorised(grant, Request::new(name, Method::POST, url.clone()))?
                .header("content-type", "application/json")
                .map(|request| request.body(body))
        };
        let grant = self.grant().await?;
        let reply = self.http.once(request(&grant)?).await?;
        if reply.status != 401 || !self.can_log_in() {
            return Ok(reply);
        }
        let grant = self.grant_other_than(Some(&grant)).await?;
        self.http.once(request(&grant)?).await
    }

    fn can_log_in(&self) -> bool {
        matches!(self.settings.access, Access::Login(_))
    }

    /// What to do about a refused token depends on where it is from.
    pub fn explain(&self, error: Error) -> Error {
        if error.kind != Kind::Credentials || !error.details.hints.is_empty() {
            return error;
        }
        if self.can_log_in() {
            error.hint("snapexport list rackspace -v shows which credentials are used")
        } else {
            error.hint("the token may have run out (they live a day): get a new one, or set RAX_USERNAME and RAX_API_KEY")
        }
    }
}

impl Service {
    fn kind(self) -> &'static str {
        match self {
            Service::Images => "image",
            Service::Files => "object-store",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Service::Images => "cloudImages",
            Service::Files => "cloudFiles",
        }
    }
}

fn authorised(grant: &Grant, request: Request) -> Result<Request> {
    request
        .header("x-auth-token", grant.token.expose())?
        // Without it, errors are HTML.
        .header("accept", "application/json")
}

/// Rackspace's endpoints end in `/v2`, older ones in `/v2/<tenant>`, stock OpenStack's have no version.
fn with_version(mut url: Url) -> Url {
    let path = url.path().trim_end_matches('/').to_owned();
    let has_version = path.split('/').any(|segment| segment == "v2");
    url.set_path(&if has_version {
        path
    } else {
        format!("{path}/v2")
    });
    url.set_query(None);
    url
}

/// A URL below another, each part encoded.
pub fn below(base: &Url, parts: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(parts);
    }
    url
}

/// Where a host-relative link leads: on the origin it came from, or it is refused.
pub fn follow(base: &Url, link: &str) -> Result<Url> {
    let target = base
        .join(link)
        .ok()
        .filter(|target| target.host_str() == base.host_str() && target.port() == base.port());
    let Some(target) = target else {
        return Err(Error::new(
            Kind::Provider,
            "The next page of a list is said to be on another host, which is not followed",
        )
        .cause(link.to_owned()));
    };
    // Behind a proxy that ends TLS, a link may say http where https was asked.
    let mut url = base.clone();
    url.set_path(target.path());
    url.set_query(target.query());
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("a URL")
    }

    #[test]
    fn image_endpoints_have_exactly_one_version() {
        for (given, expected) in [
            ("https://h/v2", "https://h/v2"),
            ("https://h/v2/", "https://h/v2"),
            ("https://h/v2/12345", "https://h/v2/12345"),
            ("https://h", "https://h/v2"),
            ("https://h/image/", "https://h/image/v2"),
        ] {
            assert_eq!(with_version(url(given)).as_str(), expected, "{given}");
        }
    }

    #[test]
    fn links_are_followed_on_their_own_host_only() {
        let base = url("https://h:8443/v2/12345");
        for (link, expected) in [
            (
                "/v2/tasks?marker=a",
                Some("https://h:8443/v2/tasks?marker=a"),
            ),
            ("https://h:8443/v2/tasks", Some("https://h:8443/v2/tasks")),
            ("http://h:8443/v2/tasks", Some("https://h:8443/v2/tasks")),
            ("https://other/v2/tasks", None),
            ("//other/v2/tasks", None),
        ] {
            let followed = follow(&base, link).map(|url| url.to_string());
            assert_eq!(followed.as_deref().ok(), expected, "{link}");
        }
    }

    #[test]
    fn names_are_encoded_in_urls() {
        let files = url("https://h/v1/a/");
        assert_eq!(
            below(&files, &["my box", "ü#.vhd"]).as_str(),
            "https://h/v1/a/my%20box/%C3%BC%23.vhd"
        );
    }
}
