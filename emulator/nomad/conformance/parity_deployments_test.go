package main

import "github.com/drydock/drydock/emulator/conformance/parity"

// deploymentCommands follow deployments to their good and bad ends.
var deploymentCommands = []parity.Command{
	{Line: "settled nomad job run canary.nomad.hcl"},
	{Line: "nomad job status canary"},
	{Line: "nomad job promote canary"},

	// A canary that is promoted.
	{Line: "nomad job plan -var v=v2 canary.nomad.hcl"},
	{Line: "nomad job run -detach -var v=v2 canary.nomad.hcl"},
	{Line: "await 'canary +true +false +2 +1 +1 +1 ' 'nomad deployment status $(deployment canary)'"},
	{Line: "nomad job status canary"},
	{Line: "nomad service info canary", Sorted: true},
	{Line: "nomad deployment promote -detach $(deployment canary)"},
	{Line: "await '= successful' 'nomad deployment status $(deployment canary)'"},
	{Line: "nomad job history canary"},
	{Line: "nomad service info canary", Sorted: true},
	{Line: "nomad deployment promote -detach $(deployment canary)"},

	// One that fails: the job goes back by itself.
	{Line: "nomad job run -detach -var v=v3 -var program=/bin/nothing canary.nomad.hcl"},
	{Line: "await 'canary +3 +successful' 'nomad job deployments canary'"},
	{Line: "nomad deployment status $(deployment canary 2)"},
	{Line: "nomad deployment status $(deployment canary 3)"},
	{Line: "nomad job history canary"},
	{Line: "nomad job status canary", Sorted: true},

	// One that people fail.
	{Line: "nomad job run -detach -var v=v4 canary.nomad.hcl"},
	{Line: "await 'canary +true +false +2 +1 +1 +1 ' 'nomad deployment status $(deployment canary)'"},
	{Line: "nomad deployment pause $(deployment canary)"},
	{Line: "nomad deployment status $(deployment canary)"},
	{Line: "nomad deployment resume -detach $(deployment canary)"},
	{Line: "nomad deployment pause nothing"},
	{Line: "nomad deployment unblock -detach $(deployment canary)"},
	{Line: "nomad deployment fail -detach $(deployment canary)"},
	{Line: "await '= successful' 'nomad deployment status $(deployment canary)'"},
	{Line: "nomad deployment list"},
	{Line: "nomad deployment fail -detach $(deployment canary)"},
	{Line: "nomad job stop -detach -purge canary"},

	// Held up by a check.
	{Line: "settled nomad job run -var agent=$AGENT checked.nomad.hcl"},
	{Line: "await failure 'nomad alloc checks $(alloc checked)'", Sorted: true},
	{Line: "nomad service list"},
	{Line: "nomad alloc status $(alloc checked)"},
	{Line: "nomad job stop -detach -purge checked"},

	// Between bounds.
	{Line: "settled nomad job run scaled.nomad.hcl"},
	{Line: "nomad scaling policy list"},
	{Line: "nomad scaling policy list -job scaled"},
	{Line: "nomad scaling policy info $(nomad scaling policy list -t '{{range .}}{{.ID}}{{end}}')"},
	{Line: "nomad scaling policy info nothing"},
	{Line: "nomad job scale scaled 5"},
	{Line: "settled nomad job scale scaled 3"},
	{Line: "nomad job scaling-events scaled"},
	{Line: "nomad job stop -detach -purge scaled"},
}
