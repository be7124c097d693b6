// A small provider of OpenID Connect for the browser tests: one person signs in by pressing a button
// that names their group. Codes are given once, to whoever has the verifier (PKCE).
import { createHash, createSign, generateKeyPairSync, randomBytes } from "node:crypto";
import { createServer } from "node:http";

export function provider(port, client) {
  const issuer = `http://127.0.0.1:${port}`;
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const key = { ...publicKey.export({ format: "jwk" }), kid: "k" };
  const codes = new Map();
  const coded = (value) => Buffer.from(value).toString("base64url");
  const token = ({ nonce, group }) => {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: issuer, aud: client, sub: "42", nonce, iat: now, exp: now + 300,
      groups: [group], preferred_username: "olga.kim", name: "Ольга Ким" };
    const signed = `${coded(JSON.stringify({ alg: "ES256", kid: "k" }))}.${coded(JSON.stringify(claims))}`;
    const signature = createSign("sha256").update(signed)
      .sign({ key: privateKey, dsaEncoding: "ieee-p1363" });
    return `${signed}.${coded(signature)}`;
  };
  const server = createServer((request, response) => {
    const url = new URL(request.url, issuer);
    const json = (value, status = 200) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(value));
    };
    if (url.pathname === "/.well-known/openid-configuration") {
      json({ issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/keys` });
    } else if (url.pathname === "/keys") {
      json({ keys: [key] });
    } else if (url.pathname === "/authorize") {
      response.writeHead(200, { "content-type": "text/html" });
      const links = ["desk", "canteen"].map((group) => {
        const code = randomBytes(16).toString("hex");
        codes.set(code, { challenge: url.searchParams.get("code_challenge"),
          nonce: url.searchParams.get("nonce"), group });
        const back = new URL(url.searchParams.get("redirect_uri"));
        back.searchParams.set("code", code);
        back.searchParams.set("state", url.searchParams.get("state"));
        return `<a id="${group}" href="${back.href.replaceAll("&", "&amp;")}">${group}</a>`;
      });
      response.end(`<!doctype html><title>provider</title>${links.join(" ")}`);
    } else if (url.pathname === "/token") {
      let body = "";
      request.on("data", (chunk) => { body += chunk; });
      request.on("end", () => {
        const form = new URLSearchParams(body);
        const given = codes.get(form.get("code"));
        codes.delete(form.get("code"));
        const challenge = createHash("sha256").update(form.get("code_verifier") ?? "").digest("base64url");
        if (!given || given.challenge !== challenge) json({ error: "invalid_grant" }, 400);
        else json({ token_type: "Bearer", id_token: token(given) });
      });
    } else json({}, 404);
  });
  server.listen(port, "127.0.0.1");
  return { issuer, close: () => server.close() };
}
