// The supervisor's path as a newcomer would try it: find the shoe box, see why, hold, gather a case,
// take it out; every page of the desk looked at by axe, in both themes and at two widths.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { execFileSync } from "node:child_process";
import process from "node:process";
import { expect, finish, launch } from "./common.mjs";

const [port, pictures, server, key] = [Number(process.argv[2]), process.argv[3], process.argv[4], process.argv[5]];
const desk = `http://127.0.0.1:${port}`;
const station = `http://127.0.0.1:${port + 1}/`;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

const browser = await launch();

async function looked(page, name) {
  await page.evaluate(axe);
  const found = await page.evaluate((only) => globalThis.axe.run(document, { runOnly: only }), tags);
  const said = found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(" ")).slice(0, 3).join(", ")}`);
  expect(`${name}: axe finds nothing: ${said.join("; ")}`, said.length === 0);
}

async function open(path, name, scheme, width) {
  const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme: scheme });
  const page = await context.newPage();
  const problems = [];
  page.on("console", (message) => { if (message.type() === "error") problems.push(message.text()); });
  page.on("pageerror", (error) => problems.push(String(error)));
  const answer = await page.goto(desk + path, { waitUntil: "load" });
  expect(`${path} answers`, answer.ok());
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
  expect(`${name} fits ${width} px`, !wide);
  await looked(page, `${name} ${scheme} ${width}`);
  await page.screenshot({ path: `${pictures}/${name}-${scheme}-${width}.png`, fullPage: true });
  expect(`${name} has no errors in its console: ${problems.join("; ")}`, problems.length === 0);
  return page;
}

async function told(path, body) {
  const answer = await fetch(desk + path, body && {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
  });
  return answer.json();
}

// The shoe box: of all alerts the one about undeclared cash that is gravest.
const alerts = await told("/api/v1/alerts?code=undeclared_cash&limit=1");
const box = alerts.items[0];
expect("the shoe box is in the queue", /192,300/.test(box.reasons[0].text));

// A hold: the officer's page shows it while nobody loads it again.
const officer = await (await browser.newContext()).newPage();
await officer.goto(station);
const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
const page = await context.newPage();
await page.goto(`${desk}/alerts/${box.id}`);
await page.fill("#order-text", "the desk decides within ten minutes");
await page.click("button[value=hold]");
await page.waitForURL(/\/alerts\//);
expect("the order stands beside the alert", /Hold the traveller/.test(await page.innerText("#orders")));
let shown = false;
for (let tries = 0; tries < 40 && !shown; tries += 1) {
  await new Promise((wait) => setTimeout(wait, 250));
  shown = (await told(`/api/v1/alerts/${box.id}`)).orders.some((order) => order.shown_at);
}
expect("the station's own record says that the order was shown", shown);

// A case: gathered, taken out, verified offline with the public key alone.
await page.fill("#case-title", "The shoe box");
await page.getByRole("button", { name: "Open a case file" }).click();
await page.waitForURL(/\/cases\//);
const place = new URL(page.url()).pathname;
await page.fill("#reason", "for the court");
const [download] = await Promise.all([page.waitForEvent("download"), page.click("form[action$='/export'] button")]);
const file = `${pictures}/case.json`;
await download.saveAs(file);
const verify = (name) => {
  try {
    return execFileSync(server, ["verify", name, "--key", key], { encoding: "utf8" });
  } catch (error) {
    return String(error.stdout);
  }
};
expect(`the case verifies:\n${verify(file)}`, /^\d+ passed, 0 failed$/m.test(verify(file)));
const altered = `${pictures}/case-altered.json`;
writeFileSync(altered, readFileSync(file, "utf8").replaceAll("1923", "1924"));
expect("an altered case does not", /FAIL signature/.test(verify(altered)));

// Search, in two scripts.
for (const name of ["kim", "192300", "JS272"]) {
  await page.goto(`${desk}/search?q=${encodeURIComponent(name)}`);
  expect(`something is found for ${name}`, (await page.locator("main table a, main .log a").count()) > 0);
}

for (const scheme of ["light", "dark"]) {
  for (const width of [1280, 800]) {
    for (const [path, name] of [["/", "desk"], ["/?together=rule", "desk-rules"], [`/alerts/${box.id}`, "alert"],
      ["/inspections", "inspections"], ["/search?q=JS272", "search"], ["/cases", "cases"], [place, "case"],
      ["/figures?from=2018-01-01&to=2030-01-01", "figures"], ["/stations", "stations"], ["/bundles", "bundles"]]) {
      const one = await open(path, name, scheme, width);
      await one.context().close();
    }
  }
}

// No mouse: j, x, a take the first alert; ? opens the list of keys; / goes to the search field.
await page.goto(`${desk}/?state=new`);
await page.keyboard.press("j");
expect("j goes to an alert", (await page.locator("[data-item][aria-current]").count()) === 1);
await page.keyboard.press("x");
expect("x picks it", (await page.locator("[data-item] input:checked").count()) === 1);
await page.keyboard.press("x");
await page.keyboard.press("?");
await looked(page, "the list of keys, open");
await page.keyboard.press("Escape");
await page.keyboard.press("/");
expect("/ goes to the search field", await page.evaluate(() => document.activeElement?.id === "text"));

await browser.close();
finish();
