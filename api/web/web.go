// Package web is what the HTTP services have in common: whose request it is,
// the documentation of an API, and the serving of a page.
package web
