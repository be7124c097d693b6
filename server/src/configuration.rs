//! What a server and headquarters are told. Relative paths are relative to the file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use serde::Deserialize;
use tidewaiter_people::role::Role;
pub use tidewaiter_program::configuration::{ConfigurationError, Demonstration};
use tidewaiter_program::configuration::{Source, clock, read};

use crate::clock::Clock;

/// What a server is told.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfiguration {
    /// Who this server is.
    pub server: Identity,
    /// The pages and the programming interface.
    #[serde(default)]
    pub http: Http,
    /// How stations reach it.
    #[serde(default)]
    pub broker: Broker,
    /// Policy and lists, where they are not the built-in ones.
    #[serde(default)]
    pub policy: Policy,
    /// What stations do without the network.
    #[serde(default)]
    pub stations: Stations,
    /// How people sign in, beside accounts of its own.
    #[serde(default)]
    pub sign_in: SignInWays,
    /// The nightly bundle.
    #[serde(default)]
    pub bundles: Bundles,
    /// Present in demonstrations only.
    #[serde(default)]
    pub demonstration: Option<Demonstration>,
}

/// Who a server is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Its name in bundles: a-z, 0-9 and '-', 32 at most.
    pub name: String,
    /// Where it keeps everything.
    pub data: PathBuf,
}

/// Where pages are served.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// Address and port; loopback when absent, 8080 for a server, 8082 for headquarters.
    pub listen: Option<SocketAddr>,
    /// Serve the pages beyond this machine: something in front speaks TLS for them, and says in
    /// `X-Forwarded-For` who asks.
    pub behind_tls: bool,
}

impl Http {
    fn is_loopback(&self) -> bool {
        self.listen.is_none_or(|listen| listen.ip().is_loopback())
    }
}

/// How stations reach the server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Broker {
    /// Where the server's own listener takes stations' connections.
    pub listen: SocketAddr,
    /// Names and addresses in the listener's certificate, besides this machine's own.
    pub names: Vec<String>,
    /// What stations are told to connect to; `listen` when absent.
    pub advertise: Option<String>,
    /// The most connections from one address.
    pub connections_per_address: usize,
    /// The most connections.
    pub connections: usize,
    /// A broker elsewhere, instead of the embedded one.
    pub external: Option<ExternalBroker>,
}

/// A broker elsewhere.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExternalBroker {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// PEM file of the authority that signed the broker's certificate. Without it the connection
    /// is plain, which only a loopback address may be.
    #[serde(default)]
    pub authority: Option<PathBuf>,
    /// PEM file of this server's client certificate.
    #[serde(default)]
    pub certificate: Option<PathBuf>,
    /// PEM file of its key.
    #[serde(default)]
    pub key: Option<PathBuf>,
}

/// Policy and lists.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Directory of the policy pack; the built-in one when absent.
    pub directory: Option<PathBuf>,
    /// Directory of list bundles; the built-in ones when absent.
    pub lists: Option<PathBuf>,
    /// ISO alpha-2 code or `EU`, where the law is not that of a site's country.
    pub jurisdiction: Option<String>,
}

/// How people sign in, beside accounts of this server's own.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SignInWays {
    /// The authority's own sign-in.
    pub oidc: Option<Outside>,
}

/// The authority's own sign-in: OpenID Connect, authorization code with PKCE.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outside {
    /// The provider, as it names itself: an https address, or http on this machine.
    pub issuer: String,
    /// What this server is called there.
    pub client_id: String,
    /// File with the client's secret, where the provider wants one.
    #[serde(default)]
    pub client_secret_file: Option<PathBuf>,
    /// PEM file of the authority that signed the provider's certificate.
    #[serde(default)]
    pub authority: Option<PathBuf>,
    /// This server's address for the answer, ending in `/sign-in/return`, as registered there.
    pub redirect: String,
    /// The claim that lists groups.
    #[serde(default = "groups")]
    pub groups_claim: String,
    /// What each group is here; whoever is in none of them does not get in.
    #[serde(rename = "group", default)]
    pub groups: Vec<Group>,
}

fn groups() -> String {
    "groups".to_owned()
}

/// What a group outside is here.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its name there.
    pub name: String,
    /// At which site, `*` for every one.
    pub site: String,
    /// What its people are.
    pub role: Role,
}

/// What stations do without the network.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Stations {
    /// Days that an officer can sign in at a station that does not reach the server.
    pub offline_days: u16,
}

impl Default for Stations {
    fn default() -> Self {
        Self { offline_days: 7 }
    }
}

impl Stations {
    /// The same as a duration.
    pub fn offline(self) -> SignedDuration {
        SignedDuration::from_hours(24 * i64::from(self.offline_days))
    }
}

/// The nightly bundle.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Bundles {
    /// Where bundles are handed over; `DATA/bundles` when absent.
    pub directory: Option<PathBuf>,
    /// Local time of the night's bundle, `HH:MM`; none by itself when absent.
    pub at: Option<jiff::civil::Time>,
    /// IANA zone of that time.
    pub zone: Option<String>,
    /// File with headquarters' public keys. With it bundles carry the keys of their records,
    /// wrapped for headquarters, and its receipts are taken back.
    pub headquarters: Option<PathBuf>,
}

/// What headquarters is told.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadquartersConfiguration {
    /// Who it is.
    pub headquarters: Identity,
    /// The page and the programming interface.
    #[serde(default)]
    pub http: Http,
    /// Where bundles come in.
    pub incoming: Incoming,
    /// The servers whose bundles are taken.
    #[serde(rename = "server")]
    pub servers: Vec<SendingServer>,
    /// Present in demonstrations only.
    #[serde(default)]
    pub demonstration: Option<Demonstration>,
}

/// Where bundles come in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Incoming {
    /// The directory; each bundle is a directory in it.
    pub directory: PathBuf,
}

/// A server whose bundles are taken.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SendingServer {
    /// Its name, as in its bundles.
    pub name: String,
    /// File with the minisign public key of its bundles.
    pub key_file: PathBuf,
}

impl Default for Broker {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8883)),
            names: Vec::new(),
            advertise: None,
            connections_per_address: 32,
            connections: 4096,
            external: None,
        }
    }
}

impl ServerConfiguration {
    /// Reads and checks a server's configuration.
    ///
    /// # Errors
    /// [`ConfigurationError`].
    pub fn read(file: &Path) -> Result<Self, ConfigurationError> {
        let (text, mut configuration) = read::<Self>(file)?;
        let source = Source { file, text: &text };
        let checks = Checks(source);
        checks.check_name(&configuration.server.name)?;
        checks.check_pages(&configuration.http)?;
        if let Some(external) = &configuration.broker.external {
            checks.check_external(external)?;
        }
        if let Some(outside) = &configuration.sign_in.oidc {
            checks.check_outside(outside)?;
        }
        if let Some(zone) = &configuration.bundles.zone {
            jiff::tz::TimeZone::get(zone)
                .map_err(|error| source.wrong("zone", error.to_string()))?;
        }
        configuration.resolve(file.parent().unwrap_or(Path::new("")));
        Ok(configuration)
    }

    fn resolve(&mut self, base: &Path) {
        let under = |path: &mut PathBuf| *path = base.join(&*path);
        under(&mut self.server.data);
        let options = [
            &mut self.policy.directory,
            &mut self.policy.lists,
            &mut self.bundles.directory,
            &mut self.bundles.headquarters,
        ];
        options.into_iter().flatten().for_each(under);
        if let Some(outside) = &mut self.sign_in.oidc {
            let files = [&mut outside.client_secret_file, &mut outside.authority];
            files.into_iter().flatten().for_each(under);
        }
        if let Some(external) = &mut self.broker.external {
            let files = [&mut external.authority, &mut external.certificate, &mut external.key];
            files.into_iter().flatten().for_each(under);
        }
    }

    /// The clock it runs by.
    pub fn clock(&self) -> Clock {
        clock(self.demonstration)
    }

    /// Where its pages are served.
    pub fn listen(&self) -> SocketAddr {
        self.http.listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8080)))
    }

    /// Where bundles are handed over.
    pub fn bundle_directory(&self) -> PathBuf {
        self.bundles.directory.clone().unwrap_or_else(|| self.server.data.join("bundles"))
    }

    /// Where the store's file is.
    pub fn store_file(&self) -> PathBuf {
        self.server.data.join("server.sqlite")
    }
}

impl HeadquartersConfiguration {
    /// Reads and checks headquarters' configuration.
    ///
    /// # Errors
    /// [`ConfigurationError`].
    pub fn read(file: &Path) -> Result<Self, ConfigurationError> {
        let (text, mut configuration) = read::<Self>(file)?;
        let source = Source { file, text: &text };
        let checks = Checks(source);
        checks.check_name(&configuration.headquarters.name)?;
        checks.check_pages(&configuration.http)?;
        if configuration.servers.is_empty() {
            return Err(source.wrong("server", "at least one [[server]] is needed".to_owned()));
        }
        let base = file.parent().unwrap_or(Path::new(""));
        configuration.headquarters.data = base.join(&configuration.headquarters.data);
        configuration.incoming.directory = base.join(&configuration.incoming.directory);
        for server in &mut configuration.servers {
            checks.check_name(&server.name)?;
            server.key_file = base.join(&server.key_file);
        }
        Ok(configuration)
    }

    /// The clock it runs by.
    pub fn clock(&self) -> Clock {
        clock(self.demonstration)
    }

    /// Where its page is served.
    pub fn listen(&self) -> SocketAddr {
        self.http.listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8082)))
    }

    /// Where the store's file is.
    pub fn store_file(&self) -> PathBuf {
        self.headquarters.data.join("headquarters.sqlite")
    }
}

/// The checks of a file that parses.
struct Checks<'a>(Source<'a>);

impl Checks<'_> {
    fn check_name(&self, name: &str) -> Result<(), ConfigurationError> {
        let fits = (1..=32).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if fits {
            return Ok(());
        }
        let problem = format!("{name:?} is not a name of a-z, 0-9 and '-', 32 at most");
        Err(self.0.wrong("name", problem))
    }

    /// Pages of a server and of headquarters: passwords are typed there.
    fn check_pages(&self, http: &Http) -> Result<(), ConfigurationError> {
        if http.is_loopback() || http.behind_tls {
            return Ok(());
        }
        let problem = "passwords are typed on these pages, so they are served on loopback only, \
                       unless behind_tls = true says that something in front speaks TLS for them";
        Err(self.0.wrong("listen", problem.to_owned()))
    }

    fn check_outside(&self, outside: &Outside) -> Result<(), ConfigurationError> {
        let local = ["http://127.0.0.1:", "http://localhost:"];
        let on_this_machine = local.iter().any(|start| outside.issuer.starts_with(start));
        if !outside.issuer.starts_with("https://") && !on_this_machine {
            let problem = "a provider beyond this machine is reached by TLS only: https://…";
            return Err(self.0.wrong("issuer", problem.to_owned()));
        }
        if outside.authority.is_none() && !on_this_machine {
            let problem = "authority is missing: the PEM file of who signed the provider's \
                           certificate";
            return Err(self.0.wrong("issuer", problem.to_owned()));
        }
        if !outside.redirect.ends_with("/sign-in/return") {
            let problem = "the address for the answer ends in /sign-in/return";
            return Err(self.0.wrong("redirect", problem.to_owned()));
        }
        Ok(())
    }

    fn check_external(&self, external: &ExternalBroker) -> Result<(), ConfigurationError> {
        let loopback = external.host == "localhost"
            || external.host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if external.authority.is_none() && !loopback {
            let problem = "a broker beyond this machine is reached by TLS only: \
                           broker.external.authority is missing";
            return Err(self.0.wrong("host", problem.to_owned()));
        }
        if external.certificate.is_some() != external.key.is_some() {
            let problem = "certificate and key go together";
            return Err(self.0.wrong("certificate", problem.to_owned()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{HeadquartersConfiguration, ServerConfiguration};

    fn read(text: &str) -> Result<ServerConfiguration, String> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("server.toml");
        std::fs::write(&file, text).unwrap();
        ServerConfiguration::read(&file).map_err(|error| {
            error.to_string().replace(&directory.path().display().to_string(), "DIR")
        })
    }

    const LEAST: &str = "[server]\nname = \"ruvvo\"\ndata = \"data\"\n";

    #[test]
    fn the_least_configuration_listens_on_loopback() {
        let configuration = read(LEAST).unwrap();
        assert!(configuration.listen().ip().is_loopback());
        assert!(configuration.broker.listen.ip().is_loopback());
        assert!(configuration.demonstration.is_none());
    }

    #[test]
    fn an_unknown_key_is_refused_with_file_line_and_key() {
        let error = read(&format!("{LEAST}\n[http]\nlissten = \"127.0.0.1:1\"\n")).unwrap_err();
        assert!(error.starts_with("DIR/server.toml:6: lissten: unknown field"), "{error}");
    }

    #[test]
    fn a_wrong_value_is_refused_with_file_line_and_key() {
        let error = read(&format!("{LEAST}\n[http]\nlisten = \"nowhere\"\n")).unwrap_err();
        assert!(error.starts_with("DIR/server.toml:6: listen: "), "{error}");
    }

    #[test]
    fn pages_beyond_this_machine_need_a_word_of_consent() {
        let open = format!("{LEAST}\n[http]\nlisten = \"0.0.0.0:8080\"\n");
        assert!(read(&open).unwrap_err().contains("server.toml:6: listen: passwords are typed"));
        assert!(read(&format!("{open}open_without_sign_in = true\n")).is_err());
        assert!(read(&format!("{open}behind_tls = true\n")).is_ok());
    }

    #[test]
    fn a_plain_connection_to_a_far_broker_is_refused() {
        let far = format!("{LEAST}\n[broker.external]\nhost = \"mqtt.example\"\nport = 1883\n");
        assert!(read(&far).unwrap_err().contains("reached by TLS only"));
    }

    #[test]
    fn the_example_configurations_are_valid() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../config");
        let server = ServerConfiguration::read(&folder.join("server.toml")).unwrap();
        let headquarters =
            HeadquartersConfiguration::read(&folder.join("headquarters.toml")).unwrap();
        assert_eq!(headquarters.servers[0].name, server.server.name);
        assert_ne!(headquarters.listen(), server.listen());
    }
}
