//! The configurations of a checkpoint on one machine, as files in its folder.

use std::fs;
use std::path::Path;

use anyhow::Result;

use super::{Ports, STATION};

/// Writes all three; `bus` is the port of an external broker for the station.
pub(super) fn write(folder: &Path, ports: Ports, clock: &str, bus: Option<u16>) -> Result<()> {
    let demonstration = format!("\n[demonstration]\nclock = \"{clock}\"\n");
    fs::write(folder.join("server.toml"), server(ports) + &demonstration)?;
    fs::write(folder.join("headquarters.toml"), headquarters(ports) + &demonstration)?;
    fs::write(folder.join("bridge.toml"), bridge(folder, ports, bus) + &demonstration)?;
    Ok(())
}

fn server(ports: Ports) -> String {
    format!(
        r#"[server]
name = "ruvvo"
data = "server"

[http]
listen = "127.0.0.1:{pages}"

[broker]
listen = "127.0.0.1:{door}"

[bundles]
directory = "bundles"
headquarters = "headquarters/headquarters.json"
"#,
        pages = ports.server(),
        door = ports.stations_door(),
    )
}

fn headquarters(ports: Ports) -> String {
    format!(
        r#"[headquarters]
name = "headquarters"
data = "headquarters"

[http]
listen = "127.0.0.1:{pages}"

[incoming]
directory = "bundles"

[[server]]
name = "ruvvo"
key_file = "server/authority/bundle.pub"
"#,
        pages = ports.headquarters(),
    )
}

fn bridge(folder: &Path, ports: Ports, bus: Option<u16>) -> String {
    let bus = match bus {
        Some(port) => format!("external = \"127.0.0.1:{port}\""),
        None => format!("listen = \"127.0.0.1:{}\"", ports.bus()),
    };
    let link = |name: &str| folder.join(name).display().to_string();
    format!(
        r#"[station]
name = "{STATION}"
data = "bridge"

[lane]
direction = "exit"
mode = "air"
place = "VVO"

[http]
listen = "127.0.0.1:{pages}"

[bus]
{bus}

[[device]]
id = "mrz-1"
driver = "mrz"
serial = "{reader}"

[[device]]
id = "pass-1"
driver = "boarding_pass"
serial = "{scanner}"

[[device]]
id = "counter-1"
driver = "note_counter"
url = "ws://127.0.0.1:{counter}"
officer = "o-11"

[[device]]
id = "xray-1"
driver = "xray"
tcp = "127.0.0.1:{xray}"

[[source]]
id = "kiosk-1"
profile = "kiosk"
"#,
        pages = ports.station(),
        reader = link("mrz-1.tty"),
        scanner = link("pass-1.tty"),
        counter = ports.counter(),
        xray = ports.xray(),
    )
}
