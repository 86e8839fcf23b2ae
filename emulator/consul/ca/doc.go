// Package ca is the certificate authority of Consul's service mesh, as the
// built-in provider "consul" is one: it makes roots, signs the certificates of
// services, agents and gateways, and signs a new root with the old one when
// they are exchanged. The HTTP API of the emulator keeps roots, configuration
// and serial numbers, and asks this package for certificates.
//
// Nothing here has state: a Root is plain data that holds its own private key,
// and everything that differs from one certificate to the next (serial number,
// time) is handed in. All of it is safe for concurrent use.
//
// The certificates have what those of Consul have: subject and authority key
// ids, usages, names, lifetimes, and SPIFFE ids as their only names.
package ca
