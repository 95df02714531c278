//! Calls that carry a token: logged in at the first one, again when the token is refused or runs out.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jiff::Timestamp;
use reqwest::Method;
use tokio::sync::{Mutex as Gate, OnceCell};

use super::cache::Cache;
use super::credentials::Settings;
use super::grant::Grant;
use super::identity::{self, Version};
use super::login::Access;
use super::urls::{tenant_of, with_version};
use crate::error::{Error, Hint, Kind, Result};
use crate::http::{Contact, Flow, Http, Reply, Request};
use crate::provider::{Realm, Setting};
use crate::secret::{Secret, Url};

/// A client of one account in one region.
pub(super) struct Session {
    http: Http,
    settings: Settings,
    /// Known from the start by setting or kept token, else after the first login.
    region: OnceLock<String>,
    cache: Option<Cache>,
    grant: Mutex<Option<Arc<Grant>>>,
    /// Held during a login, so that calls side by side share one.
    gate: Gate<()>,
    /// Where a bare token's files are, once looked up.
    token_files: OnceCell<Url>,
    /// Whether the cloud has no export tasks, once it was asked.
    pub(super) lacks_export: OnceCell<bool>,
    /// The token that took the place of one that was refused to a start.
    renewed: Mutex<Option<Secret>>,
}

/// Which service a call goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    /// Cloud Images.
    Images,
    /// Cloud Files.
    Files,
}

impl Session {
    /// A session. Sends nothing.
    pub(super) fn new(http: Http, settings: Settings, cache: Option<Cache>) -> Self {
        // A token that was kept goes out without the login that it is from.
        http.hide(settings.access.secret());
        let session = Session {
            http,
            settings,
            region: OnceLock::new(),
            cache,
            grant: Mutex::new(None),
            gate: Gate::new(()),
            token_files: OnceCell::new(),
            lacks_export: OnceCell::new(),
            renewed: Mutex::new(None),
        };
        if let Some(region) = session.said_region().or_else(|| session.kept_region()) {
            session.region.get_or_init(|| region);
        }
        session
    }

    /// The region by setting; for a bare token without one, the endpoint's host stands in.
    fn said_region(&self) -> Option<String> {
        let host = || match (&self.settings.access, &self.settings.images) {
            (Access::Token(..), Some(url)) => Some(url.host_str()?.to_owned()),
            _ => None,
        };
        self.settings.region.clone().or_else(host)
    }

    fn kept_region(&self) -> Option<String> {
        self.known_grant()?.usual_region().ok()
    }

    /// The region, which only a login tells where none was said.
    async fn find_region(&self) -> Result<&str> {
        if let Some(region) = self.region.get() {
            return Ok(region);
        }
        let region = self.grant().await?.usual_region()?;
        tracing::info!("rackspace: region {region} from the account");
        Ok(self.region.get_or_init(|| region))
    }

    /// The region of every call. Empty where it is not known yet; [`Session::base`] finds it out.
    pub(super) fn region(&self) -> &str {
        self.region.get().map_or("", String::as_str)
    }

    /// The client, which knows when it was last answered.
    pub(super) fn http(&self) -> &Http {
        &self.http
    }

    /// What the last reply told beside its content.
    pub(super) fn contact(&self) -> Option<Contact> {
        self.http.contact()
    }

    /// Who is asked for a token, or for those who have one, for images.
    pub(super) fn identity_host(&self) -> String {
        let url = match (&self.settings.access, &self.settings.images) {
            (Access::Token(..), Some(images)) => images,
            _ => &self.settings.identity.base,
        };
        url.host_str().unwrap_or_default().to_owned()
    }

    /// The protocol of the login.
    pub(super) fn identity_version(&self) -> Version {
        self.settings.identity.version
    }

    /// Differs when the secret that is sent does.
    pub(super) fn credentials_tag(&self) -> u64 {
        self.settings.access.secret().tag()
    }

    /// What was resolved, and the addresses that the catalogue gave, as far as they are known without asking.
    pub(super) fn settings(&self) -> Vec<Setting> {
        let mut settings = self.settings.said.clone();
        let has = |settings: &[Setting], name| settings.iter().any(|said| said.name == name);
        if let (false, Some(region)) = (has(&settings, "region"), self.region.get()) {
            settings.push(Setting::new("region", region, "the account"));
        }
        for (name, service) in [
            ("endpoint", Service::Images),
            ("object endpoint", Service::Files),
        ] {
            let known = || self.known_base(service);
            if let Some(url) = (!has(&settings, name)).then(known).flatten() {
                let catalogue = "the service catalogue";
                settings.push(Setting::new(name, url.to_string(), catalogue));
            }
        }
        settings
    }

    /// User and tenant, or a label for a token that says where it is used.
    pub(super) fn account(&self) -> String {
        match &self.settings.access {
            Access::Login(login) => match &login.tenant {
                Some(tenant) => format!("{}@{}", login.user, tenant.as_str()),
                None => login.user.clone(),
            },
            // Tokens come and go; the tenant is whose they are.
            Access::Token(_, tenant) => {
                let images = self.settings.images.as_ref();
                let host = images.and_then(|url| url.host_str()).unwrap_or("unknown");
                let tenant = tenant.clone().or_else(|| self.addressed_tenant());
                format!("{}@{host}", tenant.as_deref().unwrap_or("token"))
            }
        }
    }

    /// The tenant in an address that was set.
    fn addressed_tenant(&self) -> Option<String> {
        let addresses = [&self.settings.images, &self.settings.files];
        addresses.into_iter().flatten().find_map(tenant_of)
    }

    /// Where the images are, and the account or project that a login or the setting told.
    pub(super) fn realm(&self) -> Realm {
        let images = self.known_base(Service::Images);
        let account = self.tenant().or_else(|| self.addressed_tenant());
        Realm {
            endpoint: images.as_ref().map(|url| url.authority().to_owned()),
            // A bare token.
            key: account
                .is_none()
                .then(|| format!("{:016x}", self.credentials_tag())),
            account,
        }
    }

    /// The account number or project, once a login has told it.
    pub(super) fn tenant(&self) -> Option<String> {
        self.known_grant()?.tenant.clone()
    }

    /// A valid token with what it opens, logging in if need be.
    pub(super) async fn grant(&self) -> Result<Arc<Grant>> {
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

    /// The token in use, or the one kept from before.
    pub(super) fn known_grant(&self) -> Option<Arc<Grant>> {
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
    pub(super) fn known_base(&self, service: Service) -> Option<Url> {
        let grant = self.known_grant();
        if let Some(url) = self.overridden(service) {
            return Some(url);
        }
        let region = self.region.get()?;
        self.catalogued(grant.as_deref()?, service, region)
            .ok()
            .flatten()
    }

    /// The address of a service, logging in if need be. A bare token's files are looked up in its own catalogue,
    /// for which its tenant must be known: by setting, or as the owner of something of its own.
    pub(super) async fn base(&self, service: Service, owner: Option<&str>) -> Result<Url> {
        let region = self.find_region().await?;
        if let Some(url) = self.overridden(service) {
            return Ok(url);
        }
        let grant = self.grant().await?;
        if let Some(url) = self.catalogued(&grant, service, region)? {
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

    /// The same place by the address within the cloud's own network (ServiceNet), where that is wished and there is one.
    pub(super) async fn inward(&self, url: Url) -> Result<Url> {
        if !self.settings.is_internal || self.overridden(Service::Files).is_some() {
            return Ok(url);
        }
        let (grant, region) = (self.grant().await?, self.find_region().await?);
        let service = Service::Files;
        let found = grant.endpoint(service.kind(), service.name(), region)?;
        let inner = found.and_then(|found| Some((found.url.as_str(), found.internal.as_ref()?)));
        let Some((outer, inner)) = inner else {
            tracing::warn!(
                "the service catalogue has no internal address of Cloud Files; the public one is used"
            );
            return Ok(url);
        };
        let Some(rest) = url.as_str().strip_prefix(outer.trim_end_matches('/')) else {
            return Ok(url);
        };
        let text = format!("{}{rest}", inner.trim_end_matches('/'));
        self.http.endpoint(&text, "the service catalogue")
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

    fn catalogued(&self, grant: &Grant, service: Service, region: &str) -> Result<Option<Url>> {
        let url = grant.endpoint(service.kind(), service.name(), region)?;
        let url = url.map(|found| self.http.endpoint(&found.url, "the service catalogue"));
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
            (Some(region), _) => self.catalogued(&catalogue, Service::Files, region)?,
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
    pub(super) async fn read<T>(
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

    /// A read whose reply is read as it comes; with a new token once, if the old one is refused.
    pub(super) async fn flow(
        &self,
        name: &'static str,
        url: &Url,
        headers: &[(&'static str, String)],
    ) -> Result<Flow> {
        let send = async |grant: &Grant| {
            let mut request = authorised(grant, Request::new(name, Method::GET, url.clone()))?;
            for (name, value) in headers {
                request = request.header(name, value)?;
            }
            self.http.flow(request).await
        };
        let grant = self.grant().await?;
        let flow = send(&grant).await?;
        if flow.status() != 401 || !self.can_log_in() {
            return Ok(flow);
        }
        send(&*self.grant_other_than(Some(&grant)).await?).await
    }

    /// Sends a JSON body once. Where the token was refused and another was to be had, that is a passing error: nothing was
    /// executed. If that is refused too, it is a refusal.
    pub(super) async fn post(&self, name: &'static str, url: &Url, body: &str) -> Result<Reply> {
        let request = |grant: &Grant| {
            authorised(grant, Request::new(name, Method::POST, url.clone()))?
                .header("content-type", "application/json")
                .map(|request| request.body(body))
        };
        let grant = self.grant().await?;
        let send = async |grant: &Grant| self.http.once(request(grant)?).await;
        let reply = send(&grant).await?;
        if reply.status != 401 || !self.can_log_in() {
            return Ok(reply);
        }
        // Not from here: the login took its time, and whoever sends looks first whether the start is still its own.
        let renewed = || self.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        if renewed().as_ref() == Some(&grant.token) {
            return Ok(reply);
        }
        let new = self.grant_other_than(Some(&grant)).await?;
        *renewed() = Some(new.token.clone());
        let sentence = "The token had run out; there is a new one";
        Err(Error::new(Kind::Unavailable, sentence).cause(format!("HTTP {}", reply.status)))
    }

    /// Whether a new token can be had when the old one ends.
    pub(super) fn can_log_in(&self) -> bool {
        matches!(self.settings.access, Access::Login(_))
    }

    /// An error of a reply as a person may see it. What to do about a refused token depends on where it is from.
    pub(super) fn explain(&self, error: Error) -> Error {
        if error.kind != Kind::Credentials || !error.details.hints.is_empty() {
            return error;
        }
        if self.can_log_in() {
            error.hint(
                Hint::run("snapexport list rackspace -v").and(" shows which credentials are used"),
            )
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
