// Screenshots of a scripted day: what people see of it at this moment.

import { Browser, view } from "./browser.mjs";

const asked = JSON.parse(process.argv[2]);
const browser = await Browser.start(asked);
const origins = [new URL(asked.gateway).origin, new URL(asked.monitor).origin];
const shot = (page, name) => page.screenshot({ path: `${asked.shots}/day-${asked.moment}-${name}.png` });

const today = await browser.page({ width: 1280, height: 640, origins });
await view(today, asked.gateway, "today");
const certificates = await browser.page({ width: 1280, height: 720, origins });
await view(certificates, asked.monitor, "certificates");
await certificates.waitForTimeout(2_000); // until it has heard of what is there
await shot(certificates, "certificates");
await today.waitForTimeout(2_000);
await shot(today, "today");

const decisions = await browser.page({ width: 1280, height: 720, origins });
await view(decisions, asked.gateway, "decisions");
await decisions.click("#decision-pause");
await decisions.selectOption("#decision-endpoint", "sim-cheap/open-8b");
await decisions.locator("#decision-table .toggle").first().click();
await decisions.locator("tr.below .facts dl").waitFor();
await shot(decisions, "decision");

await browser.close();
process.stdout.write(JSON.stringify({ complaints: browser.complaints }));
