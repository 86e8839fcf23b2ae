package main

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
var aclCommands = []command{
	// Nobody has the token yet that the environment names.
	{line: "consul kv get app/name"},
	{line: "consul acl token list"},
	{line: "consul members -token=''"},
	{line: "consul acl bootstrap bootstrap.token"},
	{line: "consul acl bootstrap"},
	{line: "consul acl token read -self"},

	// Policies.
	{line: "consul acl policy list", sorted: true},
	{line: "consul acl policy create -name=reader -description='reads the app' -rules=@reader.hcl"},
	{line: "consul acl policy create -name=reader -rules=@reader.hcl"},
	{line: "consul acl policy create -name=writer -rules=@writer.hcl -valid-datacenter=dc1 -format=json"},
	{line: "consul acl policy create -name=bad -rules=@bad-rules.hcl"},
	{line: "consul acl policy create -name='bad name' -rules=@reader.hcl"},
	{line: "consul acl policy read -name=reader"},
	{line: "consul acl policy read -name=reader -meta -format=json"},
	{line: "consul acl policy read -name=nobody"},
	{line: "consul acl policy read -id=00000000-0000-0000-0000-000000000001"},
	{line: "consul acl policy update -name=reader -description='only reads' -no-merge -rules=@reader.hcl"},
	{line: "consul acl policy update -name=global-management -rules=@reader.hcl"},
	{line: "consul acl policy list -format=json", sorted: true},
	{line: "consul acl policy list", sorted: true},

	// Roles.
	{line: "consul acl role create -name=readers -policy-name=reader"},
	{line: "consul acl role create -name=readers -policy-name=reader"},
	{line: "consul acl role create -name=web -service-identity=web:dc1 -node-identity=n1:dc1 -format=json"},
	{line: "consul acl role create -name=broken -policy-name=nobody"},
	{line: "consul acl role read -name=readers"},
	{line: "consul acl role read -name=nobody"},
	{line: "consul acl role list", sorted: true},
	{line: "consul acl role list -format=json", sorted: true},

	// Tokens.
	{line: "consul acl token create -description=reads -role-name=readers -accessor=" + readerID + " -secret=" + readerToken},
	{line: "consul acl token create -description=writes -policy-name=writer -accessor=" + writerID + " -secret=" + writerToken + " -format=json"},
	{line: "consul acl token create -description=again -policy-name=writer -secret=" + writerToken},
	{line: "consul acl token create -policy-name=nobody"},
	{line: "consul acl token create -policy-name=writer -secret=00000000-0000-0000-0000-000000000009"},
	{line: "consul acl token create -service-identity=api -expires-ttl=1h -description=expires"},
	{line: "consul acl token create -expires-ttl=1s -policy-name=writer"},
	{line: "consul acl token create -templated-policy=builtin/service -var=name:api"},
	{line: "consul acl token create -templated-policy=builtin/nonsense"},
	{line: "consul acl token read -accessor-id=" + readerID},
	{line: "consul acl token read -accessor-id=" + readerID + " -expanded"},
	{line: "consul acl token read -accessor-id=" + unknownID},
	{line: "consul acl token read -accessor-id=00000000-0000-0000-0000-000000000002"},
	{line: "consul acl token read -self -token=" + readerToken},
	{line: "consul acl token update -accessor-id=" + readerID + " -description='still reads' -append-policy-name=writer"},
	{line: "consul acl token update -accessor-id=" + readerID + " -role-name=readers"},
	{line: "consul acl token clone -accessor-id=" + writerID + " -description=clone"},
	{line: "consul acl token list", sorted: true},
	{line: "consul acl token list -format=json", sorted: true},

	// What they permit.
	{line: "consul kv put -token=" + readerToken + " app/name drydock"},
	{line: "consul kv put -token=" + writerToken + " app/name drydock"},
	{line: "consul kv put -token=" + writerToken + " other/name drydock"},
	{line: "consul kv get -token=" + readerToken + " app/name"},
	{line: "consul kv get -token=" + unknownToken + " app/name"},
	{line: "consul kv get -token='' app/name"},
	{line: "consul kv get -recurse -token=" + readerToken + " ''"},
	{line: "consul kv delete -recurse -token=" + writerToken + " ''"},
	{line: "consul catalog nodes -token=" + readerToken},
	{line: "consul catalog nodes -token=" + writerToken},
	{line: "consul catalog services -token=" + readerToken},
	{line: "consul services register -token=" + writerToken + " -name=web -port=80"},
	{line: "consul services register -token=" + readerToken + " -name=web -port=80"},
	{line: "consul services register -token=" + writerToken + " -name=db -port=80"},
	{line: "consul services deregister -token=" + readerToken + " -id=web"},
	{line: "consul catalog services -token=" + writerToken, eventually: true},
	{line: "consul lock -token=" + writerToken + " app/lock 'echo held'"},
	{line: "consul lock -token=" + readerToken + " app/lock 'echo held'"},
	{line: "consul info -token=" + readerToken + " | sed '/^raft:/,$d'", numbers: true},
	{line: "consul members -token=" + readerToken},
	{line: "consul event -name=deploy -token=" + writerToken},
	{line: "consul maint -enable -token=" + readerToken},
	{line: "consul operator raft list-peers -token=" + readerToken},
	{line: "consul operator autopilot get-config -token=" + readerToken},
	{line: "consul snapshot save -token=" + writerToken + " denied.snap"},
	{line: "consul connect ca get-config -token=" + readerToken},
	{line: "consul config write -token=" + readerToken + " service-defaults.hcl"},
	{line: "consul config write -token=" + writerToken + " service-defaults.hcl"},
	{line: "consul intention create -token=" + writerToken + " web db"},
	{line: "consul intention list -token=" + readerToken},
	{line: "consul acl token list -token=" + readerToken},
	{line: "consul acl policy create -name=mine -token=" + writerToken},

	// Other ways to a token.
	{line: "consul acl templated-policy list", sorted: true},
	{line: "consul acl templated-policy read -name=builtin/service"},
	{line: "consul acl templated-policy preview -name=builtin/node -var=name:n1"},
	{line: "consul acl auth-method list"},
	{line: "consul acl auth-method create -type=nonsense -name=x"},
	{line: "consul acl auth-method read -name=nobody"},
	{line: "consul acl binding-rule list"},
	{line: "consul acl binding-rule create -method=nobody -bind-type=service -bind-name=x"},
	{line: "consul login -method=nobody -bearer-token-file=value.txt -token-sink-file=sink"},
	{line: "consul logout"},
	{line: "consul acl set-agent-token default " + readerToken},

	// The end of them.
	{line: "consul acl token delete -accessor-id=" + writerID},
	{line: "consul kv get -token=" + writerToken + " app/name"},
	{line: "consul acl token delete -accessor-id=" + unknownID},
	{line: "consul acl token delete -accessor-id=00000000-0000-0000-0000-000000000002"},
	{line: "consul acl role delete -name=readers"},
	{line: "consul acl token read -accessor-id=" + readerID},
	{line: "consul acl policy delete -name=reader"},
	{line: "consul acl policy delete -name=reader"},
	{line: "consul acl policy delete -name=global-management"},
	{line: "consul kv get -token=" + readerToken + " app/name"},
}
