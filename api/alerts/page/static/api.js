// The alerts API, as the page uses it. Addresses are relative to the page, so
// that it works behind a prefix too. Everything rejects with a Problem.

import { sentence } from "./words.js";

/** What the API answered instead of what was asked: an RFC 9457 problem, or status 0 when it could not be reached. */
export class Problem extends Error {
  constructor(status, text) {
    super(text);
    this.name = "Problem";
    this.status = status;
  }
}

async function call(method, path, body, headers = {}) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      cache: "no-store",
      headers: { Accept: "application/json", ...(body && { "Content-Type": "application/json" }), ...headers },
      body: body && JSON.stringify(body),
    });
    if (answer.status === 204) return null;
    if (answer.ok) return await answer.json();
  } catch {
    throw new Problem(answer?.status ?? 0, answer ? "The API's answer could not be read." : "The API could not be reached.");
  }
  throw await problem(answer);
}

async function problem(answer) {
  let said = {};
  try {
    said = (await answer.json()) ?? {};
  } catch {
    // Not a problem document (a proxy's own page, say): the status has to do.
  }
  const faults = Array.isArray(said.errors) ? said.errors.map((error) => sentence(error.message)) : [];
  return new Problem(answer.status, faults.join(" ") || sentence(said.detail || said.title || `The API answered ${answer.status}`));
}

const at = (id) => `v1/alerts/${encodeURIComponent(id)}`;

/** Sets a rule. The same key makes it once, however often it is sent. */
export const set = (rule, key) => call("POST", "v1/alerts", rule, { "Idempotency-Key": key });

/** One page of rules, newest first: {rules, total, next: id or nothing}. */
export const list = (after = "") => call("GET", `v1/alerts?limit=20${after && `&after=${encodeURIComponent(after)}`}`);

export const pause = (id) => call("POST", `${at(id)}/pause`);
export const resume = (id) => call("POST", `${at(id)}/resume`);

/** What a rule would have fired in the last 30 days: {fired, text, alerts, …}. */
export const tryRule = (rule) => call("POST", "v1/alerts/dry-run", { rule });
export const tryAgain = (id) => call("POST", `${at(id)}/dry-run`);

/** Deletes a rule; one that is gone already counts as deleted. */
export async function remove(id) {
  try {
    await call("DELETE", at(id));
  } catch (error) {
    if (error.status !== 404) throw error;
  }
}
