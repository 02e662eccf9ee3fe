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

await browser.close();
process.stdout.write(JSON.stringify({ complaints: browser.complaints }));
