// The stream of alerts from the API.

/**
 * Listens for ever. The browser goes on after the last alert by itself when
 * the connection was lost; onstate is called with "connected" or "reconnecting".
 */
export function listen({ onalert, onstate }) {
  let wait = 1000;
  const connect = () => {
    const source = new EventSource("v1/alerts/events");
    source.onopen = () => {
      wait = 1000;
      onstate("connected");
    };
    source.addEventListener("alert", (event) => {
      let alert;
      try {
        alert = JSON.parse(event.data);
      } catch {
        return; // one unreadable event must not end the stream
      }
      if (alert?.id) onalert(alert);
    });
    source.onerror = () => {
      onstate("reconnecting");
      // An error answer (a gateway's 502 during a deployment, say) ends the source for good.
      if (source.readyState !== EventSource.CLOSED) return;
      setTimeout(connect, wait);
      wait = Math.min(wait * 2, 15_000);
    };
  };
  connect();
}
