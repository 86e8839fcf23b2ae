// Package login checks what people and machines show in order to get a Consul
// token: JSON Web Tokens of another issuer, whose keys are given or fetched. It
// says who they are by the issuer's word, and works out the expressions and
// templates of binding rules on that. The emulator of Consul calls it for its
// auth methods; tokens, policies and the rules themselves are kept there.
package login
