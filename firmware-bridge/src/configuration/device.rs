//! Devices in configuration: instances (`[[device]]`) and what devices of one kind have in common
//! (`[[profile]]`), in the station's file and in every `devices/*.toml` beside it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tidewaiter_program::configuration::{ConfigurationError, Source, read};

use super::{BridgeConfiguration, check_id};
use crate::driver::text_report::Layout;

/// A device that this agent reads itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceConfig {
    /// Its id on the bus.
    pub id: String,
    /// What it is.
    pub driver: DriverKind,
    /// The profile whose settings it has, by name.
    #[serde(default)]
    pub profile: Option<String>,
    /// Its serial port.
    #[serde(default)]
    pub serial: Option<PathBuf>,
    /// Speed of the serial port, in baud; the profile's, else 9600.
    #[serde(default)]
    pub baud: Option<u32>,
    /// Parity of the serial port; the profile's, else none.
    #[serde(default)]
    pub parity: Option<Parity>,
    /// Data bits of the serial port, 7 or 8; the profile's, else 8.
    #[serde(default)]
    pub data_bits: Option<u8>,
    /// Stop bits of the serial port, 1 or 2; the profile's, else the driver's.
    #[serde(default)]
    pub stop_bits: Option<u8>,
    /// Its address, `HOST:PORT`.
    #[serde(default)]
    pub tcp: Option<String>,
    /// The keyboard that it pretends to be (`/dev/input/by-id/…`); taken from the desktop.
    #[serde(default)]
    pub wedge: Option<PathBuf>,
    /// The directory that it writes results into.
    #[serde(default)]
    pub directory: Option<PathBuf>,
    /// The broker and topic that it publishes results on.
    #[serde(default)]
    pub mqtt: Option<MqttSource>,
    /// Its address, `ws://…` or `wss://…`.
    #[serde(default)]
    pub url: Option<String>,
    /// The host that is asked for its address (XFS4IoT service discovery): `HOST`, all ports of
    /// the standard, or `HOST:PORT`.
    #[serde(default)]
    pub discover: Option<String>,
    /// The authority that its certificate is from, a PEM file; `wss://` needs one.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// Who counts with it, when it does not say so itself.
    #[serde(default)]
    pub officer: Option<String>,
    /// What becomes of notes that a counter calls stained.
    #[serde(default)]
    pub inked: Inked,
    /// How its printed reports are laid out; its profile's.
    #[serde(skip)]
    pub report: Option<Layout>,
}

/// What becomes of stained notes. The standard calls them genuine; a dye pack that went off is
/// evidence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Inked {
    /// They are money, and said.
    #[default]
    Count,
    /// They are held back with the suspect ones.
    Hold,
}

/// Where a device of others publishes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MqttSource {
    /// `HOST:PORT` of the broker.
    pub broker: String,
    /// The topic, or a filter of topics.
    pub topic: String,
}

/// What devices of one kind have in common.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceProfile {
    /// Its name.
    pub name: String,
    /// The driver it is for.
    pub driver: DriverKind,
    /// Speed of the serial port, in baud.
    #[serde(default)]
    pub baud: Option<u32>,
    /// Parity of the serial port.
    #[serde(default)]
    pub parity: Option<Parity>,
    /// Data bits of the serial port, 7 or 8.
    #[serde(default)]
    pub data_bits: Option<u8>,
    /// Stop bits of the serial port, 1 or 2.
    #[serde(default)]
    pub stop_bits: Option<u8>,
    /// How printed reports are laid out.
    #[serde(default)]
    pub report: Option<Layout>,
}

/// The bit that a serial port adds to each byte, to see one that was turned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parity {
    /// No such bit.
    None,
    /// The ones are even with it.
    Even,
    /// The ones are odd with it.
    Odd,
}

/// What a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriverKind {
    /// A reader of machine-readable zones.
    Mrz,
    /// A scanner of boarding passes.
    BoardingPass,
    /// A note counter that speaks XFS4IoT.
    NoteCounter,
    /// An X-ray station that sends its results.
    Xray,
    /// A note validator that speaks CCNET.
    Ccnet,
    /// A note validator that speaks SSP.
    Ssp,
    /// A scale: MT-SICS, or Toledo's continuous output.
    Scale,
    /// Bag tags and baggage messages.
    Bag,
    /// A receiver of ships' AIS.
    Vessel,
    /// A note counter that prints reports.
    TextReport,
}

/// The file of `devices/`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DevicesFile {
    #[serde(default, rename = "device")]
    devices: Vec<DeviceConfig>,
    #[serde(default, rename = "profile")]
    profiles: Vec<DeviceProfile>,
}

impl DeviceConfig {
    /// A device of this kind that is reached by nothing yet.
    pub fn new(id: &str, driver: DriverKind) -> Self {
        Self {
            id: id.to_owned(),
            driver,
            profile: None,
            serial: None,
            baud: None,
            parity: None,
            data_bits: None,
            stop_bits: None,
            tcp: None,
            wedge: None,
            directory: None,
            mqtt: None,
            url: None,
            discover: None,
            ca: None,
            officer: None,
            inked: Inked::default(),
            report: None,
        }
    }

    /// Where it can be reached, by key.
    fn addresses(&self) -> impl Iterator<Item = &'static str> {
        [
            ("serial", self.serial.is_some()),
            ("tcp", self.tcp.is_some()),
            ("wedge", self.wedge.is_some()),
            ("directory", self.directory.is_some()),
            ("mqtt", self.mqtt.is_some()),
            ("url", self.url.is_some()),
            ("discover", self.discover.is_some()),
        ]
        .into_iter()
        .filter_map(|(key, there)| there.then_some(key))
    }

    fn check(&self, source: Source<'_>) -> Result<(), ConfigurationError> {
        let wanted = self.driver.addresses();
        let wrong =
            |problem: String| Err(source.wrong_value("id", &self.id, format!("device {problem}")));
        let mut addresses = self.addresses();
        let fits = addresses.next().is_some_and(|key| wanted.contains(&key));
        if !fits || addresses.next().is_some() {
            let wanted = wanted.join(" or ");
            return wrong(format!("{:?} needs {wanted}, and no other address", self.id));
        }
        for (key, bits, allowed) in
            [("data_bits", self.data_bits, [7, 8]), ("stop_bits", self.stop_bits, [1, 2])]
        {
            if let Some(bits) = bits.filter(|bits| !allowed.contains(bits)) {
                let [few, many] = allowed;
                return wrong(format!("{:?}: {key} is {bits}; {few} or {many}", self.id));
            }
        }
        let secure = self.url.as_ref().is_some_and(|url| url.starts_with("wss://"));
        if secure && self.ca.is_none() {
            return wrong(format!("{:?} needs ca, the authority of its certificate", self.id));
        }
        if self.driver == DriverKind::TextReport && self.report.is_none() {
            let problem = "needs a profile with a report: how its printer lays it out";
            return wrong(format!("{:?} {problem}", self.id));
        }
        Ok(())
    }

    /// Takes what its profile says.
    fn adopt(
        &mut self,
        profiles: &[DeviceProfile],
        source: Source<'_>,
    ) -> Result<(), ConfigurationError> {
        let Some(name) = self.profile.as_deref() else { return Ok(()) };
        let wrong = |problem| Err(source.wrong_value("profile", name, problem));
        let Some(profile) = profiles.iter().find(|profile| profile.name == name) else {
            return wrong(format!("there is no profile {name:?}"));
        };
        if profile.driver != self.driver {
            return wrong(format!("profile {name:?} is for another driver"));
        }
        self.baud = self.baud.or(profile.baud);
        self.parity = self.parity.or(profile.parity);
        self.data_bits = self.data_bits.or(profile.data_bits);
        self.stop_bits = self.stop_bits.or(profile.stop_bits);
        self.report.clone_from(&profile.report);
        Ok(())
    }

    /// Relative paths are relative to the file.
    fn root(&mut self, base: &Path) {
        let paths = [&mut self.serial, &mut self.wedge, &mut self.directory, &mut self.ca];
        for path in paths.into_iter().flatten() {
            *path = base.join(&*path);
        }
    }
}

impl DriverKind {
    /// Its name in configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mrz => "mrz",
            Self::BoardingPass => "boarding_pass",
            Self::NoteCounter => "note_counter",
            Self::Xray => "xray",
            Self::Ccnet => "ccnet",
            Self::Ssp => "ssp",
            Self::Scale => "scale",
            Self::Bag => "bag",
            Self::Vessel => "vessel",
            Self::TextReport => "text_report",
        }
    }

    /// Keys of the addresses that a device of this kind may have.
    fn addresses(self) -> &'static [&'static str] {
        match self {
            Self::Mrz | Self::BoardingPass => &["serial", "wedge", "tcp"],
            Self::Bag => &["serial", "wedge", "tcp"],
            Self::Vessel | Self::TextReport => &["serial", "tcp"],
            Self::NoteCounter => &["url", "discover"],
            Self::Xray => &["tcp", "mqtt", "directory"],
            Self::Ccnet | Self::Ssp | Self::Scale => &["serial"],
        }
    }
}

/// Adds what `devices/*.toml` beside the file says, then gives every device its profile's
/// settings and checks it. A profile of one file holds for the devices of all.
pub(super) fn settle(
    configuration: &mut BridgeConfiguration,
    source: Source<'_>,
) -> Result<(), ConfigurationError> {
    let base = source.file.parent().unwrap_or(Path::new(""));
    let mut read_files = Vec::new();
    for file in device_files(&base.join("devices"))? {
        let (text, devices) = read::<DevicesFile>(&file)?;
        read_files.push((file, text, devices));
    }
    let mut profiles = configuration.device_profiles.clone();
    profiles.extend(read_files.iter().flat_map(|(_, _, read)| read.profiles.iter().cloned()));
    let settled = |devices: &mut Vec<DeviceConfig>, source: Source<'_>| {
        for device in devices {
            device.adopt(&profiles, source)?;
            device.check(source)?;
            device.root(source.file.parent().unwrap_or(Path::new("")));
        }
        Ok::<(), ConfigurationError>(())
    };
    settled(&mut configuration.devices, source)?;
    for (file, text, devices) in &mut read_files {
        let source = Source { file, text };
        settled(&mut devices.devices, source)?;
        let mut known: BTreeSet<&str> = configuration.profiles().map(|(id, _)| id).collect();
        for device in &devices.devices {
            check_id(&device.id, &mut known, source)?;
        }
        configuration.devices.append(&mut devices.devices);
    }
    Ok(())
}

/// The files of a directory, by name; none where there is no directory.
fn device_files(directory: &Path) -> Result<Vec<PathBuf>, ConfigurationError> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => {
            return Err(ConfigurationError::Unreadable { file: directory.to_owned(), source });
        }
    };
    let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
    let mut files: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::super::BridgeConfiguration;
    use super::Parity;

    const STATION: &str = "[station]\nname = \"ruvvo/dep-07\"\ndata = \"data\"\n\n\
        [lane]\ndirection = \"exit\"\nmode = \"air\"\nplace = \"VVO\"\n";

    /// Reads a station with these files of devices.
    fn read(files: &[(&str, &str)]) -> Result<BridgeConfiguration, String> {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("devices")).unwrap();
        for (name, text) in files {
            std::fs::write(directory.path().join("devices").join(name), text).unwrap();
        }
        let file = directory.path().join("bridge.toml");
        std::fs::write(&file, STATION).unwrap();
        BridgeConfiguration::read(&file).map_err(|error| {
            error.to_string().replace(&directory.path().display().to_string(), "DIR")
        })
    }

    const DESK: &str = "[[device]]\nid = \"scale-1\"\ndriver = \"scale\"\nprofile = \"desk\"\n\
        serial = \"tty\"\n";

    #[test]
    fn profiles_and_instances_may_stand_in_files_of_their_own() {
        let profile = "[[profile]]\nname = \"desk\"\ndriver = \"scale\"\nbaud = 4800\n\
            parity = \"even\"\ndata_bits = 7\n";
        let station = read(&[("a.toml", DESK), ("b.toml", profile)]).unwrap();
        let device = &station.devices[0];
        assert_eq!((device.id.as_str(), device.baud), ("scale-1", Some(4800)));
        assert_eq!((device.parity, device.data_bits), (Some(Parity::Even), Some(7)));
        assert!(device.serial.as_ref().unwrap().ends_with("devices/tty"));
    }

    #[test]
    fn what_is_wrong_in_a_file_of_devices_is_named_with_file_line_and_key() {
        let other = "[[profile]]\nname = \"desk\"\ndriver = \"mrz\"\n";
        let twice = format!("{}{}", DESK.replace("profile = \"desk\"\n", ""), DESK);
        for (files, wanted) in [
            (&[("a.toml", DESK)] as &[_], "DIR/devices/a.toml:4: profile: there is no profile"),
            (&[("a.toml", DESK), ("b.toml", other)], "DIR/devices/a.toml:4: profile: profile"),
            (&[("a.toml", "\n[[device]]\nidd = 1\n")], "DIR/devices/a.toml:3: idd: unknown field"),
            (
                &[("a.toml", "[[device]]\nid = \"x\"\ndriver = \"xray\"\nserial = \"t\"\n")],
                "DIR/devices/a.toml:2: id: device \"x\" needs tcp or mqtt or directory",
            ),
            (
                &[(
                    "a.toml",
                    "[[device]]\nid = \"c\"\ndriver = \"note_counter\"\nurl = \"wss://h\"\n",
                )],
                "DIR/devices/a.toml:2: id: device \"c\" needs ca",
            ),
            (
                &[(
                    "a.toml",
                    "[[device]]\nid = \"s\"\ndriver = \"scale\"\nserial = \"t\"\nstop_bits = 3\n",
                )],
                "DIR/devices/a.toml:2: id: device \"s\": stop_bits is 3; 1 or 2",
            ),
            (
                &[("a.toml", "[[device]]\nid = \"t\"\ndriver = \"text_report\"\nserial = \"t\"\n")],
                "DIR/devices/a.toml:2: id: device \"t\" needs a profile with a report",
            ),
            (
                &[(
                    "a.toml",
                    "[[profile]]\nname = \"p\"\ndriver = \"text_report\"\n[profile.report]\n\
                note = '('\ntotal = 'T'\n",
                )],
                "DIR/devices/a.toml:4: ",
            ),
            (
                &[("a.toml", &twice.replace("profile = \"desk\"\n", ""))],
                "DIR/devices/a.toml:2: id: \"scale-1\" is there twice",
            ),
        ] {
            let error = read(files).unwrap_err();
            assert!(error.contains(wanted), "{error}, not {wanted}");
        }
    }
}
