import Koa from "koa";
import { quote } from "@shop/pricing";

const app = new Koa();

app.use(async (context) => {
  if (context.path === "/healthz") {
    context.body = { status: "ok" };
    return;
  }
  if (context.path === "/quote") {
    const quantity = Number(context.query.quantity ?? 1);
    context.body = { quantity, total: quote(quantity) };
    return;
  }
  context.status = 404;
});

const server = app.listen(Number(process.env.PORT ?? 4000));
process.on("SIGTERM", () => server.close(() => process.exit(0)));
