// Scores pairs as a person would and prints what it found, by topic, as one JSON object.

import { Browser, axe } from "./browser.mjs";

const asked = JSON.parse(process.argv[2]);
const found = { looked: [], accessibility: [], width: [], judged: [], stray: [] };
const SEQUENCE = [["ArrowRight", "right"], ["1", "left"], ["2", "right"], ["t", "tie"], ["b", "both_bad"], ["s", "skip"], ["ArrowLeft", "left"], ["T", "tie"]];

const browser = await Browser.start(asked);
const page = await browser.page({ origins: [new URL(asked.url).origin] });
page.setDefaultTimeout(15_000);

const text = (selector) => page.locator(selector).innerText();
const pairIs = (number) => page.locator("#pair-count", { hasText: new RegExp(`^pair ${number}\\b`) }).waitFor();

async function look(state) {
  for (const [scheme, width] of [["light", 1280], ["dark", 360]]) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height: 800 });
    found.accessibility.push(...(await axe(page)).map((one) => `${state}, ${scheme}: ${one}`));
    const wide = await tooWide();
    if (wide > 0) found.width.push(`${state}: ${wide} px too wide`);
    found.looked.push(`${state}, ${scheme}`);
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 1280, height: 800 });
}

const tooWide = () => page.evaluate(() => Math.max(document.documentElement.scrollWidth - innerWidth,
  ...[...document.querySelectorAll("main > section:not([hidden]) .panel")].map((one) => Math.ceil(one.getBoundingClientRect().right) - innerWidth)));

const shot = (name) => page.screenshot({ path: `${asked.shots}/page-${name}.png` });

async function name() {
  await page.goto(asked.url); // the monitor's page leads there
  await page.click("#scoring");
  await page.locator("#name").waitFor();
  await look("name");
  await page.keyboard.type("Ann s1t"); // keys of verdicts, too
  await page.fill("#name", "Ann");
  await page.keyboard.press("Enter");
  await pairIs(1);
}

async function shoot() {
  await page.setViewportSize({ width: 1280, height: 860 });
  await shot("scoring");
  await page.setViewportSize({ width: 390, height: 844 });
  await page.emulateMedia({ colorScheme: "dark" });
  await shot("scoring-phone");
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 1280, height: 800 });
}

/** The first pair by its button, then the rest by keys; what was shown is noted down. */
async function score() {
  await page.locator("#verdicts button", { hasText: "Tie" }).click();
  await pairIs(2);
  for (const [at, [key, verdict]] of SEQUENCE.slice(0, asked.plain).entries()) {
    const one = { number: Number((await text("#prompt")).split(" ")[1]), left: await text("#left"), right: await text("#right"), verdict };
    if (at === 0) await undo(one);
    else await page.keyboard.press(key);
    await pairIs(at + 3);
    found.judged.push(one);
  }
}

/** Says left, goes back, says right. */
async function undo(one) {
  const before = await text("#prompt");
  await page.keyboard.press("ArrowLeft");
  await pairIs(3);
  found.focus = await page.evaluate(() => [document.activeElement.id, document.getElementById("announced").textContent]);
  const waited = await text("#prompt");
  await page.keyboard.press("u");
  await pairIs(2);
  const shown = await text("#prompt");
  const said = await text("#pair-count");
  const pressed = await page.locator("#verdicts [aria-pressed=true]").getAttribute("data-verdict");
  await page.keyboard.press("ArrowRight");
  await pairIs(3);
  found.undone = { before, waited, shown, said, pressed, after: await text("#prompt") };
}

/** Keys that are no verdict: held down, with a modifier, or where keys were switched off. */
async function stray() {
  const before = await text("#prompt");
  const posts = [];
  const note = (request) => (request.method() === "POST" ? posts.push(request.postData()) : null);
  page.on("request", note);
  await page.evaluate(() => document.dispatchEvent(new KeyboardEvent("keydown", { key: "t", repeat: true, bubbles: true })));
  await page.keyboard.press("Control+1");
  await page.keyboard.press("Alt+2");
  await page.keyboard.press("x");
  await page.click("#keys");
  await page.keyboard.press("t");
  await page.click("#keys");
  await page.evaluate(() => new Promise((done) => setTimeout(done, 100)));
  page.off("request", note);
  found.stray.push(...posts);
  if ((await text("#prompt")) !== before) found.stray.push("another pair is shown");
}

async function hostile() {
  const result = { seen: 0, hacked: null, elements: [], wide: [] };
  const first = asked.plain + 2;
  for (let number = first; number < first + asked.hostile; number += 1) {
    await pairIs(number);
    for (const width of [1280, 360]) {
      await page.setViewportSize({ width, height: 800 });
      const wide = await tooWide();
      if (wide > 0) result.wide.push(`pair ${number} at ${width}: ${wide} px`);
      if (number === first && (await page.locator("#prompt", { hasText: "hostile 0" }).count()) !== 1) result.wide.push("it is another pair");
    }
    await page.click("#plain");
    await page.hover("#left");
    result.elements.push(...await page.evaluate(() => [...document.querySelectorAll(".text *")]
      .filter((one) => !/^(P|H[3-6]|UL|OL|LI|PRE|CODE|STRONG|EM|DEL|HR|BLOCKQUOTE|TABLE|THEAD|TBODY|TR|TH|TD|SPAN)$/.test(one.tagName)
        || [...one.attributes].some(({ name }) => !["class", "scope", "start"].includes(name))).map((one) => one.outerHTML.slice(0, 200))));
    await page.click("#plain");
    await page.setViewportSize({ width: 1280, height: 800 });
    result.seen += 1;
    await page.keyboard.press("t");
  }
  result.hacked = await page.evaluate(() => window.hacked ?? null);
  found.hostile = result;
}

async function done() {
  await page.locator("#done-title", { hasText: "Nothing to score" }).waitFor();
  await look("done");
  found.tally = await text("#scorer");
  await page.request.post(`${asked.url}/more`);
  await page.click("#again");
  await page.locator("#view-pair").waitFor({ timeout: 40_000 }); // the page may be looking by itself just then
  found.more = await text("#prompt");
}

async function remembered() {
  await page.reload();
  await pairIs(1);
  found.remembered = await text("#scorer");
}

/** What markdown.js makes of texts, as HTML; and that it comes to an end, with every word there. */
async function markdown() {
  found.markdown = await page.evaluate(async (texts) => {
    const { markdown } = await import("/static/markdown.js");
    const shown = document.createElement("div");
    return texts.map((one) => {
      shown.replaceChildren(...markdown(one));
      return shown.innerHTML;
    });
  }, asked.markdown);
  found.endless = await page.evaluate(async (texts) => {
    const { markdown } = await import("/static/markdown.js");
    return texts.filter(([before, unit, after]) => {
      const one = before + unit.repeat(400_000 / unit.length) + after;
      const letters = (words) => words.replace(/[^a-z]/g, "").length;
      return markdown(one).map((element) => letters(element.textContent)).reduce((sum, size) => sum + size, 0) === letters(one);
    }).length;
  }, asked.endless);
}

async function failed() {
  const before = await text("#prompt");
  await page.route("**/verdicts", (route) => route.abort());
  await page.keyboard.press("t");
  await page.locator("#problem", { hasText: "try again" }).waitFor();
  found.failed = { before, after: await text("#prompt"), said: await text("#problem") };
  await page.unroute("**/verdicts");
}

try {
  await name();
  if (asked.shots) await shoot();
  await look("pair");
  await score();
  await stray();
  await hostile();
  await done();
  await remembered();
  await markdown();
  found.complaints = [...browser.complaints]; // the next one has a complaint of its own
  await failed();
} catch (error) {
  throw new Error(`the page shows ${await page.locator("main").innerText()}; complaints: ${browser.complaints}`, { cause: error });
} finally {
  await browser.close();
}
console.log(JSON.stringify(found));
