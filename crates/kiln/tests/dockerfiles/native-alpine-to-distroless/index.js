const { createServer } = require("node:http");
const Database = require("better-sqlite3");

const database = new Database(process.env.DATABASE ?? "/app/data/notes.db");
database.exec("CREATE TABLE IF NOT EXISTS notes (text TEXT)");

const server = createServer((request, response) => {
  if (request.url === "/health") return response.end("ok");
  const { count } = database.prepare("SELECT count(*) AS count FROM notes").get();
  response.end(`${count} notes\n`);
});
server.listen(8080);
process.on("SIGTERM", () => server.close());
