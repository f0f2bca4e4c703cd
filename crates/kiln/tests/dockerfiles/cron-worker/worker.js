const { mkdirSync, writeFileSync } = require("node:fs");
const { CronJob } = require("cron");

const folder = process.env.REPORTS ?? "reports";
mkdirSync(folder, { recursive: true });
const job = new CronJob("*/5 * * * * *", () => {
  writeFileSync(`${folder}/latest.txt`, new Date().toISOString());
  console.log("report written");
});
job.start();
