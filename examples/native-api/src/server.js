import Database from "better-sqlite3";
import Fastify from "fastify";

const database = new Database(process.env.DATABASE ?? ":memory:");
database.exec("CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)");
const insert = database.prepare("INSERT INTO notes (text) VALUES (?)");
const all = database.prepare("SELECT id, text FROM notes ORDER BY id");

const app = Fastify({ logger: true });

app.get("/health", async () => ({ status: "ok", sqlite: database.prepare("SELECT sqlite_version() AS v").get().v }));
app.get("/notes", async () => all.all());
app.post("/notes", async (request, reply) => {
  const text = String(request.body?.text ?? "").trim();
  if (text === "") return reply.code(422).send({ error: "a note has text" });
  const { lastInsertRowid } = insert.run(text);
  return reply.code(201).send({ id: Number(lastInsertRowid), text });
});

process.on("SIGTERM", async () => {
  await app.close();
  database.close();
  process.exit(0);
});

await app.listen({ host: "0.0.0.0", port: Number(process.env.PORT ?? 8080) });
