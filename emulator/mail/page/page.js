// The inbox: a list that follows the server's events, and one mail to read.

const element = (id) => document.getElementById(id);
const forms = ["html", "text", "headers", "raw"];
const shown = 500; // mails at most in the list

let messages = []; // newest first
let chosen = null; // the mail that is read, with its parts
let form = "html";

const path = (id, rest = "") => `/v1/messages/${encodeURIComponent(id)}${rest}`;

async function fetchJSON(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  return response.json();
}

function make(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

const time = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

// The list

function draw() {
  const find = element("find").value.trim().toLowerCase();
  const found = messages.filter((m) => [m.subject, m.from, ...m.recipients].join("\n").toLowerCase().includes(find));
  const rows = found.map((m) => {
    const row = element(`mail-${m.id}`) ?? makeRow(m);
    row.firstChild.setAttribute("aria-current", String(m.id === chosen?.id));
    return row;
  });
  const focused = document.activeElement;
  element("messages").replaceChildren(...rows);
  if (focused?.isConnected) focused.focus();
  element("count").textContent = messages.length;
  element("empty").hidden = messages.length > 0;
  element("clear").disabled = messages.length === 0;
}

function makeRow(m) {
  const row = document.createElement("li");
  row.id = `mail-${m.id}`;
  const button = document.createElement("button");
  button.type = "button";
  button.append(
    make("strong", m.subject || "(no subject)"),
    make("span", `to ${m.recipients.join(", ")}`),
    make("span", time.format(new Date(m.at))),
  );
  button.addEventListener("click", () => choose(m.id));
  row.append(button);
  return row;
}

async function load() {
  const before = new Set(messages.map((m) => m.id));
  const fetched = await fetchJSON(`/v1/messages?limit=${shown}`);
  const known = new Set(fetched.map((m) => m.id));
  // What came while the list was on its way is newer than it.
  messages = [...messages.filter((m) => !before.has(m.id) && !known.has(m.id)), ...fetched];
  if (chosen && !messages.some((m) => m.id === chosen.id)) leave();
  draw();
}

// The mail

async function choose(id) {
  try {
    chosen = await fetchJSON(path(id));
  } catch {
    return; // it was removed meanwhile, which the events tell
  }
  element("subject").textContent = chosen.subject || "(no subject)";
  element("from").textContent = chosen.from || chosen.sender;
  element("to").textContent = chosen.recipients.join(", ");
  element("at").textContent = time.format(new Date(chosen.at));
  element("at").dateTime = chosen.at;
  element("pane-text").textContent = chosen.text ?? "";
  element("pane-raw").textContent = "";
  element("pane-headers").tBodies[0].replaceChildren(...(chosen.headers ?? []).map((h) => {
    const row = document.createElement("tr");
    const name = make("th", h.name);
    name.scope = "row";
    row.append(name, make("td", h.value));
    return row;
  }));
  const attachments = chosen.attachments ?? [];
  element("attachments").hidden = attachments.length === 0;
  element("attachments").querySelector("ul").replaceChildren(
    ...attachments.map((a) => make("li", `${a.name || "(no name)"} · ${a.content_type} · ${a.size} bytes`)));
  drawHTML();
  element("tab-html").hidden = !chosen.html;
  show(chosen.html ? form : form === "html" ? "text" : form);
  element("nothing").hidden = true;
  element("message").hidden = false;
  draw();
}

// A mail's HTML is a stranger's: the frame runs no scripts, loads nothing, and
// cannot reach this page; the server's policy says the same once more.
function drawHTML() {
  const pane = element("pane-html");
  pane.replaceChildren();
  if (!chosen.html) return;
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-popups allow-popups-to-escape-sandbox");
  frame.title = "The mail as HTML";
  frame.src = path(chosen.id, "/html");
  pane.append(frame);
}

async function show(which) {
  for (const name of forms) {
    const tab = element(`tab-${name}`);
    tab.setAttribute("aria-selected", String(name === which));
    tab.tabIndex = name === which ? 0 : -1;
    element(`pane-${name}`).hidden = name !== which;
  }
  if (which === "raw" && chosen) {
    const { id } = chosen;
    const response = await fetch(path(id, "/raw"));
    const raw = response.ok ? await response.text() : "";
    if (chosen?.id === id) element("pane-raw").textContent = raw;
  }
}

function leave() {
  chosen = null;
  element("message").hidden = true;
  element("nothing").hidden = false;
}

for (const name of forms) {
  element(`tab-${name}`).addEventListener("click", () => show(form = name));
}
document.querySelector(".tabs").addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const visible = forms.filter((name) => !element(`tab-${name}`).hidden);
  const at = visible.findIndex((name) => element(`tab-${name}`) === document.activeElement);
  form = visible[(at + step + visible.length) % visible.length];
  show(form);
  element(`tab-${form}`).focus();
});
element("remove").addEventListener("click", () => chosen && fetch(path(chosen.id), { method: "DELETE" }));
element("clear").addEventListener("click", () => {
  if (confirm("Remove all mails from the inbox?")) fetch("/v1/messages", { method: "DELETE" });
});
element("find").addEventListener("input", draw);

// The events

const connection = element("connection");
const events = new EventSource("/v1/events");
events.addEventListener("open", () => {
  connection.textContent = "live";
  connection.dataset.state = "live";
  load(); // and what was missed meanwhile
});
events.addEventListener("error", () => {
  connection.textContent = "the mail server is away, trying again";
  connection.dataset.state = "away";
});
events.addEventListener("message", ({ data }) => {
  if (!data) return;
  const message = JSON.parse(data);
  messages = [message, ...messages.filter((m) => m.id !== message.id)].slice(0, shown);
  draw();
});
events.addEventListener("removed", ({ data }) => {
  const { id } = JSON.parse(data);
  messages = id ? messages.filter((m) => m.id !== id) : [];
  if (chosen && (!id || id === chosen.id)) leave();
  draw();
});
