package jobs

import (
	"encoding/hex"
	"path"
	"strconv"
	"strings"

	"github.com/hashicorp/nomad/api"
)

// What a task does when something that it uses changes.
const (
	changeNoop    = "noop"
	changeSignal  = "signal"
	changeScript  = "script"
	changeRestart = "restart"
)

// escapes tells whether a path below a folder of the allocation leads out of the
// allocation. What variables stand for is not known yet.
func escapes(folder, file string) bool {
	joined := path.Join(folder, file)
	return joined == ".." || strings.HasPrefix(joined, "../")
}

func checkTemplates(p *problems, templates []*api.Template) {
	first := map[string]int{}
	for i, template := range templates {
		var wrong problems
		checkTemplate(&wrong, template)
		p.in(wrong, "Template %d validation failed: ", i+1)
		if before, ok := first[*template.DestPath]; ok {
			p.add("Template %d has same destination as %d", i+1, before)
		} else {
			first[*template.DestPath] = i + 1
		}
	}
}

func checkTemplate(p *problems, t *api.Template) {
	p.when(*t.SourcePath == "" && *t.EmbeddedTmpl == "", "Must specify a source path or have an embedded template")
	p.when(*t.DestPath == "", "Must specify a destination for the template")
	p.when(escapes("task", *t.DestPath), "destination escapes allocation directory")
	checkTemplateChange(p, t)
	p.when(*t.Splay < 0, "Must specify positive splay value")
	if *t.Perms != "" {
		if _, err := strconv.ParseUint(*t.Perms, 8, 12); err != nil {
			p.add("Failed to parse %q as octal: %v", *t.Perms, err)
		}
	}
	if w := t.Wait; w != nil && w.Min != nil && w.Max != nil && *w.Min > *w.Max {
		p.add("wait min %v is greater than max %v", *w.Min, *w.Max)
	}
}

func checkTemplateChange(p *problems, t *api.Template) {
	switch *t.ChangeMode {
	case changeNoop, changeRestart:
	case changeSignal:
		p.when(*t.ChangeSignal == "", "Must specify signal value when change mode is signal")
		p.when(*t.Envvars, "cannot use signals with env var templates")
	case changeScript:
		if t.ChangeScript == nil {
			p.add("must specify change script configuration value when change mode is script")
		} else {
			p.when(*t.ChangeScript.Command == "", "must specify script path value when change mode is script")
		}
	default:
		p.add("Invalid change mode. Must be one of the following: noop, signal, script, restart")
	}
}

func checkVault(p *problems, v *api.Vault) {
	if v == nil {
		return
	}
	var wrong problems
	switch *v.ChangeMode {
	case changeNoop, changeRestart:
	case changeSignal:
		wrong.when(*v.ChangeSignal == "", "Signal must be specified when using change mode %q", changeSignal)
	default:
		wrong.add("Unknown change mode %q", *v.ChangeMode)
	}
	p.in(wrong, "Vault validation failed: ")
}

func checkArtifacts(p *problems, artifacts []*api.TaskArtifact) {
	for i, artifact := range artifacts {
		var wrong problems
		wrong.when(*artifact.GetterSource == "", "source must be specified")
		switch *artifact.GetterMode {
		case "any", "file", "dir":
		default:
			wrong.add("invalid artifact mode %q; must be one of: any, file, dir", *artifact.GetterMode)
		}
		wrong.when(escapes("task", *artifact.RelativeDest), "destination escapes allocation directory")
		checkChecksum(&wrong, artifact.GetterOptions)
		p.in(wrong, "Artifact %d validation failed: ", i+1)
	}
}

func checkChecksum(p *problems, options map[string]string) {
	checksum, ok := options["checksum"]
	if !ok || strings.Contains(checksum, "${") {
		return
	}
	checksum = strings.TrimSpace(checksum)
	if checksum == "" {
		p.add("checksum value cannot be empty")
		return
	}
	parts := strings.Split(checksum, ":")
	if len(parts) != 2 {
		p.add("checksum must be given as \"type:value\"; got %q", checksum)
		return
	}
	kind, text := parts[0], parts[1]
	sum, err := hex.DecodeString(text)
	if err != nil {
		p.add("invalid checksum: %v", err)
		return
	}
	switch lengths := map[string]int{"md5": 16, "sha1": 20, "sha256": 32, "sha512": 64}; {
	case lengths[kind] == 0:
		p.add("unsupported checksum type: %s", kind)
	case lengths[kind] != len(sum):
		p.add("invalid %s checksum: %s", kind, text)
	}
}
