import express, { type NextFunction, type Request, type Response } from "express";
import helmet from "helmet";
import type { Logger } from "pino";

import { OrderBook, newOrder } from "./orders";

export function createApp(book: OrderBook, log: Logger) {
  const app = express();
  app.use(helmet());
  app.use(express.json({ limit: "64kb" }));

  app.get("/healthz", (_request, response) => {
    response.json({ status: "ok", orders: book.size, node: process.version });
  });

  app.get("/orders", (_request, response) => {
    response.json(book.list());
  });

  app.get("/orders/:id", (request, response) => {
    const order = book.find(request.params.id);
    if (order === undefined) {
      response.status(404).json({ error: "no such order" });
      return;
    }
    response.json(order);
  });

  app.post("/orders", (request, response) => {
    const parsed = newOrder.safeParse(request.body);
    if (!parsed.success) {
      response.status(422).json({ error: parsed.error.flatten() });
      return;
    }
    const order = book.add(parsed.data);
    log.info({ order: order.id }, "order taken");
    response.status(201).location(`/orders/${order.id}`).json(order);
  });

  // Express knows an error handler by its four parameters.
  // eslint-disable-next-line @typescript-eslint/no-unused-vars
  app.use((error: Error, _request: Request, response: Response, _next: NextFunction) => {
    log.error(error);
    response.status(500).json({ error: "something broke" });
  });

  return app;
}
