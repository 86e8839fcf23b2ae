// Package login checks what people and machines show in order to get a Consul
// token: JSON Web Tokens of another issuer, whose keys are given or fetched. It
// says who they are by the issuer's word. The emulator of Consul calls it for its
// auth methods; tokens, policies and the binding rules are kept there.
package login
