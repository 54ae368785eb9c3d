// PostGraphile 5 as its documents say for production: NODE_ENV=production, no GraphiQL, no explain, no watching,
// prepared statements (the default), answers written as text, its own pool. With PEER_SCOPE every request runs
// under row-level security, the scope set by pgSettings.
import { createServer } from "node:http";
import { postgraphile } from "postgraphile";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { PostGraphileConnectionFilterPreset } from "postgraphile-plugin-connection-filter";

const scope = process.env.PEER_SCOPE;
const preset = {
  extends: [PostGraphileAmberPreset, PostGraphileConnectionFilterPreset],
  pgServices: [
    makePgService({
      connectionString: process.env.PEER_DATABASE,
      schemas: [process.env.PEER_SCHEMA],
      pubsub: false,
      poolConfig: { max: Number(process.env.PEER_POOL ?? 10) },
      ...(scope ? { pgSettings: () => ({ "fulcrum.scope": scope }) } : {}),
    }),
  ],
  schema: {
    defaultBehavior: "-connection +list -insert -update -delete",
    exportSchemaSDLPath: process.env.PEER_SCHEMA_FILE,
  },
  grafast: { explain: false },
  grafserv: { graphiql: false, websockets: false, watch: false, outputDataAsString: true },
};

const server = createServer();
server.on("error", (error) => {
  console.error(error);
  process.exit(1);
});
await postgraphile(preset).createServ(grafserv).addTo(server);
server.listen(Number(process.env.PEER_PORT), "127.0.0.1");
