// Package checks runs health checks as a Consul agent does: it asks a service over HTTP, TCP, UDP, gRPC or HTTP/2, runs a
// script, waits for the service to call in (TTL), or follows the checks of another service or node (alias), and reports each
// change of status or output.
//
// The emulated agent is its caller: it validates a Definition when one is registered, starts a Runner for it, writes what the
// Runner reports into its state, and closes the Runner when the check is deregistered. What follows from a status, such as
// the deregistration of a service that is critical for long, is the agent's business.
package checks
