package jobs

import (
	"regexp"
	"sync"

	"github.com/hashicorp/nomad/api"
)

const vaultIdentity = "vault_"

var (
	identityName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-zA-Z0-9-_]{1,128}$`) })
	secretName   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-zA-Z0-9_]{1,128}$`) })
)

func checkIdentities(p *problems, task *api.Task) {
	for _, identity := range append([]*api.WorkloadIdentity{task.Identity}, task.Identities...) {
		var wrong problems
		checkIdentity(&wrong, identity)
		p.in(wrong, "Identity %q is invalid: ", identity.Name)
	}
	for _, identity := range task.Identities {
		if isDefaultIdentity(identity) {
			p.add("Duplicate default identities found")
			return
		}
	}
}

func checkIdentity(p *problems, i *api.WorkloadIdentity) {
	p.when(!identityName().MatchString(i.Name), "invalid name %q. Must match regex %s", i.Name, identityName())
	for n, audience := range i.Audience {
		p.when(audience == "", "an empty string is an invalid audience (%d)", n+1)
	}
	switch i.ChangeMode {
	case "", changeNoop, changeRestart:
		p.when(i.ChangeSignal != "", "can only use change_signal=%q with change_mode=%q", i.ChangeSignal, changeSignal)
	case changeSignal:
		p.when(i.ChangeSignal == "", "change_signal must be specified when using change_mode=%q", changeSignal)
	default:
		p.add("invalid change_mode: %s", i.ChangeMode)
	}
	p.when(i.TTL > 0 && i.Name == DefaultIdentity, "ttl for default identity not yet supported")
	p.when(i.TTL < 0, "ttl must be >= 0")
	p.when(i.Filepath != "" && !i.File, "file parameter must be true in order to specify filepath")
}

// warnIdentity tells how an identity could be safer.
func warnIdentity(i *api.WorkloadIdentity) (p problems) {
	switch n := len(i.Audience); {
	case n == 0 && i.Name != DefaultIdentity:
		p.add("identities without an audience are insecure")
	case n > 1:
		p.add("while multiple audiences is allowed, it is more secure to use 1 audience per identity")
	}
	p.when(i.TTL == 0 && !isDefaultIdentity(i), "identities without an expiration are insecure")
	p.when(i.Env && i.ChangeMode != changeRestart,
		"using env=true without change_mode=\"restart\" may result in task not getting updated identity")
	return p
}

func checkSecrets(p *problems, task *api.Task) {
	seen := map[string]bool{}
	for _, secret := range task.Secrets {
		p.when(seen[secret.Name], "Duplicate secret %q found", secret.Name)
		seen[secret.Name] = true
		p.when(secret.Provider == "vault" && task.Vault == nil, "Secret %q has provider \"vault\" but no vault block", secret.Name)
		var wrong problems
		wrong.when(secret.Name == "", "secret name cannot be empty")
		wrong.when(!secretName().MatchString(secret.Name), "secret name must match regex %s", secretName())
		wrong.when(secret.Provider == "", "secret provider cannot be empty")
		wrong.when(secret.Path == "", "secret path cannot be empty")
		switch secret.Provider {
		case "nomad", "vault":
			wrong.when(len(secret.Env) > 0, "%s provider cannot use the env block", secret.Provider)
		default:
			wrong.when(len(secret.Config) > 0, "custom plugin provider %s cannot use the config block", secret.Provider)
		}
		p.in(wrong, "Secret %q is invalid: ", secret.Name)
	}
}
