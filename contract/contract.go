// Package contract is what the services agree on and none of them owns: the
// keys, documents, topics and event bodies that one writes and another reads.
// It does no input or output, and a file holds one flow.
package contract
