// Receives deliveries in Hono. DESK_SECRET is the secret whsec_… of the destination.
import { Hono } from "hono";
import { Webhook } from "standardwebhooks";

const webhook = new Webhook(process.env.DESK_SECRET);
const seen = new Set(); // in production: a table with a unique column

const app = new Hono();
app.post("/in", async (c) => {
  const body = await c.req.text(); // the raw text: it is verified before it is parsed
  try {
    webhook.verify(body, c.req.header());
  } catch {
    return c.text("not genuine", 401);
  }
  const id = c.req.header("webhook-id"); // the same on every attempt
  if (!seen.has(id)) console.log(JSON.parse(body).data);
  seen.add(id);
  return c.body(null, 204);
});
export default app;
