import express from "express";

const app = express();
const port = Number(process.env.PORT ?? 3000);

app.get("/healthz", (_request, response) => response.json({ ok: true }));
app.get("/", (_request, response) => response.send("hello"));

const server = app.listen(port);
process.on("SIGTERM", () => server.close(() => process.exit(0)));
