package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/drydock/drydock"

// mayImport says which folders the packages below a folder may import; tests
// may import more. The directions are those of the architecture: the programs
// at the top, the vocabulary at the bottom.
var mayImport = map[string][]string{
	".":                {"api", "cloud", "contract", "emulator", "jobs", "market", "operate", "role", "workers/alerts", "workers/mailer", "workers/quotes", "workers/runner", "workers/webhooks"},
	"api":              {"api", "cloud", "contract", "market"},
	"bench":            {"bench", "cloud", "contract", "emulator", "jobs", "operate", "workers/alerts", "workers/images/vips", "workers/runner"},
	"cloud":            {"cloud"},
	"contract":         {"contract"},
	"e2e":              {"contract", "emulator", "jobs", "operate"},
	"emulator":         {"cloud", "contract", "emulator", "host", "jobs"},
	"host":             {"host"},
	"jobs":             {},
	"market":           {"cloud", "contract"},
	"operate":          {"cloud", "contract", "host", "jobs", "operate"},
	"role":             {},
	"workers/alerts":   {"cloud", "contract"},
	"workers/images":   {"cloud", "contract", "role", "workers/images", "workers/runner"},
	"workers/mailer":   {"cloud", "contract", "workers/mailer", "workers/runner"},
	"workers/quotes":   {"cloud", "contract", "market", "workers/runner"},
	"workers/runner":   {"cloud"},
	"workers/webhooks": {"cloud", "contract", "workers/runner"},
}

// goPackage is a folder with Go files.
type goPackage struct {
	documented bool
	imports    map[string]bool // folders of this module; those of tests excepted
}

func readPackages(t *testing.T) map[string]*goPackage {
	t.Helper()
	packages := map[string]*goPackage{}
	require.NoError(t, filepath.WalkDir(".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && name != "." && (strings.HasPrefix(name, ".") || name == "testdata" || name == "tools" || name == "node_modules") {
			return fs.SkipDir
		}
		if entry.IsDir() || path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		folder := filepath.ToSlash(filepath.Dir(file))
		if packages[folder] == nil {
			packages[folder] = &goPackage{imports: map[string]bool{}}
		}
		if len(strings.TrimSpace(parsed.Doc.Text())) > 0 {
			packages[folder].documented = true
		}
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if below, ok := strings.CutPrefix(imported, module+"/"); ok {
				packages[folder].imports[below] = true
			}
		}
		return nil
	}))
	return packages
}

// ruled returns the longest folder of mayImport that holds the given one.
func ruled(folder string) string {
	longest := "."
	for rule := range mayImport {
		if within(folder, rule) && len(rule) > len(longest) {
			longest = rule
		}
	}
	if longest == "." && folder != "." {
		return ""
	}
	return longest
}

func within(folder, parent string) bool {
	return folder == parent || strings.HasPrefix(folder, parent+"/")
}

func TestStructureImportsRunOneWay(t *testing.T) {
	t.Parallel()
	for folder, p := range readPackages(t) {
		rule := ruled(folder)
		if !assert.NotEmpty(t, rule, "no rule for package %s: add one to mayImport", folder) {
			continue
		}
		for imported := range maps.Keys(p.imports) {
			allowed := slices.ContainsFunc(mayImport[rule], func(parent string) bool { return within(imported, parent) })
			assert.True(t, allowed, "package %s imports %s, but below %s only %v may be imported", folder, imported, rule, mayImport[rule])
		}
	}
}

func TestStructureServicesDoNotImportEachOther(t *testing.T) {
	t.Parallel()
	service := func(folder string) string {
		parts := strings.SplitN(folder, "/", 3)
		if len(parts) < 2 || parts[0] != "api" && parts[0] != "workers" || parts[1] == "runner" || parts[1] == "web" {
			return ""
		}
		return parts[0] + "/" + parts[1]
	}
	for folder, p := range readPackages(t) {
		own := service(folder)
		if own == "" {
			continue
		}
		for imported := range p.imports {
			if other := service(imported); other != "" {
				assert.Equal(t, own, other, "package %s imports %s", folder, imported)
			}
		}
	}
}

func TestStructureEveryPackageSaysWhatItIsFor(t *testing.T) {
	t.Parallel()
	packages := readPackages(t)
	require.NotEmpty(t, packages)
	for folder, p := range packages {
		assert.True(t, p.documented, "package %s has no package comment", folder)
	}
}
