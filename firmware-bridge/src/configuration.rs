//! What a station is told. Relative paths are relative to the file.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use serde::Deserialize;
use tidewaiter_program::clock::Clock;
pub use tidewaiter_program::configuration::{ConfigurationError, Demonstration};
use tidewaiter_program::configuration::{Source, clock, read};
use tidewaiter_proto::body::{Direction, Role};
use tidewaiter_proto::movement::Mode;
use tidewaiter_proto::station::StationId;
use tidewaiter_proto::topic::is_device_id;

use crate::officers::SignIn;

mod device;

pub use device::{DeviceConfig, DeviceProfile, DriverKind, Inked, MqttSource, Parity};

/// What a station is told.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BridgeConfiguration {
    /// Who it is.
    pub station: Identity,
    /// What its lane is for.
    pub lane: Lane,
    /// The officer's page.
    #[serde(default)]
    pub http: Http,
    /// The station's own bus.
    #[serde(default)]
    pub bus: Bus,
    /// How long records stay at the station.
    #[serde(default)]
    pub retention: Retention,
    /// The devices that this agent reads itself.
    #[serde(default, rename = "device")]
    pub devices: Vec<DeviceConfig>,
    /// What devices of one kind have in common.
    #[serde(default, rename = "profile")]
    pub device_profiles: Vec<DeviceProfile>,
    /// Kiosks, tablets and drivers of others that speak on the bus.
    #[serde(default, rename = "source")]
    pub sources: Vec<SourceConfig>,
    /// Present in demonstrations only.
    #[serde(default)]
    pub demonstration: Option<Demonstration>,
}

/// Who a station is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// `SITE/LANE`.
    pub name: StationId,
    /// Where it keeps everything.
    pub data: PathBuf,
    /// ISO alpha-2 code or `EU`, where the law is not that of the site's country.
    #[serde(default)]
    pub jurisdiction: Option<String>,
}

/// What a lane is for: what an inspection begins with when a document opens it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lane {
    /// Which way travellers go.
    pub direction: Direction,
    /// Who they are.
    #[serde(default = "passenger")]
    pub role: Role,
    /// How they travel.
    pub mode: Mode,
    /// Where the lane is: IATA code or UN/LOCODE.
    pub place: String,
}

fn passenger() -> Role {
    Role::Passenger
}

/// Where the officer's page is served.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// Address and port; 127.0.0.1:8081 when absent.
    pub listen: Option<SocketAddr>,
    /// Serve beyond this machine: something in front speaks TLS, since PINs are typed there, and
    /// says in `X-Forwarded-For` who asks.
    pub behind_tls: bool,
    /// Nobody signs in here: something in front guards the page.
    pub open_without_sign_in: bool,
}

/// The station's own bus.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Bus {
    /// Where the embedded broker listens; 127.0.0.1:1883 when absent.
    pub listen: Option<SocketAddr>,
    /// A broker on this machine, instead of the embedded one.
    pub external: Option<SocketAddr>,
    /// The agent's user at that broker.
    pub user: Option<String>,
    /// File with the password of that user.
    pub password_file: Option<PathBuf>,
}

/// How long records stay at the station that the server has.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Days from the making of a record; what the server does not have stays longer.
    pub days: u16,
}

impl Default for Retention {
    fn default() -> Self {
        Self { days: 90 }
    }
}

impl Retention {
    /// The same as a duration.
    pub fn age(self) -> SignedDuration {
        SignedDuration::from_hours(24 * i64::from(self.days))
    }
}

/// A source on the bus that is not this agent's.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceConfig {
    /// Its id on the bus.
    pub id: String,
    /// What it may say.
    pub profile: Profile,
}

/// What a source on the bus is, and so what it may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// Reads documents.
    Reader,
    /// Reads boarding passes.
    Scanner,
    /// Counts cash.
    Counter,
    /// Looks into bags.
    Xray,
    /// Weighs.
    Scale,
    /// Takes declarations.
    Kiosk,
    /// Sees movements: AIS, manifests.
    Movements,
}

impl Profile {
    /// Its name in configuration, and in the languages of the pages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Scanner => "scanner",
            Self::Counter => "counter",
            Self::Xray => "xray",
            Self::Scale => "scale",
            Self::Kiosk => "kiosk",
            Self::Movements => "movements",
        }
    }

    /// The bodies it may publish (contract section 4).
    pub fn bodies(self) -> &'static [&'static str] {
        match self {
            Self::Reader => &["document_read"],
            Self::Scanner => &["boarding_pass_read"],
            Self::Counter => &["cash_counted"],
            Self::Xray => &["scan_result"],
            Self::Scale => &["weight_measured"],
            Self::Kiosk => &["declaration_made"],
            Self::Movements => &["movement_seen"],
        }
    }
}

impl From<DriverKind> for Profile {
    fn from(driver: DriverKind) -> Self {
        match driver {
            DriverKind::Mrz => Self::Reader,
            DriverKind::BoardingPass => Self::Scanner,
            DriverKind::NoteCounter
            | DriverKind::Ccnet
            | DriverKind::Ssp
            | DriverKind::TextReport => Self::Counter,
            DriverKind::Bag | DriverKind::Vessel => Self::Movements,
            DriverKind::Xray => Self::Xray,
            DriverKind::Scale => Self::Scale,
        }
    }
}

impl BridgeConfiguration {
    /// Reads and checks a station's configuration.
    ///
    /// # Errors
    /// [`ConfigurationError`].
    pub fn read(file: &Path) -> Result<Self, ConfigurationError> {
        let (text, mut configuration) = read::<Self>(file)?;
        let source = Source { file, text: &text };
        configuration.check(source)?;
        device::settle(&mut configuration, source)?;
        let base = file.parent().unwrap_or(Path::new(""));
        configuration.station.data = base.join(&configuration.station.data);
        if let Some(file) = &mut configuration.bus.password_file {
            *file = base.join(&*file);
        }
        Ok(configuration)
    }

    /// The clock it runs by.
    pub fn clock(&self) -> Clock {
        clock(self.demonstration)
    }

    /// Where the officer's page is served.
    pub fn listen(&self) -> SocketAddr {
        self.http.listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8081)))
    }

    /// Where the embedded broker listens.
    pub fn bus_listen(&self) -> SocketAddr {
        self.bus.listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 1883)))
    }

    /// When its page asks who somebody is.
    pub fn sign_in(&self) -> SignIn {
        match (self.http.open_without_sign_in, self.demonstration.is_some()) {
            (true, _) => SignIn::Open,
            (false, true) => SignIn::UntilAccounts,
            (false, false) => SignIn::Required,
        }
    }

    /// Whose law holds.
    pub fn jurisdiction(&self) -> String {
        let country = || self.station.name.country();
        self.station.jurisdiction.clone().unwrap_or_else(country)
    }

    /// Who may speak on the bus, and as what.
    pub fn profiles(&self) -> impl Iterator<Item = (&str, Profile)> {
        let own = self.devices.iter().map(|device| (device.id.as_str(), device.driver.into()));
        own.chain(self.sources.iter().map(|source| (source.id.as_str(), source.profile)))
    }

    fn check(&self, source: Source<'_>) -> Result<(), ConfigurationError> {
        let place = &self.lane.place;
        let is_code = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
        if !matches!(place.len(), 3 | 5) || !place.chars().all(is_code) {
            let problem = format!("{place:?} is neither an IATA code nor a UN/LOCODE (VVO, RUVVO)");
            return Err(source.wrong("place", problem));
        }
        let guarded = self.http.behind_tls || self.http.open_without_sign_in;
        if !self.listen().ip().is_loopback() && !guarded {
            let problem = "PINs are typed on this page, so it is served on loopback only, unless \
                           behind_tls = true says that something in front speaks TLS for it";
            return Err(source.wrong("listen", problem));
        }
        if !self.bus_listen().ip().is_loopback() {
            let problem = "the embedded broker knows no sign-in: it listens on loopback only. For \
                           devices beyond this machine, set [bus] external to a broker that does";
            return Err(source.wrong("listen", problem));
        }
        if self.bus.listen.is_some() && self.bus.external.is_some() {
            return Err(source.wrong("external", "listen is of the embedded broker: name one"));
        }
        if self.bus.user.is_some() != self.bus.password_file.is_some() {
            return Err(source.wrong("user", "user and password_file go together"));
        }
        if self.bus.user.is_some() && self.bus.external.is_none() {
            let problem = "the embedded broker knows no sign-in: a login is for [bus] external";
            return Err(source.wrong("user", problem));
        }
        if self.retention.days == 0 {
            return Err(source.wrong("days", "records stay a day at least"));
        }
        let mut known = BTreeSet::new();
        for (id, _) in self.profiles() {
            check_id(id, &mut known, source)?;
        }
        Ok(())
    }
}

/// An id is one word, and one source's.
fn check_id<'a>(
    id: &'a str,
    known: &mut BTreeSet<&'a str>,
    source: Source<'_>,
) -> Result<(), ConfigurationError> {
    if !is_device_id(id) {
        let problem = format!("{id:?} is not a device id of a-z, 0-9, '-', '_', 32 at most");
        return Err(source.wrong_value("id", id, problem));
    }
    if !known.insert(id) {
        return Err(source.wrong_value("id", id, format!("{id:?} is there twice")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::BridgeConfiguration;

    fn read(text: &str) -> Result<BridgeConfiguration, String> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("bridge.toml");
        std::fs::write(&file, text).unwrap();
        BridgeConfiguration::read(&file).map_err(|error| {
            error.to_string().replace(&directory.path().display().to_string(), "DIR")
        })
    }

    const LEAST: &str = "[station]\nname = \"ruvvo/dep-07\"\ndata = \"data\"\n\n\
        [lane]\ndirection = \"exit\"\nmode = \"air\"\nplace = \"VVO\"\n";

    #[test]
    fn the_least_configuration_listens_on_loopback() {
        let configuration = read(LEAST).unwrap();
        assert!(configuration.listen().ip().is_loopback());
        assert!(configuration.bus_listen().ip().is_loopback());
        assert_eq!(configuration.jurisdiction(), "RU");
        assert_eq!(configuration.retention.age().as_hours(), 24 * 90);
    }

    #[test]
    fn what_is_wrong_is_named_with_file_line_and_key() {
        for (text, wanted) in [
            ("\n[bus]\nlissten = \"127.0.0.1:1\"\n", "DIR/bridge.toml:11: lissten: unknown field"),
            ("\n[bus]\nlisten = \"0.0.0.0:1883\"\n", "DIR/bridge.toml:11: listen: the embedded"),
            ("\n[bus]\nuser = \"a\"\n", "DIR/bridge.toml:11: user: user and password_file go"),
            (
                "\n[bus]\nuser = \"a\"\npassword_file = \"p\"\n",
                "DIR/bridge.toml:11: user: the embedded broker knows no sign-in",
            ),
            ("\n[http]\nlisten = \"0.0.0.0:80\"\n", "DIR/bridge.toml:11: listen: PINs are"),
            ("\n[retention]\ndays = 0\n", "DIR/bridge.toml:11: days: records stay a day"),
            ("[[device]]\nid = \"mrz 1\"\ndriver = \"mrz\"\n", "DIR/bridge.toml:10: id: \"mrz 1\""),
            ("[[device]]\nid = \"mrz-1\"\ndriver = \"mrz\"\n", "needs serial"),
            ("[[device]]\nid = \"a\"\ndriver = \"iris\"\n", "DIR/bridge.toml:11: driver: unknown"),
            ("[[source]]\nid = \"a\"\nprofile = \"judge\"\n", "DIR/bridge.toml:11: profile: unkno"),
        ] {
            let error = read(&format!("{LEAST}{text}")).unwrap_err();
            assert!(error.contains(wanted), "{error}");
        }
    }

    #[test]
    fn one_id_is_one_source() {
        let twice = "[[device]]\nid = \"a\"\ndriver = \"mrz\"\nserial = \"x\"\n\
                     [[source]]\nid = \"a\"\nprofile = \"kiosk\"\n";
        assert!(read(&format!("{LEAST}{twice}")).unwrap_err().contains("\"a\" is there twice"));
    }

    #[test]
    fn the_example_configuration_is_valid() {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/bridge.toml");
        assert!(BridgeConfiguration::read(&file).is_ok());
    }
}
