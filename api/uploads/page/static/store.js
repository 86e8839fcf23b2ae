// The object store, as the page uses it: one signed form, one file, with
// progress. fetch cannot tell how much was sent, so this is an XMLHttpRequest.

import { sentence } from "./format.js";

/** A connection on which nothing moves for this long is given up, in milliseconds. */
const stall = 60_000;

/**
 * What the store answered instead of taking the file; status 0 when it could
 * not be reached. `expired` asks for a new signature, `retry` for patience.
 */
export class Refusal extends Error {
  constructor(status, code, said) {
    super(
      status === 0
        ? "The object store could not be reached."
        : `The object store refused it (${code || status}). ${sentence(said)}`.trim(),
    );
    this.name = "Refusal";
    this.status = status;
    this.expired = /^(ExpiredToken|RequestExpired)$/.test(code) || (status === 403 && /expired/i.test(said));
    this.retry = status === 0 || status === 408 || status === 429 || status >= 500 || code === "RequestTimeout";
  }
}

/**
 * Sends the file with the signed form. Resolves once the store has it; rejects
 * with a Refusal, or with an AbortError after the signal. The file comes last:
 * stores ignore every field behind it.
 */
export function send(form, file, signal, onprogress) {
  return new Promise((resolve, reject) => {
    const body = new FormData();
    for (const [name, value] of Object.entries(form.fields)) body.append(name, value);
    body.append("file", file, file.name);

    const request = new XMLHttpRequest();
    let timer;
    const alive = () => {
      clearTimeout(timer);
      timer = setTimeout(() => request.abort(), stall);
    };
    const abort = () => request.abort();
    request.open("POST", form.url);
    request.upload.onprogress = (event) => {
      alive();
      if (event.lengthComputable && event.total > 0) onprogress(event.loaded / event.total);
    };
    request.onloadend = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      if (signal.aborted) return reject(new DOMException("cancelled", "AbortError"));
      if (request.status >= 200 && request.status < 300) return resolve();
      const { code, said } = explain(request.responseText);
      reject(new Refusal(request.status, code, said));
    };
    signal.addEventListener("abort", abort);
    alive();
    request.send(body);
  });
}

/** The Code and Message of an S3 error document; empty for anything else. */
function explain(text) {
  if (!text) return { code: "", said: "" };
  const document = new DOMParser().parseFromString(text, "application/xml");
  const read = (name) => document.getElementsByTagName(name)[0]?.textContent.trim() ?? "";
  return { code: read("Code"), said: read("Message") };
}
