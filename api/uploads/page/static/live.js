// The stream of events from the API.

/**
 * Listens for ever. onopen is called after every connection, the first one
 * too: what happened before it has to be asked for. onstate is called with
 * "connected" or "reconnecting".
 */
export function listen({ onupload, ondeleted, onopen, onstate }) {
  let wait = 1000;
  const connect = () => {
    const source = new EventSource("v1/events");
    source.onopen = () => {
      wait = 1000;
      onstate("connected");
      onopen();
    };
    source.addEventListener("upload", (event) => read(event, onupload));
    source.addEventListener("deleted", (event) => read(event, ondeleted));
    source.onerror = () => {
      onstate("reconnecting");
      // A lost connection is retried by the browser; an error answer (a
      // gateway's 502 during a deployment, say) ends the source for good.
      if (source.readyState !== EventSource.CLOSED) return;
      setTimeout(connect, wait);
      wait = Math.min(wait * 2, 15_000);
    };
  };
  connect();
}

function read(event, then) {
  let data;
  try {
    data = JSON.parse(event.data);
  } catch {
    return; // one unreadable event must not end the stream; the next list has its content
  }
  if (data?.id) then(data);
}
