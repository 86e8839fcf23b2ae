// The official Nomad client, whose tests emulator/nomad/conformance runs, and
// what they need: go get -t github.com/hashicorp/nomad/api/...@VERSION. There
// is no package here, so go mod tidy would take all of it away.
module github.com/drydock/drydock/scripts/tools/nomad-api

go 1.26.0

require github.com/hashicorp/nomad/api v0.0.0-20260907080526-08ef8f3d26da

require (
	github.com/go-viper/mapstructure/v2 v2.5.0 // indirect
	github.com/google/go-cmp v0.7.0 // indirect
	github.com/gorilla/websocket v1.5.3 // indirect
	github.com/hashicorp/cronexpr v1.1.3 // indirect
	github.com/hashicorp/go-cleanhttp v0.5.2 // indirect
	github.com/hashicorp/go-rootcerts v1.0.2 // indirect
	github.com/mitchellh/go-homedir v1.1.0 // indirect
	github.com/shoenig/test v1.13.2 // indirect
)
