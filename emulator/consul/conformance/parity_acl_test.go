package main

import "github.com/drydock/drydock/emulator/conformance/parity"

// The tokens of aclCommands. Identifiers that begin with zeros are Consul's own.
const (
	readerID  = "1d000000-0000-0000-0000-000000000001"
	writerID  = "1d000000-0000-0000-0000-000000000002"
	unknownID = "1d000000-0000-0000-0000-000000000003"

	bootstrapToken = "b0000000-0000-0000-0000-000000000000"
	readerToken    = "a0000000-0000-0000-0000-000000000001"
	writerToken    = "a0000000-0000-0000-0000-000000000002"
	unknownToken   = "a0000000-0000-0000-0000-000000000003"
)

// aclCommands build on each other, from the first to the last.
var aclCommands = []parity.Command{
	// Nobody has the token yet that the environment names.
	{Line: "consul kv get app/name"},
	{Line: "consul acl token list"},
	{Line: "consul members -token=''"},
	{Line: "consul acl bootstrap bootstrap.token"},
	{Line: "consul acl bootstrap"},
	{Line: "consul acl token read -self"},

	// Policies.
	{Line: "consul acl policy list", Sorted: true},
	{Line: "consul acl policy create -name=reader -description='reads the app' -rules=@reader.hcl"},
	{Line: "consul acl policy create -name=reader -rules=@reader.hcl"},
	{Line: "consul acl policy create -name=writer -rules=@writer.hcl -valid-datacenter=dc1 -format=json"},
	{Line: "consul acl policy create -name=bad -rules=@bad-rules.hcl"},
	{Line: "consul acl policy create -name='bad name' -rules=@reader.hcl"},
	{Line: "consul acl policy read -name=reader"},
	{Line: "consul acl policy read -name=reader -meta -format=json"},
	{Line: "consul acl policy read -name=nobody"},
	{Line: "consul acl policy read -id=00000000-0000-0000-0000-000000000001"},
	{Line: "consul acl policy update -name=reader -description='only reads' -no-merge -rules=@reader.hcl"},
	{Line: "consul acl policy update -name=global-management -rules=@reader.hcl"},
	{Line: "consul acl policy list -format=json", Sorted: true},
	{Line: "consul acl policy list", Sorted: true},

	// Roles.
	{Line: "consul acl role create -name=readers -policy-name=reader"},
	{Line: "consul acl role create -name=readers -policy-name=reader"},
	{Line: "consul acl role create -name=web -service-identity=web:dc1 -node-identity=n1:dc1 -format=json"},
	{Line: "consul acl role create -name=broken -policy-name=nobody"},
	{Line: "consul acl role read -name=readers"},
	{Line: "consul acl role read -name=nobody"},
	{Line: "consul acl role list", Sorted: true},
	{Line: "consul acl role list -format=json", Sorted: true},

	// Tokens.
	{Line: "consul acl token create -description=reads -role-name=readers -accessor=" + readerID + " -secret=" + readerToken},
	{Line: "consul acl token create -description=writes -policy-name=writer -accessor=" + writerID + " -secret=" + writerToken + " -format=json"},
	{Line: "consul acl token create -description=again -policy-name=writer -secret=" + writerToken},
	{Line: "consul acl token create -policy-name=nobody"},
	{Line: "consul acl token create -policy-name=writer -secret=00000000-0000-0000-0000-000000000009"},
	{Line: "consul acl token create -service-identity=api -expires-ttl=1h -description=expires"},
	{Line: "consul acl token create -expires-ttl=1s -policy-name=writer"},
	{Line: "consul acl token create -templated-policy=builtin/service -var=name:api"},
	{Line: "consul acl token create -templated-policy=builtin/nonsense"},
	{Line: "consul acl token read -accessor-id=" + readerID},
	{Line: "consul acl token read -accessor-id=" + readerID + " -expanded"},
	{Line: "consul acl token read -accessor-id=" + unknownID},
	{Line: "consul acl token read -accessor-id=00000000-0000-0000-0000-000000000002"},
	{Line: "consul acl token read -self -token=" + readerToken},
	{Line: "consul acl token update -accessor-id=" + readerID + " -description='still reads' -append-policy-name=writer"},
	{Line: "consul acl token update -accessor-id=" + readerID + " -role-name=readers"},
	{Line: "consul acl token clone -accessor-id=" + writerID + " -description=clone"},
	{Line: "consul acl token list", Sorted: true},
	{Line: "consul acl token list -format=json", Sorted: true},

	// What they permit.
	{Line: "consul kv put -token=" + readerToken + " app/name drydock"},
	{Line: "consul kv put -token=" + writerToken + " app/name drydock"},
	{Line: "consul kv put -token=" + writerToken + " other/name drydock"},
	{Line: "consul kv get -token=" + readerToken + " app/name"},
	{Line: "consul kv get -token=" + unknownToken + " app/name"},
	{Line: "consul kv get -token='' app/name"},
	{Line: "consul kv get -recurse -token=" + readerToken + " ''"},
	{Line: "consul kv delete -recurse -token=" + writerToken + " ''"},
	{Line: "consul catalog nodes -token=" + readerToken},
	{Line: "consul catalog nodes -token=" + writerToken},
	{Line: "consul catalog services -token=" + readerToken},
	{Line: "consul services register -token=" + writerToken + " -name=web -port=80"},
	{Line: "consul services register -token=" + readerToken + " -name=web -port=80"},
	{Line: "consul services register -token=" + writerToken + " -name=db -port=80"},
	{Line: "consul services deregister -token=" + readerToken + " -id=web"},
	{Line: "consul catalog services -token=" + writerToken, Eventually: true},
	{Line: "consul lock -token=" + writerToken + " app/lock 'echo held'"},
	{Line: "consul lock -token=" + readerToken + " app/lock 'echo held'"},
	{Line: "consul info -token=" + readerToken + " | sed '/^raft:/,$d'", Numbers: true},
	{Line: "consul members -token=" + readerToken},
	{Line: "consul event -name=deploy -token=" + writerToken},
	{Line: "consul maint -enable -token=" + readerToken},
	{Line: "consul operator raft list-peers -token=" + readerToken},
	{Line: "consul operator autopilot get-config -token=" + readerToken},
	{Line: "consul snapshot save -token=" + writerToken + " denied.snap"},
	{Line: "consul connect ca get-config -token=" + readerToken},
	{Line: "consul config write -token=" + readerToken + " service-defaults.hcl"},
	{Line: "consul config write -token=" + writerToken + " service-defaults.hcl"},
	{Line: "consul intention create -token=" + writerToken + " web db"},
	{Line: "consul intention list -token=" + readerToken},
	{Line: "consul acl token list -token=" + readerToken},
	{Line: "consul acl policy create -name=mine -token=" + writerToken},

	// Other ways to a token.
	{Line: "consul acl templated-policy list", Sorted: true},
	{Line: "consul acl templated-policy read -name=builtin/service"},
	{Line: "consul acl templated-policy preview -name=builtin/node -var=name:n1"},
	{Line: "consul acl auth-method list"},
	{Line: "consul acl auth-method create -type=nonsense -name=x"},
	{Line: "consul acl auth-method read -name=nobody"},
	{Line: "consul acl binding-rule list"},
	{Line: "consul acl binding-rule create -method=nobody -bind-type=service -bind-name=x"},
	{Line: "consul login -method=nobody -bearer-token-file=value.txt -token-sink-file=sink"},
	{Line: "consul logout"},
	{Line: "consul acl set-agent-token default " + readerToken},

	// The end of them.
	{Line: "consul acl token delete -accessor-id=" + writerID},
	{Line: "consul kv get -token=" + writerToken + " app/name"},
	{Line: "consul acl token delete -accessor-id=" + unknownID},
	{Line: "consul acl token delete -accessor-id=00000000-0000-0000-0000-000000000002"},
	{Line: "consul acl role delete -name=readers"},
	{Line: "consul acl token read -accessor-id=" + readerID},
	{Line: "consul acl policy delete -name=reader"},
	{Line: "consul acl policy delete -name=reader"},
	{Line: "consul acl policy delete -name=global-management"},
	{Line: "consul kv get -token=" + readerToken + " app/name"},
}
