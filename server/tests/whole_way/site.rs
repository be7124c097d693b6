//! A server and headquarters on this machine, as programs.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tidewaiter_server::store::Store;

/// Configurations, programs and their addresses.
pub(crate) struct Site {
    folder: tempfile::TempDir,
    agent: ureq::Agent,
    /// The session that asks; none in an open demonstration.
    token: String,
    pages: u16,
    door: u16,
    headquarters: u16,
    server: Option<Running>,
    answering: Option<Running>,
    mosquitto: Option<Running>,
}

/// A program that ends with its owner.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Site {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [pages, door, headquarters] = free_ports();
        let write = |name: &str, text: String| {
            std::fs::write(folder.path().join(name), text).unwrap();
        };
        write(
            "server.toml",
            format!(
                "[server]\nname = \"ruvvo\"\ndata = \"server\"\n\n\
                 [http]\nlisten = \"127.0.0.1:{pages}\"\n\n\
                 [broker]\nlisten = \"127.0.0.1:{door}\"\n\n\
                 [bundles]\ndirectory = \"bundles\"\n\
                 headquarters = \"headquarters/headquarters.json\"\n\n\
                 [demonstration]\nclock = \"2018-11-16T04:00:00Z\"\n"
            ),
        );
        write(
            "headquarters.toml",
            format!(
                "[headquarters]\nname = \"headquarters\"\ndata = \"headquarters\"\n\n\
                 [http]\nlisten = \"127.0.0.1:{headquarters}\"\n\n\
                 [incoming]\ndirectory = \"bundles\"\n\n\
                 [[server]]\nname = \"ruvvo\"\nkey_file = \"server/authority/bundle.pub\"\n\n\
                 [demonstration]\nclock = \"2018-11-16T04:00:00Z\"\n"
            ),
        );
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(10)))
            .http_status_as_error(false)
            .build()
            .new_agent();
        let (server, answering, mosquitto) = (None, None, None);
        let token = String::new();
        Self { folder, agent, token, pages, door, headquarters, server, answering, mosquitto }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn door(&self) -> u16 {
        self.door
    }

    pub(crate) fn enrol(&self, request: &Value) -> Value {
        let file = |name: &str| self.folder().join(name);
        std::fs::write(file("request.json"), request.to_string()).unwrap();
        let output = program()
            .args(["enrol", "--config"])
            .arg(file("server.toml"))
            .arg("--request")
            .arg(file("request.json"))
            .arg("--answer")
            .arg(file("answer.json"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_str(&std::fs::read_to_string(file("answer.json")).unwrap()).unwrap()
    }

    pub(crate) fn start_server(&mut self) {
        let config = self.folder().join("server.toml");
        self.server = Some(start(&["run"], &config));
        self.wait("the server serves", |site| site.ready(site.pages));
    }

    pub(crate) fn kill_server(&mut self) {
        self.server = None;
    }

    pub(crate) fn start_headquarters(&mut self) {
        let config = self.folder().join("headquarters.toml");
        self.answering = Some(start(&["hq", "run"], &config));
        self.wait("headquarters serves", |site| site.ready(site.headquarters));
    }

    /// Has the server use another broker, on the port where its own door would be.
    pub(crate) fn use_mosquitto(&self) {
        let file = self.folder().join("server.toml");
        let text = std::fs::read_to_string(&file).unwrap().replace(
            &format!("[broker]\nlisten = \"127.0.0.1:{}\"", self.door),
            &format!("[broker.external]\nhost = \"127.0.0.1\"\nport = {}", self.door),
        );
        std::fs::write(file, text).unwrap();
        let listener = format!("listener {} 127.0.0.1\nallow_anonymous true\n", self.door);
        std::fs::write(self.folder().join("mosquitto.conf"), listener).unwrap();
    }

    /// The same with the configuration that `config/mosquitto` has for a real site; only its paths
    /// and its port are this test's.
    pub(crate) fn use_guarded_mosquitto(&self) {
        let file = self.folder().join("server.toml");
        let text = std::fs::read_to_string(&file).unwrap().replace(
            &format!("[broker]\nlisten = \"127.0.0.1:{}\"", self.door),
            &format!(
                "[broker.external]\nhost = \"127.0.0.1\"\nport = {}\n\
                 authority = \"ca.pem\"\ncertificate = \"server.pem\"\nkey = \"server.key\"",
                self.door
            ),
        );
        std::fs::write(file, text).unwrap();
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/mosquitto");
        let configuration = std::fs::read_to_string(shipped.join("mosquitto.conf")).unwrap();
        let here = format!("{}/", self.folder().display());
        let configuration = configuration
            .replace("/etc/mosquitto/tidewaiter/", &here)
            .replace("listener 8883", &format!("listener {} 127.0.0.1", self.door));
        // Started by root it would become a user who may not read this folder.
        let configuration = configuration + "user root\n";
        std::fs::write(self.folder().join("mosquitto.conf"), configuration).unwrap();
        std::fs::copy(shipped.join("acl"), self.folder().join("acl")).unwrap();
        std::fs::copy(self.folder().join("server/authority/ca.pem"), self.folder().join("ca.pem"))
            .unwrap();
        self.certify("broker", "mqtt.example", rcgen::ExtendedKeyUsagePurpose::ServerAuth);
        self.certify("server", "tidewaiter-server", rcgen::ExtendedKeyUsagePurpose::ClientAuth);
    }

    /// That Mosquitto keeps its sessions on disk, written after every change.
    pub(crate) fn keep_sessions(&self) {
        let file = self.folder().join("mosquitto.conf");
        let text = std::fs::read_to_string(&file).unwrap();
        let kept = format!(
            "persistence true\npersistence_location {}/\nautosave_interval 1\n\
             autosave_on_changes true",
            self.folder().display()
        );
        std::fs::write(file, text.replace("persistence false", &kept)).unwrap();
    }

    /// Kills that broker; with `forgets`, what it kept is gone.
    pub(crate) fn kill_mosquitto(&mut self, forgets: bool) {
        self.mosquitto = None;
        if forgets {
            // There is none before the first write.
            let _ = std::fs::remove_file(self.folder().join("mosquitto.db"));
        }
    }

    /// A certificate of the server's authority, as the operator of a broker makes it.
    fn certify(&self, file: &str, name: &str, purpose: rcgen::ExtendedKeyUsagePurpose) {
        let authority = self.folder().join("server/authority");
        let read = |name: &str| std::fs::read_to_string(authority.join(name)).unwrap();
        let signer = rcgen::KeyPair::from_pem(&read("ca.key")).unwrap();
        let issuer = rcgen::Issuer::from_ca_cert_pem(&read("ca.pem"), signer).unwrap();
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let mut parameters = rcgen::CertificateParams::new(names).unwrap();
        parameters.distinguished_name = rcgen::DistinguishedName::new();
        parameters.distinguished_name.push(rcgen::DnType::CommonName, name);
        parameters.extended_key_usages = vec![purpose];
        let certificate = parameters.signed_by(&key, &issuer).unwrap();
        let write = |ending: &str, text: String| {
            std::fs::write(self.folder().join(format!("{file}.{ending}")), text).unwrap();
        };
        write("pem", certificate.pem());
        write("key", key.serialize_pem());
    }

    /// Starts that broker, or starts it anew.
    pub(crate) fn start_mosquitto(&mut self) {
        self.mosquitto = None;
        let child = Command::new("mosquitto")
            .arg("-c")
            .arg(self.folder().join("mosquitto.conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.mosquitto = Some(Running(child));
        self.wait("the broker listens", |site| {
            std::net::TcpStream::connect(("127.0.0.1", site.door)).ok()
        });
    }

    /// An open stream of changes.
    pub(crate) fn live(&self) -> std::net::TcpStream {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", self.pages)).unwrap();
        stream.write_all(b"GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut first = [0; 12];
        stream.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"HTTP/1.1 200");
        stream
    }

    /// Stops both programs as an operator would; gives how each ended and how long it took.
    pub(crate) fn stop(&mut self) -> Vec<(&'static str, ExitStatus, Duration)> {
        let parts = [("server", self.server.take()), ("headquarters", self.answering.take())];
        let mut ended = Vec::new();
        for (name, part) in parts {
            let mut running = part.unwrap();
            let started = Instant::now();
            let id = running.0.id().to_string();
            assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
            let status = running.0.wait().unwrap();
            ended.push((name, status, started.elapsed()));
        }
        ended
    }

    /// Makes the night's bundle and waits for headquarters' receipt at the server.
    pub(crate) fn night(&self) -> Value {
        let made = self.post("/api/v1/bundles", &json!({}));
        self.wait("the night's bundle is accepted", |site| {
            let page = site.get("/api/v1/bundles");
            let rows = page["items"].as_array().unwrap().clone();
            let row = rows.into_iter().find(|row| row["number"] == made["number"]).unwrap();
            assert_ne!(row["state"], "refused", "{row}");
            (row["state"] == "accepted").then_some(row)
        })
    }

    /// Whether the bundle checks offline, with headquarters' key at hand.
    pub(crate) fn verifies(&self, name: &str) -> bool {
        let output = program()
            .arg("verify")
            .arg(self.folder().join("bundles").join(name))
            .arg("--key")
            .arg(self.folder().join("server/authority/bundle.pub"))
            .arg("--headquarters")
            .arg(self.folder().join("headquarters"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains("0 failed") || !output.status.success(), "{said}");
        output.status.success()
    }

    /// The messages that the server refused, oldest first: reason and topic.
    pub(crate) async fn refused(&self) -> Vec<(String, String)> {
        let store = Store::open(&self.folder().join("server/server.sqlite")).await.unwrap();
        let mut rows = store.quarantined(5000).await.unwrap();
        store.close().await;
        rows.reverse();
        rows.into_iter().map(|row| (row.reason, row.topic)).collect()
    }

    /// Asks by this session from now on.
    pub(crate) fn speak_as(&mut self, token: &str) {
        token.clone_into(&mut self.token);
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    /// Posts; gives the answer, nothing where there is none.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        let asked = self.agent.post(format!("http://127.0.0.1:{}{path}", self.pages));
        let answer = asked.header("Authorization", self.bearer()).send_json(body);
        let mut answer = answer.unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        assert!(answer.status().is_success(), "{path}: {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        serde_json::from_str(&self.text(path)).unwrap()
    }

    pub(crate) fn text(&self, path: &str) -> String {
        self.read(self.pages, path)
    }

    pub(crate) fn headquarters(&self, path: &str) -> Value {
        serde_json::from_str(&self.headquarters_text(path)).unwrap()
    }

    pub(crate) fn headquarters_text(&self, path: &str) -> String {
        self.read(self.headquarters, path)
    }

    fn read(&self, port: u16, path: &str) -> String {
        let asked = self.agent.get(format!("http://127.0.0.1:{port}{path}"));
        let mut answer = asked.header("Authorization", self.bearer()).call().unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        assert_eq!(answer.status(), 200, "{path}: {text}");
        text
    }

    fn ready(&self, port: u16) -> Option<()> {
        let answer = self.agent.get(format!("http://127.0.0.1:{port}/readyz")).call().ok()?;
        (answer.status() == 200).then_some(())
    }

    /// Asks until there is an answer.
    pub(crate) fn wait<T>(&self, what: &str, ask: impl Fn(&Self) -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            if let Some(answer) = ask(self) {
                return answer;
            }
            assert!(started.elapsed() < LIMIT, "{what}: not within {LIMIT:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

pub(crate) fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_tidewaiter-server"))
}

fn start(arguments: &[&str], config: &PathBuf) -> Running {
    let child = program()
        .args(arguments)
        .arg("--config")
        .arg(config)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    Running(child)
}

/// Ports that nobody uses now, all different.
fn free_ports<const N: usize>() -> [u16; N] {
    let held: Vec<TcpListener> =
        (0..N).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    std::array::from_fn(|index| held[index].local_addr().unwrap().port())
}

pub(crate) const LIMIT: Duration = Duration::from_secs(30);
