//! What a station may say in MQTT 5: connect in its own name, publish its own batches and state,
//! subscribe to what is for it. The broker behind has no such rules of its own.

use tidewaiter_proto::station::StationId;
use tidewaiter_proto::topic::Topic;
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::broker::PACKET_BYTES_MAX;

/// Watches the packets of one station.
#[derive(Clone, Debug)]
pub struct Guard {
    station: String,
    publishes: [String; 2],
    subscribes: [String; 2],
}

/// Why a packet is not let through.
#[derive(Debug, thiserror::Error)]
pub enum PacketError {
    /// No CONNECT in time.
    #[error("no CONNECT came in time")]
    Late,
    /// Larger than any packet that a station needs.
    #[error("a packet of {0} bytes, {PACKET_BYTES_MAX} at most")]
    TooLarge(usize),
    /// Not MQTT 5 as it is written.
    #[error("the packet's {0} is not valid")]
    Malformed(&'static str),
    /// The client id is not the station's name.
    #[error("the client id {0:?} is not the name in the certificate")]
    ClientId(String),
    /// A topic that is not the station's.
    #[error("the topic {0:?} is not this station's to use")]
    Topic(String),
    /// The connection broke within a packet.
    #[error("the connection ended within a packet")]
    Broken(#[source] std::io::Error),
}

/// Reads one whole packet with its fixed header; `None` at the end of the stream.
///
/// # Errors
/// [`PacketError`].
pub async fn read_packet(
    reader: &mut (impl AsyncRead + Unpin),
) -> Result<Option<Vec<u8>>, PacketError> {
    let mut first = [0; 1];
    if reader.read(&mut first).await.map_err(PacketError::Broken)? == 0 {
        return Ok(None);
    }
    let mut packet = first.to_vec();
    let (mut length, mut shift) = (0usize, 0u32);
    loop {
        let byte = reader.read_u8().await.map_err(PacketError::Broken)?;
        packet.push(byte);
        length |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
        shift += 7;
        if shift > 21 {
            return Err(PacketError::Malformed("remaining length"));
        }
    }
    if length > PACKET_BYTES_MAX {
        return Err(PacketError::TooLarge(length));
    }
    let start = packet.len();
    packet.resize(start + length, 0);
    let rest = packet.get_mut(start..).unwrap_or_default();
    reader.read_exact(rest).await.map_err(PacketError::Broken)?;
    Ok(Some(packet))
}

impl Guard {
    /// The guard of one station.
    pub fn new(station: &StationId) -> Self {
        Self {
            station: station.to_string(),
            publishes: [
                Topic::Up(station.clone()).to_string(),
                Topic::State(station.clone()).to_string(),
            ],
            subscribes: [Topic::Down(station.clone()).to_string(), Topic::Policy.to_string()],
        }
    }

    /// Checks a CONNECT and gives it back with the login that the broker wants to see.
    ///
    /// # Errors
    /// [`PacketError`].
    pub fn connect(&self, packet: &[u8], secret: &str) -> Result<Vec<u8>, PacketError> {
        let mut rest = body(packet, CONNECT)?;
        if rest.text("protocol")? != "MQTT" || rest.byte("protocol")? != 5 {
            return Err(PacketError::Malformed("protocol: MQTT 5 is expected"));
        }
        let flags = rest.byte("flags")?;
        if flags & (USER | PASSWORD) != 0 {
            return Err(PacketError::Malformed("login: the certificate is the login"));
        }
        let keep_alive = rest.take(2, "keep alive")?;
        let properties = rest.properties()?;
        let client_id = rest.text("client id")?;
        if client_id != self.station {
            return Err(PacketError::ClientId(client_id.chars().take(64).collect()));
        }
        let will = rest.bytes;
        if flags & WILL != 0 {
            rest.properties()?;
            self.may_publish(rest.text("will topic")?)?;
            let length = rest.number("will")?;
            rest.take(length, "will")?;
        }
        if !rest.bytes.is_empty() {
            return Err(PacketError::Malformed("length"));
        }
        let mut out = Vec::with_capacity(packet.len() + 128);
        push_text(&mut out, "MQTT");
        out.extend([5, flags | USER | PASSWORD]);
        out.extend(keep_alive);
        push_length(&mut out, properties.len());
        out.extend(properties);
        // The embedded broker takes no '/' in a client id; no station has a '.' in its name.
        push_text(&mut out, &client_id.replace('/', "."));
        out.extend(will);
        push_text(&mut out, &self.station);
        push_text(&mut out, secret);
        let mut whole = vec![CONNECT << 4];
        push_length(&mut whole, out.len());
        whole.extend(out);
        Ok(whole)
    }

    /// Checks any later packet.
    ///
    /// # Errors
    /// [`PacketError`]; then the connection is to be ended.
    pub fn check(&self, packet: &[u8]) -> Result<(), PacketError> {
        match packet.first().map(|byte| byte >> 4) {
            Some(PUBLISH) => {
                let mut rest = body(packet, PUBLISH)?;
                let topic = rest.text("topic")?;
                // An empty topic stands for an alias, which an allowed topic has set before.
                if topic.is_empty() { Ok(()) } else { self.may_publish(topic) }
            }
            Some(SUBSCRIBE) => {
                let mut rest = body(packet, SUBSCRIBE)?;
                rest.take(2, "packet id")?;
                rest.properties()?;
                while !rest.bytes.is_empty() {
                    let filter = rest.text("filter")?;
                    rest.byte("options")?;
                    if !self.subscribes.iter().any(|allowed| allowed == filter) {
                        return Err(PacketError::Topic(filter.chars().take(100).collect()));
                    }
                }
                Ok(())
            }
            Some(CONNECT) | None => Err(PacketError::Malformed("type: a second CONNECT")),
            Some(_) => Ok(()),
        }
    }

    fn may_publish(&self, topic: &str) -> Result<(), PacketError> {
        if self.publishes.iter().any(|allowed| allowed == topic) {
            return Ok(());
        }
        Err(PacketError::Topic(topic.chars().take(100).collect()))
    }
}

/// The part of a packet after its fixed header.
fn body(packet: &[u8], kind: u8) -> Result<Rest<'_>, PacketError> {
    let mut rest = Rest { bytes: packet };
    if rest.byte("type")? >> 4 != kind {
        return Err(PacketError::Malformed("type"));
    }
    let length = rest.length()?;
    if rest.bytes.len() != length {
        return Err(PacketError::Malformed("length"));
    }
    Ok(rest)
}

struct Rest<'a> {
    bytes: &'a [u8],
}

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize, field: &'static str) -> Result<&'a [u8], PacketError> {
        let (taken, rest) =
            self.bytes.split_at_checked(count).ok_or(PacketError::Malformed(field))?;
        self.bytes = rest;
        Ok(taken)
    }

    fn byte(&mut self, field: &'static str) -> Result<u8, PacketError> {
        self.take(1, field)?.first().copied().ok_or(PacketError::Malformed(field))
    }

    fn number(&mut self, field: &'static str) -> Result<usize, PacketError> {
        let (high, low) = (self.byte(field)?, self.byte(field)?);
        Ok(usize::from(u16::from_be_bytes([high, low])))
    }

    fn text(&mut self, field: &'static str) -> Result<&'a str, PacketError> {
        let length = self.number(field)?;
        std::str::from_utf8(self.take(length, field)?).map_err(|_| PacketError::Malformed(field))
    }

    fn length(&mut self) -> Result<usize, PacketError> {
        let mut length = 0;
        for shift in [0, 7, 14, 21] {
            let byte = self.byte("length")?;
            length |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(length);
            }
        }
        Err(PacketError::Malformed("length"))
    }

    fn properties(&mut self) -> Result<&'a [u8], PacketError> {
        let length = self.length()?;
        self.take(length, "properties")
    }
}

fn push_text(out: &mut Vec<u8>, text: &str) {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    out.extend(length.to_be_bytes());
    out.extend(text.bytes().take(usize::from(length)));
}

fn push_length(out: &mut Vec<u8>, mut length: usize) {
    loop {
        let byte = u8::try_from(length & 0x7f).unwrap_or(0);
        length >>= 7;
        if length == 0 {
            out.push(byte);
            return;
        }
        out.push(byte | 0x80);
    }
}

const CONNECT: u8 = 1;
const PUBLISH: u8 = 3;
const SUBSCRIBE: u8 = 8;
const WILL: u8 = 0x04;
const PASSWORD: u8 = 0x40;
const USER: u8 = 0x80;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Guard, PacketError, push_length, push_text, read_packet};

    fn guard() -> Guard {
        Guard::new(&"ruvvo/dep-07".parse().unwrap())
    }

    fn framed(kind: u8, body: &[u8]) -> Vec<u8> {
        let mut packet = vec![kind << 4];
        push_length(&mut packet, body.len());
        packet.extend(body);
        packet
    }

    fn connect(client: &str, will: Option<&str>) -> Vec<u8> {
        let mut body = Vec::new();
        push_text(&mut body, "MQTT");
        body.extend([5, if will.is_some() { 0x2e } else { 0x02 }, 0, 30, 0]);
        push_text(&mut body, client);
        if let Some(topic) = will {
            body.push(0);
            push_text(&mut body, topic);
            push_text(&mut body, "gone");
        }
        framed(1, &body)
    }

    #[test]
    fn a_connect_goes_on_with_the_brokers_login() {
        let packet = connect("ruvvo/dep-07", Some("tidewaiter/v1/ruvvo/dep-07/state"));
        let out = guard().connect(&packet, "secret").unwrap();
        assert_eq!(out[9] & 0xc0, 0xc0);
        assert!(out.ends_with(b"\0\x0cruvvo/dep-07\0\x06secret"));
        assert_eq!(usize::from(out[1]), out.len() - 2);
        assert!(out.windows(14).any(|part| part == b"\0\x0cruvvo.dep-07"));
    }

    #[test]
    fn a_connect_in_another_name_or_with_a_foreign_will_is_refused() {
        let other = guard().connect(&connect("ruvvo/dep-08", None), "secret");
        assert!(matches!(other, Err(PacketError::ClientId(_))));
        let will = connect("ruvvo/dep-07", Some("tidewaiter/v1/ruvvo/dep-08/state"));
        assert!(matches!(guard().connect(&will, "secret"), Err(PacketError::Topic(_))));
    }

    #[test]
    fn a_station_publishes_on_its_own_topics_only() {
        let publish = |topic: &str| {
            let mut body = Vec::new();
            push_text(&mut body, topic);
            body.extend([0, 1, 0]);
            guard().check(&framed(3, &body))
        };
        assert!(publish("tidewaiter/v1/ruvvo/dep-07/up").is_ok());
        assert!(publish("tidewaiter/v1/ruvvo/dep-07/state").is_ok());
        assert!(publish("").is_ok());
        for topic in ["tidewaiter/v1/ruvvo/dep-08/up", "tidewaiter/v1/ruvvo/dep-07/down", "x"] {
            assert!(publish(topic).is_err(), "{topic}");
        }
    }

    #[test]
    fn a_station_hears_what_is_for_it_only() {
        let subscribe = |filters: &[&str]| {
            let mut body = vec![0, 1, 0];
            for filter in filters {
                push_text(&mut body, filter);
                body.push(1);
            }
            guard().check(&framed(8, &body))
        };
        assert!(subscribe(&["tidewaiter/v1/ruvvo/dep-07/down", "tidewaiter/v1/policy"]).is_ok());
        assert!(subscribe(&["tidewaiter/v1/policy", "#"]).is_err());
        assert!(subscribe(&["tidewaiter/v1/+/+/down"]).is_err());
        assert!(subscribe(&["$share/tidewaiter/tidewaiter/v1/+/+/up"]).is_err());
    }

    #[tokio::test]
    async fn a_packet_beyond_all_measure_is_refused_before_it_is_read() {
        let mut bytes: &[u8] = &[0x30, 0xff, 0xff, 0xff, 0x7f];
        assert!(matches!(read_packet(&mut bytes).await, Err(PacketError::TooLarge(_))));
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = guard().check(&bytes);
            let _ = guard().connect(&bytes, "secret");
        }

        #[test]
        fn any_length_reads_back(length in 0usize..60_000) {
            let packet = framed(13, &vec![0; length]);
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let read = runtime.block_on(read_packet(&mut packet.as_slice())).unwrap();
            prop_assert_eq!(read, Some(packet));
        }
    }
}
