// Visits every view of both pages and prints what it found, by topic, as one JSON object.
//
//   node visit.mjs '{"gateway": URL, "clients": URL, "monitor": URL, "hostile": TEXT, "chromium": PATH, "profile": FOLDER}'

import { Browser, axe, view } from "./browser.mjs";
import { keyboard } from "./keyboard.mjs";
import { shoot } from "./shots.mjs";

const asked = JSON.parse(process.argv[2]);
const LOOKS = [["light", 1280], ["dark", 360]];
const VIEWS = { gateway: ["today", "endpoints", "decisions", "why"], monitor: ["endpoints", "prices", "probes", "certificates", "proposals"] };

async function open(browser, look) {
  const origins = [new URL(asked.gateway).origin, new URL(asked.monitor).origin];
  const page = await browser.page({ ...look, origins });
  page.setDefaultTimeout(15_000);
  return page;
}

/** Open what can be opened in a view, so that it is looked at, too. */
async function unfold(page, name) {
  if (name === "decisions") {
    await page.selectOption("#decision-outcome", "failed");
    await page.locator("#decision-table .toggle").first().click();
    await page.locator("#decision-table .facts dl").waitFor();
  }
  if (name === "why") {
    await page.click("#explain-form button[type=submit]");
    await page.locator("#explain-result .tree").waitFor();
    await page.locator("#explain-result summary").first().click();
    await page.locator("#route-table .short").nth(2).waitFor();
  }
}

async function everywhere(browser, found) {
  for (const [process, names] of Object.entries(VIEWS)) {
    for (const name of names) {
      const page = await open(browser, {});
      await view(page, asked[process], name);
      await unfold(page, name);
      for (const [scheme, width] of LOOKS) {
        await page.emulateMedia({ colorScheme: scheme });
        await page.setViewportSize({ width, height: 800 });
        const where = `${process}/${name}, ${scheme}, ${width} px`;
        found.accessibility.push(...(await axe(page)).map((one) => `${where}: ${one}`));
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        if (wide > 0) found.width.push(`${where}: ${wide} px too wide`);
        found.looked.push(where);
      }
      await page.close();
    }
  }
}

/** What the views say, as text. */
async function contents(browser) {
  const page = await open(browser, {});
  const text = (selector) => page.locator(selector).innerText();
  const said = {};
  await view(page, asked.gateway, "today");
  said.attention = await text("#attention");
  said.routes = await text("#by-route");
  said.saved = await text("#figure-saved");
  said.experiments = await text("#experiments");
  await view(page, asked.gateway, "endpoints");
  said.trouble = await page.locator("#endpoint-table tbody tr", { hasText: "sim-cheap/open-8b" }).innerText();
  said.sparks = await page.locator("#endpoint-table svg.spark").count();
  await page.fill("#endpoint-search", "claude");
  said.searched = await page.locator("#endpoint-table tbody th[scope=row]").allInnerTexts();
  await view(page, asked.gateway, "decisions");
  await page.selectOption("#decision-outcome", "rejected");
  said.rejected = await text("#decision-table tbody");
  await page.selectOption("#decision-outcome", "");
  await page.selectOption("#decision-endpoint", "sim-fast/open-70b");
  if (await page.locator("#decision-more").isVisible()) await page.click("#decision-more");
  await page.locator("tr:has(.trail) .toggle").last().click();
  await page.locator("tr.below .facts dl").waitFor();
  said.attempts = await page.locator("tr.below .timeline li:not(.scale)").allInnerTexts();
  await view(page, asked.gateway, "why");
  await page.fill("#explain-prompt", "My name is Ann, my card is 4111 1111 1111 1111. Translate this into French.");
  await page.click("#explain-form button[type=submit]");
  await page.locator("#explain-result .tree").waitFor();
  said.explained = await text("#explain-result");
  await view(page, asked.monitor, "endpoints");
  said.monitor = await text("#endpoint-table");
  await view(page, asked.monitor, "certificates");
  await page.locator("#certificate-table .state.ok").waitFor();
  said.certificates = await page.locator("#certificate-table tbody tr").allInnerTexts();
  said.withdrawn = await text("#alarm-table tbody");
  await page.close();
  return said;
}

/** Names and texts of hostile clients stand there as text, and do nothing. */
async function hostile(browser) {
  const page = await open(browser, {});
  await view(page, asked.gateway, "decisions");
  await page.selectOption("#decision-outcome", "rejected");
  await page.locator("#decision-table .toggle").first().click();
  await page.locator("#decision-table .facts dl").waitFor();
  const shown = await page.locator("#decision-table tbody").innerText();
  const found = await page.evaluate(() => ({
    hacked: window.hacked ?? null,
    elements: document.querySelectorAll("main img, main script, main iframe, [onerror]").length,
  }));
  await page.close();
  return { ...found, shown };
}

/** The page moves when something happens. */
async function live(browser) {
  const page = await open(browser, {});
  await view(page, asked.gateway, "decisions");
  const body = JSON.stringify({ model: "no-such-model-live", messages: [{ role: "user", content: "Hi" }] });
  const headers = { "content-type": "application/json" };
  const answer = await page.request.post(`${asked.clients}/v1/chat/completions`, { data: body, headers, failOnStatusCode: false });
  const id = answer.headers()["x-pointsman-decision"];
  await page.fill("#decision-id", id);
  await page.locator("#decision-table tbody tr", { hasText: "no-such-model-live" }).waitFor();
  await page.close();
  return [];
}

const browser = await Browser.start(asked);
const found = { accessibility: [], width: [], looked: [] };
try {
  if (asked.shots) await shoot(asked, (look) => open(browser, look));
  found.live = await live(browser);
  found.said = await contents(browser);
  found.hostile = await hostile(browser);
  found.keyboard = await keyboard(await open(browser, {}), asked.gateway);
  await everywhere(browser, found);
  found.complaints = browser.complaints;
} finally {
  await browser.close();
}
console.log(JSON.stringify(found));
