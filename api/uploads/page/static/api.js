// The uploads API, as the page uses it. Addresses are relative to the page, so
// that it works behind a prefix too. Everything rejects with a Problem.

import { sentence } from "./format.js";

/**
 * What the API answered instead of what was asked: an RFC 9457 problem, or
 * status 0 when it could not be reached. `retry` tells whether the same
 * request may succeed later, `after` how many seconds it asks to wait.
 */
export class Problem extends Error {
  constructor(status, text, after = 0) {
    super(text);
    this.name = "Problem";
    this.status = status;
    this.after = after;
    this.retry = status === 0 || status === 408 || status === 429 || status >= 500;
  }
}

async function call(method, path, { body, signal } = {}) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      signal,
      cache: "no-store",
      headers: body ? { "Content-Type": "application/json", Accept: "application/json" } : { Accept: "application/json" },
      body: body && JSON.stringify(body),
    });
    if (answer.status === 204) return null;
    if (answer.ok) return await answer.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(answer ? answer.status : 0, answer ? "The API's answer could not be read." : "The API could not be reached.");
  }
  throw await problem(answer);
}

async function problem(answer) {
  const after = Number(answer.headers.get("Retry-After")) || 0;
  let said = {};
  try {
    said = (await answer.json()) ?? {};
  } catch {
    // Not a problem document (a proxy's own page, say): the status has to do.
  }
  const details = (Array.isArray(said.errors) ? said.errors : []).map((error) => {
    const where = String(error.location ?? "").replace(/^body\./, "");
    return where && where !== "body" ? `${where}: ${error.message}` : String(error.message);
  });
  const text = [sentence(said.detail || said.title || `The API answered ${answer.status}`), ...details].join(" ");
  return new Problem(answer.status, text, after);
}

const at = (id) => `v1/uploads/${encodeURIComponent(id)}`;

/** Asks for a signed upload: {id, expires, form: {url, fields}, …}. */
export const sign = (file, type, signal) =>
  call("POST", "v1/uploads", { signal, body: { filename: file.name, content_type: type, size: file.size } });

/** One page of uploads, newest first: {uploads: [view], next: id or nothing}. */
export const list = (after = "") => call("GET", `v1/uploads?limit=20${after && `&after=${encodeURIComponent(after)}`}`);

export const view = (id) => call("GET", at(id));

/** Deletes an upload; one that is gone already counts as deleted. */
export async function remove(id) {
  try {
    await call("DELETE", at(id));
  } catch (error) {
    if (error.status !== 404) throw error;
  }
}
