// A server on its first day, as its people meet it: setup code, first administrator, an account for
// a supervisor, a password of one's own, a second factor, wrong answers, signing out.
import { createHmac } from "node:crypto";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync, openSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { expect, finish, launch } from "./common.mjs";

const [program, port, pictures] = [process.argv[2], Number(process.argv[3]), process.argv[4]];
const home = `http://127.0.0.1:${port}`;
const secret = "grey heron at low tide";

const folder = mkdtempSync(join(tmpdir(), "tidewaiter-people-"));
writeFileSync(join(folder, "server.toml"), `[server]\nname = "ruvvo"\ndata = "data"\n
[http]\nlisten = "127.0.0.1:${port}"\n[broker]\nlisten = "127.0.0.1:${port + 1}"\n`);
const log = join(folder, "log");
const out = openSync(log, "a");
const server = spawn(program, ["run", "--config", join(folder, "server.toml")],
  { stdio: ["ignore", out, out] });
const browser = await launch();

function code(base32, step) {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...base32].map((c) => letters.indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const hash = createHmac("sha1", key).update(counter).digest();
  const at = hash[19] & 15;
  return String((hash.readUInt32BE(at) & 0x7fffffff) % 1000000).padStart(6, "0");
}

async function signIn(page, account, password, second = "") {
  await page.goto(`${home}/sign-in`);
  await page.fill("#account", account);
  await page.fill("#password", password);
  await page.fill("#code", second);
  await page.click("main form button");
  await page.waitForLoadState("load");
}

try {
  let found = null;
  for (let tries = 0; tries < 100 && !found; tries += 1) {
    found = readFileSync(log, "utf8").match(/([A-Z2-9]{5}-){4}[A-Z2-9]{5}/);
    if (!found) await new Promise((done) => setTimeout(done, 100));
  }
  expect("the first start shows a setup code", found !== null);
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  const problems = [];
  page.on("console", (message) => {
    if (message.type() === "error" && !/status of 4/.test(message.text())) problems.push(message.text());
  });

  await page.goto(`${home}/alerts/any`);
  expect("everything leads to the setup", new URL(page.url()).pathname === "/setup");
  await page.screenshot({ path: `${pictures}/setup-light-1280.png` });
  const setUp = async (setup, password) => {
    for (const [id, value] of Object.entries({ setup, account: "root-1", name: "Marina Sokolova",
      password, again: password })) await page.fill(`#${id}`, value);
    await page.click("main form button");
    await page.waitForLoadState("load");
  };
  await setUp("AAAAA-BBBBB-CCCCC-DDDDD-EEEEE", secret);
  expect("another code is refused", await page.locator("#setup-problem").isVisible());
  expect("no password is written back", await page.inputValue("#password") === "");
  await setUp(found[0].toLowerCase(), "Password2026!");
  expect("what anybody tries first is refused", await page.locator("#password-problem").isVisible());
  await setUp(found[0].toLowerCase(), secret);
  expect("then one signs in", new URL(page.url()).pathname === "/sign-in");

  await signIn(page, "root-1", "not the password");
  expect("a wrong password is refused", await page.locator("#account-problem").isVisible());
  await signIn(page, "root-1", secret);
  const text = await page.innerText("body");
  expect("who is signed in stands on the page", text.includes("Marina Sokolova"));
  expect("an administrator is shown no alerts", !/Alerts/.test(await page.innerText("nav")));
  const answer = await page.goto(`${home}/inspections`);
  expect("nor gets at inspections", answer.status() === 403);

  await page.goto(`${home}/people`);
  for (const [id, value] of Object.entries({ account: "s-1", name: "Ольга Ким", sites: "ruvvo" }))
    await page.fill(`#${id}`, value);
  await page.check('input[value="supervisor"]');
  await page.click("main form button");
  await page.waitForLoadState("load");
  const first = (await page.innerText(".notice-good code")).trim();
  await page.screenshot({ path: `${pictures}/people-light-1280.png`, fullPage: true });
  await page.goto(`${home}/account`);
  await page.click('form[action="/sign-out"] button');
  await page.waitForLoadState("load");
  const cookies = await context.cookies();
  expect("signing out leaves no session", !cookies.some((cookie) => cookie.name === "__Host-sid"));

  await signIn(page, "s-1", first);
  expect("a given password is changed first", new URL(page.url()).pathname === "/account/password");
  await page.goto(`${home}/`);
  expect("before anything else", new URL(page.url()).pathname === "/account/password");
  for (const [id, value] of [["old", first], ["password", secret], ["again", secret]])
    await page.fill(`#${id}`, value);
  await page.click("main form button");
  await page.waitForLoadState("load");
  await signIn(page, "s-1", secret);
  expect("a supervisor sees the queue", new URL(page.url()).pathname === "/");
  const cookie = (await context.cookies()).find((one) => one.name === "__Host-sid");
  expect("the session's cookie is for this host, out of reach of scripts",
    cookie?.httpOnly && cookie.secure && cookie.sameSite === "Strict");

  await page.goto(`${home}/account`);
  const key = (await page.inputValue('input[name="secret"]')).trim();
  const step = () => Math.floor(Date.now() / 30000);
  const used = step();
  await page.fill("#code", code(key, used));
  await page.click('form[action="/account/factor"] button');
  await page.waitForLoadState("load");
  expect("the second factor is in use", await page.locator("section .notice-good").isVisible());
  await page.screenshot({ path: `${pictures}/account-light-1280.png`, fullPage: true });
  await page.click('form[action="/sign-out"] button');
  await page.waitForLoadState("load");
  await signIn(page, "s-1", secret);
  expect("a code is asked for", await page.locator("#code-problem").isVisible());
  await page.screenshot({ path: `${pictures}/sign-in-light-1280.png` });
  await signIn(page, "s-1", secret, code(key, used));
  expect("a used code is refused", await page.locator("#account-problem").isVisible());
  await signIn(page, "s-1", secret, code(key, used + 1));
  expect("the next one is not", new URL(page.url()).pathname === "/");

  let said = "";
  for (let wrong = 0; wrong < 12 && !/seconds/.test(said); wrong += 1) {
    await signIn(page, "root-1", "not the password");
    said = await page.innerText("#account-problem");
  }
  expect("wrong answers lock out", /seconds/.test(said));

  const narrow = await browser.newContext({ viewport: { width: 800, height: 480 }, colorScheme: "dark" });
  const small = await narrow.newPage();
  await small.goto(`${home}/sign-in`);
  for (const key of ["s-1", secret]) {
    if (key === "s-1") await small.focus("#account");
    await small.keyboard.type(key);
    await small.keyboard.press("Tab");
  }
  await small.keyboard.press("Enter");
  await small.waitForSelector("#code-problem", { timeout: 10000 }).catch(() => {});
  expect("by keyboard alone", await small.locator("#code-problem").isVisible());
  await small.screenshot({ path: `${pictures}/sign-in-dark-800.png` });
  expect(`no errors in the console: ${problems.join("; ")}`, problems.length === 0);
} finally {
  await browser.close();
  server.kill("SIGTERM");
  rmSync(folder, { recursive: true, force: true });
}
finish();
