// Command conformance shows how much of Consul the emulator is: package
// emulator/conformance says how.
//
//	make conformance
//
// real.txt lists what passes on the real program, differs.txt what of that does
// not pass here, and why. The command fails when the emulator differs in any
// other way, so both lists stay true. Another program is tested with
// -consul PATH, some tests alone with -run REGEXP.
package main

import (
	_ "embed"

	"github.com/drydock/drydock/emulator/conformance"
)

var (
	//go:embed real.txt
	realList string
	//go:embed differs.txt
	differsList string
)

func main() {
	conformance.Main(conformance.Suite{
		Known:    conformance.Known{Title: "consul/api", Tests: realList, Differs: differsList, LeastPassing: 200},
		Program:  "consul",
		Packages: "github.com/hashicorp/consul/api/...",
		Unset:    []string{"CONSUL_"},
		Parallel: 32,
	}.Run)
}
