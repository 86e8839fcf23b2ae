// Package e2e is the one end-to-end suite: what a platform of Drydock has to do
// whatever it runs on, each case written once against the APIs of Nomad, Consul
// and the services, and run on the emulator, on the real programs on one
// machine and on a cluster of three zones:
//
//	go test ./e2e                # on the emulator, as every `go test ./...` does
//	go test ./e2e -stack real    # the programs of scripts/real.sh have to be on the PATH
//	go test ./e2e -stack cluster
//	go test ./e2e -nomad http://127.0.0.1:4646 -consul http://127.0.0.1:8500
//
// It prints a table of the cases on all stacks, which docs/parity.md keeps. Where
// a case passes on the real programs and not on the emulator, the emulator is
// wrong. `make e2e` is its caller.
package e2e
