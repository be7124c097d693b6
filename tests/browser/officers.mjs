// A checkpoint whose people sign in: a server with accounts, its station, and headquarters. The
// officer signs in at the station with a badge, with the server gone too; is locked after a wrong
// PIN too many; is revoked, and out at the next contact. And the authority's own sign-in.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { provider } from "./provider.mjs";
import { expect, finish, launch } from "./common.mjs";

const [programs, first, pictures] = [process.argv[2], Number(process.argv[3]), process.argv[4]];
const port = (number) => first + number;
const desk = `http://127.0.0.1:${port(0)}`;
const lane = `http://127.0.0.1:${port(2)}`;
const hq = `http://127.0.0.1:${port(4)}`;
const secret = "grey heron at low tide";
const pin = "730418";
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
async function until(what, ask) {
  for (let tries = 0; tries < 150; tries += 1) {
    const found = await ask();
    if (found) return found;
    await wait(200);
  }
  throw new Error(`never so: ${what}`);
}

const folder = mkdtempSync(join(tmpdir(), "tidewaiter-officers-"));
const file = (name) => join(folder, name);
const outside = provider(port(6), "tidewaiter");
writeFileSync(file("server.toml"), `[server]\nname = "ruvvo"\ndata = "server"\n
[http]\nlisten = "127.0.0.1:${port(0)}"\n[broker]\nlisten = "127.0.0.1:${port(1)}"
[bundles]\ndirectory = "bundles"\nheadquarters = "hq/headquarters.json"
[sign_in.oidc]\nissuer = "${outside.issuer}"\nclient_id = "tidewaiter"
redirect = "${desk}/sign-in/return"
[[sign_in.oidc.group]]\nname = "desk"\nsite = "ruvvo"\nrole = "supervisor"\n`);
writeFileSync(file("bridge.toml"), `[station]\nname = "ruvvo/dep-07"\ndata = "bridge"\n
[lane]\ndirection = "exit"\nmode = "air"\nplace = "VVO"
[http]\nlisten = "127.0.0.1:${port(2)}"\n[bus]\nlisten = "127.0.0.1:${port(3)}"\n`);
writeFileSync(file("hq.toml"), `[headquarters]\nname = "headquarters"\ndata = "hq"\n
[http]\nlisten = "127.0.0.1:${port(4)}"\n[incoming]\ndirectory = "bundles"
[[server]]\nname = "ruvvo"\nkey_file = "server/authority/bundle.pub"\n`);

const running = [];
function start(program, log, ...words) {
  const out = openSync(file(log), "a");
  const child = spawn(join(programs, program), words, { stdio: ["ignore", out, out], cwd: folder });
  running.push(child);
  return child;
}
function run(program, ...words) {
  const done = spawnSync(join(programs, program), words, { cwd: folder, encoding: "utf8" });
  if (done.status !== 0) throw new Error(`${program} ${words.join(" ")}: ${done.stderr}`);
}
const code = (log) => until(`a setup code in ${log}`, () =>
  readFileSync(file(log), "utf8").match(/([A-Z2-9]{5}-){4}[A-Z2-9]{5}/)?.[0]);

const browser = await launch();
const problems = [];
async function reader(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  page.on("console", (message) => {
    if (message.type() === "error" && !/status of [45]|ERR_/.test(message.text())) {
      problems.push(message.text());
    }
  });
  return page;
}
async function send(page, form, fields) {
  for (const [id, value] of Object.entries(fields)) await page.fill(`${form} #${id}`, value);
  await page.click(`${form} button`);
  await page.waitForLoadState("load");
}
async function signIn(page, home, account, password) {
  await page.goto(`${home}/sign-in`);
  await send(page, "main form", { account, password });
}
async function badgeIn(page, account, number) {
  await page.goto(`${lane}/sign-in`);
  await send(page, "main form", { account, pin: number });
}
const path = (page) => new URL(page.url()).pathname;

try {
  let server = start("tidewaiter-server", "server.log", "run", "--config", "server.toml");
  const setup = await code("server.log");
  start("tidewaiter-server", "hq.log", "hq", "run", "--config", "hq.toml");
  run("tidewaiter-bridge", "enrol", "--config", "bridge.toml", "--request", "request.json");
  run("tidewaiter-server", "enrol", "--config", "server.toml", "--request", "request.json",
    "--answer", "answer.json");
  run("tidewaiter-bridge", "enrol", "--config", "bridge.toml", "--answer", "answer.json");
  start("tidewaiter-bridge", "bridge.log", "run", "--config", "bridge.toml");

  const office = await reader();
  await office.goto(`${desk}/setup`);
  await send(office, "main form", { setup, account: "root-1", name: "Marina Sokolova",
    password: secret, again: secret });
  await signIn(office, desk, "root-1", secret);
  const make = async (account, name, role) => {
    await office.goto(`${desk}/people`);
    for (const [id, value] of Object.entries({ account, name, sites: "ruvvo" })) {
      await office.fill(`#${id}`, value);
    }
    await office.check(`input[value="${role}"]`);
    await office.click("main form button");
    await office.waitForLoadState("load");
    const given = (await office.innerText(".notice-good code")).trim();
    const own = await reader();
    await signIn(own, desk, account, given);
    await send(own, "main form", { old: given, password: secret, again: secret });
    await signIn(own, desk, account, secret);
    return own;
  };
  const officer = await make("o-11", "Андрей Пак", "officer");
  await officer.goto(`${desk}/account`);
  await send(officer, 'form[action="/account/pin"]', { pin: "123456", "pin-again": "123456",
    badge: "0412-7788", password: secret });
  expect("a PIN that anybody tries is refused", await officer.locator("#pin-problem").isVisible());
  await officer.screenshot({ path: `${pictures}/account-pin-light-1280.png`, fullPage: true });
  await send(officer, 'form[action="/account/pin"]', { pin, "pin-again": pin, badge: "0412-7788",
    password: secret });
  expect("a good one is taken", path(officer) === "/account"
    && await officer.locator("#pin-problem").count() === 0);

  const station = await reader();
  await station.goto(`${lane}/`);
  expect("the station asks who is there", path(station) === "/sign-in");
  await until("the accounts are at the station", async () => {
    await badgeIn(station, "o-11", pin);
    return path(station) === "/";
  });
  expect("the officer is signed in by account", (await station.innerText("body")).includes("Андрей Пак"));
  await station.screenshot({ path: `${pictures}/station-signed-in-light-1280.png` });
  await station.goto(`${lane}/account`);
  await station.click('form[action="/sign-out"] button');
  await station.waitForLoadState("load");
  expect("and out", path(station) === "/sign-in");

  // Without the network: the server is gone.
  server.kill("SIGTERM");
  await new Promise((done) => server.once("exit", done));
  await badgeIn(station, "0412 7788", pin);
  expect("without the server, by badge", path(station) === "/");
  const other = await reader({ viewport: { width: 800, height: 480 }, colorScheme: "dark" });
  await badgeIn(other, "o-11", "999999");
  expect("a wrong PIN is refused", await other.locator("#account-problem").isVisible());
  await other.screenshot({ path: `${pictures}/station-sign-in-dark-800.png` });
  let said = "";
  for (let wrong = 0; wrong < 10 && !/seconds/.test(said); wrong += 1) {
    await badgeIn(other, "o-11", "999999");
    said = await other.innerText("#account-problem");
  }
  expect("wrong PINs lock out", /seconds/.test(said));
  await station.goto(`${lane}/inspections`);
  expect("who is signed in stays", path(station) === "/inspections");

  // The server is back; the officer is dismissed; the station hears of it.
  server = start("tidewaiter-server", "server.log", "run", "--config", "server.toml");
  await until("the server is back", async () => (await fetch(`${desk}/healthz`).catch(() => null))?.ok);
  await office.goto(`${desk}/people/o-11`);
  await office.fill("#reason", "left the service");
  await office.click('button[value="end"]');
  await office.waitForLoadState("load");
  await until("the revocation is at the station", async () => {
    await station.goto(`${lane}/inspections`);
    return path(station) === "/sign-in";
  });
  expect("who is dismissed is out at the next contact", path(station) === "/sign-in");
  await badgeIn(station, "o-11", pin);
  expect("and does not come in again", path(station) === "/sign-in");

  // The authority's own sign-in.
  const olga = await reader();
  await olga.goto(`${desk}/sign-in`);
  await olga.screenshot({ path: `${pictures}/sign-in-outside-light-1280.png` });
  const go = async (group) => {
    await olga.goto(`${desk}/sign-in`);
    await olga.click('a[href^="/sign-in/outside"]');
    await olga.click(`#${group}`);
    await olga.waitForLoadState("load");
  };
  await go("canteen");
  expect("a group without a role does not get in", path(olga) === "/sign-in/return"
    && !(await olga.innerText("body")).includes("olga.kim"));
  await go("desk");
  await until("she arrives", () => path(olga) === "/");
  expect("a group with a role does", (await olga.innerText("body")).includes("olga.kim"));
  await olga.goto(`${desk}/matters`);
  await olga.screenshot({ path: `${pictures}/matters-light-1280.png`, fullPage: true });

  // Headquarters has people of its own.
  const head = await reader();
  await head.goto(`${hq}/`);
  expect("headquarters asks too", path(head) === "/setup");
  await send(head, "main form", { setup: await code("hq.log"), account: "hq-root", name: "Head",
    password: secret, again: secret });
  await signIn(head, hq, "hq-root", secret);
  expect("an administrator of headquarters sees people, no bundles", path(head) === "/people");
  await head.screenshot({ path: `${pictures}/hq-people-light-1280.png`, fullPage: true });
  const dark = await reader({ viewport: { width: 800, height: 1000 }, colorScheme: "dark" });
  await signIn(dark, desk, "root-1", secret);
  await dark.goto(`${desk}/people`);
  await dark.screenshot({ path: `${pictures}/people-dark-800.png`, fullPage: true });
  await dark.goto(`${desk}/account`);
  await dark.screenshot({ path: `${pictures}/account-dark-800.png`, fullPage: true });
  expect(`no errors in the console: ${problems.join("; ")}`, problems.length === 0);
} catch (error) {
  expect(`the path goes to its end: ${error.stack ?? error}`, false);
  for (const log of ["server.log", "bridge.log", "hq.log"]) {
    try { console.error(`${log}\n${readFileSync(file(log), "utf8").slice(-2000)}`); } catch { /* none */ }
  }
} finally {
  await browser.close();
  outside.close();
  for (const child of running) child.kill("SIGTERM");
  await wait(1000);
  rmSync(folder, { recursive: true, force: true });
}
finish();
