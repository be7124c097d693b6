// The pictures of the README, from a checkpoint that runs (`cargo demo`): 1280 px wide, light and
// dark, WebP, none over 150 KB.
//     cargo demo &                                  # until "stay open until" is printed
//     tests/browser/pictures 8080 docs/pictures     # the desk's port, where to
import { writeFileSync } from "node:fs";
import process from "node:process";
import { expect, finish, launch } from "./common.mjs";

const [port, folder] = [Number(process.argv[2]), process.argv[3]];
const desk = `http://127.0.0.1:${port}`;
const answer = await fetch(`${desk}/api/v1/alerts?code=undeclared_cash&limit=1`);
const [box] = (await answer.json()).items;
const LARGEST = 150_000;

const browser = await launch();
for (const scheme of ["light", "dark"]) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: scheme });
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  for (const [address, name] of [
    [`http://127.0.0.1:${port + 1}/`, "station"], [`${desk}/`, "desk"], [`${desk}/alerts/${box.id}`, "alert"],
    [`${desk}/figures?from=2018-10-01&to=2018-11-30`, "figures"], [`http://127.0.0.1:${port + 2}/`, "headquarters"],
  ]) {
    await page.goto(address, { waitUntil: "load" });
    const { data } = await session.send("Page.captureScreenshot", { format: "webp", quality: 88 });
    const bytes = Buffer.from(data, "base64");
    expect(`${name} ${scheme} has ${bytes.length} bytes`, bytes.length <= LARGEST);
    writeFileSync(`${folder}/${name}-${scheme}.webp`, bytes);
  }
  await context.close();
}
await browser.close();
finish();
