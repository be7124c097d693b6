//! Vector files: bytes of a device with what must come of them.
//!
//! A stream vector is fed whole, byte by byte, and split at random; all three must give the same.
//! A file of a protocol that is not decoded here fails, one without `vectors` (a schema) is passed
//! over.

use jiff::civil::Date;
use serde_json::Value;

use crate::ccnet::Ccnet;
use crate::cctalk::{BillEvents, Cctalk, Check as CheckOf};
use crate::decode::{self, either};
use crate::delimited::{Delimited, Framing, Symbology, split_aim};
use crate::ebds::Ebds;
use crate::id003::Id003;
use crate::llrp::Llrp;
use crate::mrz::{self, rows_of};
use crate::scale::Toledo;
use crate::ssp::Ssp;
use crate::stream::{Codec, ToJson, parse_hex};
use crate::transport::{Flight, ais, is_imo_number, paxlst};
use crate::xfs4iot::NoteTypes;
use crate::{bag, bcbp, gpio, scale, translit, xray};

/// What came of one vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Its id.
    pub id: String,
    /// What differs; `None` when nothing does.
    pub differs: Option<String>,
}

/// Why a file is no vector file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VectorError {
    /// Not JSON.
    #[error("not JSON: {0}")]
    Json(String),
    /// A protocol that is not decoded here.
    #[error("protocol {0:?} is not decoded")]
    Protocol(String),
}

/// Runs a file; `None` for one without vectors. `seed` is that of the random splits.
///
/// # Errors
/// [`VectorError`].
pub fn run(text: &str, seed: u64) -> Result<Option<Vec<Outcome>>, VectorError> {
    let file: Value =
        serde_json::from_str(text).map_err(|error| VectorError::Json(error.to_string()))?;
    let Some(vectors) = file.get("vectors").and_then(Value::as_array) else { return Ok(None) };
    let protocol = file.get("protocol").and_then(Value::as_str).unwrap_or_default();
    let check: fn(&Value, &mut Splitter, &mut NoteTypes) -> Check = match protocol {
        "icao9303_mrz" => |vector, _, _| mrz_rows(vector),
        "icao9303_transliteration" => |vector, _, _| transliterated(vector),
        "iata_bcbp" => |vector, _, _| boarding_pass(vector),
        "delimited_text" => |vector, splitter, _| delimited(vector, splitter),
        "xfs4iot" => |vector, _, types| counter(vector, types),
        "baggage.xray.result/1" => |vector, _, _| scan(vector),
        "iata_lpn_and_bim" => |vector, _, _| bag_tag(vector),
        "ssp" => |vector, splitter, _| stream(vector, splitter, Ssp::new).map(drop),
        "ccnet" => |vector, splitter, _| stream(vector, splitter, Ccnet::codec).map(drop),
        "cctalk" => |vector, splitter, _| coin(vector, splitter),
        "id003" => |vector, splitter, _| stream(vector, splitter, Id003::codec).map(drop),
        "ebds" => |vector, splitter, _| stream(vector, splitter, Ebds::codec).map(drop),
        "scales" => |vector, splitter, _| weighed(vector, splitter),
        "llrp" => |vector, splitter, _| stream(vector, splitter, Llrp::new).map(drop),
        "gpio_debounce" => |vector, _, _| button(vector),
        "transport_context" => |vector, _, _| carried(vector),
        other => return Err(VectorError::Protocol(other.to_owned())),
    };
    let mut splitter = Splitter(seed);
    let mut types = NoteTypes::new();
    let outcomes = vectors
        .iter()
        .enumerate()
        .map(|(number, vector)| {
            let id = vector.get("id").and_then(Value::as_str);
            Outcome {
                id: id.map_or_else(|| format!("#{number}"), str::to_owned),
                differs: check(vector, &mut splitter, &mut types).err(),
            }
        })
        .collect();
    Ok(Some(outcomes))
}

/// What differs.
type Check = Result<(), String>;

/// Where bytes are split; from a seed, so that a failure can be run again.
struct Splitter(u64);

impl Splitter {
    /// From 1 to 8.
    fn next(&mut self) -> usize {
        // xorshift64: any spread will do.
        self.0 |= 1;
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % 8).unwrap_or(0).saturating_add(1)
    }
}

fn field<'a>(vector: &'a Value, name: &str) -> Result<&'a Value, String> {
    vector.get(name).ok_or_else(|| format!("the vector has no {name:?}"))
}

fn text<'a>(vector: &'a Value, name: &str) -> Result<&'a str, String> {
    field(vector, name)?.as_str().ok_or_else(|| format!("{name:?} is no text"))
}

fn same(how: &str, found: &Value, wanted: &Value) -> Check {
    if alike(found, wanted) { Ok(()) } else { Err(format!("{how}: {found} instead of {wanted}")) }
}

/// The same value; numbers by value (`3` is `3.0`), and `"*"` is any text.
fn alike(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::String(_), Value::String(any)) if any == "*" => true,
        (Value::Number(found), Value::Number(wanted)) => {
            found == wanted || found.as_f64() == wanted.as_f64()
        }
        (Value::Array(found), Value::Array(wanted)) => {
            found.len() == wanted.len() && found.iter().zip(wanted).all(|(f, w)| alike(f, w))
        }
        (Value::Object(found), Value::Object(wanted)) => {
            let agrees = |(name, value): (&String, &Value)| {
                found.get(name).is_some_and(|found| alike(found, value))
            };
            found.len() == wanted.len() && wanted.iter().all(agrees)
        }
        _ => found == wanted,
    }
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn mrz_rows(vector: &Value) -> Check {
    let rows = strings(field(vector, "lines")?);
    same("read", &either(mrz::parse(&rows)), field(vector, "expect")?)
}

fn transliterated(vector: &Value) -> Check {
    let found = translit::transliterate(text(vector, "text")?);
    same("written", &found.into(), field(vector, "expect")?)
}

fn boarding_pass(vector: &Value) -> Check {
    let scanned = text(vector, "text")?;
    same("read", &decode::pass(scanned), field(vector, "expect")?)?;
    let Some(date) = vector.get("date") else { return Ok(()) };
    let day = text(date, "day")?.parse().map_err(|_| "no day".to_owned())?;
    let reference: Date = text(date, "ref")?.parse().map_err(|_| "no reference day".to_owned())?;
    let found = bcbp::nearest_date(day, reference).map(|date| date.to_string());
    same("date", &found.into(), field(date, "expect")?)
}

fn delimited(vector: &Value, splitter: &mut Splitter) -> Check {
    let config = field(vector, "config")?;
    let byte = |value: &Value| value.as_u64().and_then(|byte| u8::try_from(byte).ok());
    let limit = config.get("max").or_else(|| config.get("limit")).and_then(Value::as_u64);
    let framing = Framing {
        start: config.get("start").and_then(byte),
        end: field(config, "end")?.as_array().into_iter().flatten().filter_map(byte).collect(),
        limit: limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(Framing::LIMIT),
    };
    let found = stream(vector, splitter, || Delimited::new(framing.clone()))?;
    let texts: Vec<&str> =
        found.iter().filter_map(|item| item.pointer("/frame/text")?.as_str()).collect();
    if let Some(lines) = vector.get("lines") {
        let rows: Vec<&str> = texts.iter().flat_map(|text| rows_of(text)).collect();
        same("rows", &rows.into(), lines)?;
    }
    if let Some(aim) = vector.get("aim") {
        let (symbology, rest) = split_aim(texts.first().copied().unwrap_or_default());
        let symbology = symbology.map(Symbology::name);
        same("identifier", &serde_json::json!([symbology, rest]), aim)?;
    }
    Ok(())
}

/// Feeds a stream vector in its three ways; gives what it found.
fn stream<C: Codec>(
    vector: &Value,
    splitter: &mut Splitter,
    codec: impl Fn() -> C,
) -> Result<Vec<Value>, String> {
    let bytes = parse_hex(text(vector, "hex")?).ok_or("the hex is none")?;
    let wanted = field(vector, "expect")?;
    let flush = vector.get("flush").and_then(Value::as_bool).unwrap_or(false);
    let feed = |how: &str, next: &mut dyn FnMut() -> usize| -> Result<Vec<Value>, String> {
        let (mut codec, mut items) = (codec(), Vec::new());
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let (part, after) = rest.split_at(next().min(rest.len()));
            items.extend(codec.feed(part));
            rest = after;
        }
        if flush {
            items.extend(codec.idle());
        }
        let found: Vec<Value> = items.iter().map(ToJson::to_json).collect();
        same(how, &found.clone().into(), wanted)?;
        Ok(found)
    };
    // What a shared line gives in pieces may depend on the pieces.
    if vector.get("chunked").and_then(Value::as_bool).unwrap_or(true) {
        feed("byte by byte", &mut || 1)?;
        let seed = splitter.0;
        feed(&format!("split at random, seed {seed}"), &mut || splitter.next())?;
    }
    feed("whole", &mut || usize::MAX)
}

fn counter(vector: &Value, types: &mut NoteTypes) -> Check {
    let message = field(vector, "message")?.to_string();
    same("read", &decode::message(&message, types), field(vector, "expect")?)
}

fn scan(vector: &Value) -> Check {
    let line = field(vector, "message")?.to_string();
    same("read", &either(xray::parse(&line)), field(vector, "expect")?)
}

fn bag_tag(vector: &Value) -> Check {
    let read = text(vector, "text")?;
    let found = match text(vector, "kind")? {
        "lpn" => either(bag::Lpn::parse(read)),
        "bim" => either(bag::parse_message(read)),
        other => return Err(format!("{other:?} is neither plate nor message")),
    };
    same("read", &found, field(vector, "expect")?)
}

fn coin(vector: &Value, splitter: &mut Splitter) -> Check {
    let crc = vector.get("mode").and_then(Value::as_str) == Some("crc");
    let echo = match vector.get("echo") {
        Some(_) => parse_hex(text(vector, "echo")?).ok_or("the echo is no hex")?,
        None => Vec::new(),
    };
    let found = stream(vector, splitter, || {
        let mut codec = Cctalk::new(if crc { CheckOf::Crc } else { CheckOf::Simple });
        codec.sent(&echo);
        codec
    })?;
    let Some(events) = vector.get("bill_events") else { return Ok(()) };
    let data = found.iter().find_map(|item| item.pointer("/frame/data")?.as_str());
    let data = data.and_then(parse_hex).ok_or("no frame with data")?;
    let last = events.get("last").and_then(Value::as_u64).and_then(|last| u8::try_from(last).ok());
    let read = BillEvents::read(&data, last.ok_or("no last counter")?);
    let read = read.map_or(Value::Null, |events| events.to_json());
    same("events", &read, field(events, "expect")?)
}

fn weighed(vector: &Value, splitter: &mut Splitter) -> Check {
    if vector.get("hex").is_some() {
        return stream(vector, splitter, Toledo::codec).map(drop);
    }
    let found = either(scale::parse_sics(text(vector, "text")?));
    same("read", &found, field(vector, "expect")?)
}

fn button(vector: &Value) -> Check {
    let edges: Vec<(u64, u8)> = serde_json::from_value(field(vector, "edges")?.clone())
        .map_err(|error| format!("no edges: {error}"))?;
    let events = gpio::recording(edges.into_iter().map(|(at_ms, level)| (at_ms, level != 0)));
    let found: Vec<Value> = events.iter().map(ToJson::to_json).collect();
    same("done", &found.into(), field(vector, "expect")?)
}

fn carried(vector: &Value) -> Check {
    let read = text(vector, "text")?;
    let found = match text(vector, "kind")? {
        "nmea" => either(ais::parse(read)),
        "imo" => is_imo_number(read).into(),
        "flight" => either(Flight::parse(read)),
        "paxlst" => either(paxlst::parse(read)),
        other => return Err(format!("{other:?} is no kind of transport")),
    };
    same("read", &found, field(vector, "expect")?)
}
