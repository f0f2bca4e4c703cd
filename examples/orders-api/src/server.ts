import "dotenv/config";
import pino from "pino";

import { createApp } from "./app";
import { OrderBook } from "./orders";

const log = pino({ level: process.env.LOG_LEVEL ?? "info" });
const port = Number(process.env.PORT ?? 3000);
const server = createApp(new OrderBook(), log).listen(port, () => log.info({ port }, "listening"));

// Only production asks for an orderly stop; elsewhere nodemon kills the process anyway.
if (process.env.NODE_ENV === "production") {
  process.on("SIGTERM", () => {
    log.info("stopping");
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  });
}
