// Package containers has the tests of the container images: what is in them,
// and that the job files run them with the driver docker on the real Nomad and
// on the emulated one. `make test-docker` runs them, with an engine.
package containers
