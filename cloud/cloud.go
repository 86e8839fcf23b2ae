// Package cloud is the vocabulary of Drydock: what a service may ask of a
// cloud, as types and interfaces, without any input or output of its own.
//
// The services under api and workers are written against this package alone.
// The folders beside it hold the providers (nats, s3, …), cloudtest holds one
// conformance suite per interface that every provider passes, and connect
// chooses the providers by the URLs in the environment.
package cloud

import "errors"

// Errors that every provider returns, wrapped, for the same situations.
// Match them with errors.Is.
var (
	// ErrNotFound: the object or record does not exist.
	ErrNotFound = errors.New("not found")
	// ErrExists: a create met an object or record that is there already.
	ErrExists = errors.New("exists already")
	// ErrConflict: a compare-and-swap met another revision than the expected one.
	ErrConflict = errors.New("changed meanwhile")
	// ErrInvalid: an argument is outside of what the interface allows; trying
	// again with the same argument is of no use.
	ErrInvalid = errors.New("invalid")
	// ErrUnavailable: the provider of events, records or schedules cannot be
	// reached or gives no answer. Trying again later may succeed; whether a
	// change was made is not known.
	ErrUnavailable = errors.New("unavailable")
)
