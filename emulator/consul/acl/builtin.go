package acl

// nameSchema asks for one variable, name, that is not empty. Spaces count: the
// API shows it as it is.
const nameSchema = `{
	"type": "object",
	"properties": {
		"name": { "type": "string", "$ref": "#/definitions/min-length-one" }
	},
	"required": ["name"],
	"definitions": {
		"min-length-one": {
				"type": "string",
				"minLength": 1
		}
	}
}`

func serviceTemplate() TemplatedPolicy {
	return TemplatedPolicy{
		ID:   "00000000-0000-0000-0000-000000000003",
		Name: ServiceTemplate,
		Description: "Gives the token or role permissions to register a service and discover services in the Consul catalog. " +
			"It also gives the specified service's sidecar proxy the permission to discover and route traffic to other services.",
		Schema: nameSchema,
		Template: `
service "{{.Name}}" {
	policy = "write"
}
service "{{.Name}}-sidecar-proxy" {
	policy = "write"
}
service_prefix "" {
	policy = "read"
}
node_prefix "" {
	policy = "read"
}`,
	}
}

func nodeTemplate() TemplatedPolicy {
	return TemplatedPolicy{
		ID:   "00000000-0000-0000-0000-000000000004",
		Name: NodeTemplate,
		Description: "Gives the token or role permissions for a register an agent/node into the catalog. " +
			"A node is typically a consul agent but can also be a physical server, cloud instance or a container.",
		Schema: nameSchema,
		Template: `
node "{{.Name}}" {
	policy = "write"
}
service_prefix "" {
	policy = "read"
}`,
	}
}

func dnsTemplate() TemplatedPolicy {
	return TemplatedPolicy{
		ID:          "00000000-0000-0000-0000-000000000005",
		Name:        DNSTemplate,
		Description: "Gives the token or role permissions for the Consul DNS to query services in the network.",
		Template: `
node_prefix "" {
	policy = "read"
}
service_prefix "" {
	policy = "read"
}
query_prefix "" {
	policy = "read"
}`,
	}
}

func nomadServerTemplate() TemplatedPolicy {
	return TemplatedPolicy{
		ID:          "00000000-0000-0000-0000-000000000006",
		Name:        NomadServerTemplate,
		Description: "Gives the token or role permissions required for integration with a nomad server.",
		Template: `
acl = "write"
agent_prefix "" {
  policy = "read"
}
node_prefix "" {
  policy = "read"
}
service_prefix "" {
  policy = "write"
}`,
	}
}

func apiGatewayTemplate() TemplatedPolicy {
	return TemplatedPolicy{
		ID:          "00000000-0000-0000-0000-000000000008",
		Name:        APIGatewayTemplate,
		Description: "Gives the token or role permissions for a Consul api gateway",
		Schema:      nameSchema,
		Template: `mesh = "read"
node_prefix "" {
	policy = "read"
}
service_prefix "" {
	policy = "read"
}
service "{{.Name}}" {
	policy = "write"
}`,
	}
}

func nomadClientTemplate() TemplatedPolicy {
	return TemplatedPolicy{
		ID:          "00000000-0000-0000-0000-000000000009",
		Name:        NomadClientTemplate,
		Description: "Gives the token or role permissions required for integration with a nomad client.",
		Template: `agent_prefix "" {
  policy = "read"
}
node_prefix "" {
  policy = "read"
}
service_prefix "" {
  policy = "write"
}
key_prefix "" {
  policy = "read"
}`,
	}
}
