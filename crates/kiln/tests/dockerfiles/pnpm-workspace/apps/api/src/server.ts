import Fastify from "fastify";
import { greet } from "@shop/greet";

const app = Fastify();
app.get("/health", () => ({ ok: true }));
app.get("/", () => greet("world"));
await app.listen({ host: "0.0.0.0", port: Number(process.env.PORT ?? 3001) });
process.on("SIGTERM", () => void app.close());
