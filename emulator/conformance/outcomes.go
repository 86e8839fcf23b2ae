package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Outcome is what came of a test.
type Outcome struct {
	Result string // pass, fail or skip; empty where the test did not end
	Output strings.Builder
}

func (o *Outcome) panicked() bool { return strings.Contains(o.Output.String(), "panic: ") }

// Outcomes are by name; those of `go test` by package and test, as in api.TestAPI_KV. Subtests are part of
// their test.
type Outcomes map[string]*Outcome

// readOutcomes reads what `go test -json` prints.
func readOutcomes(from io.Reader) (Outcomes, error) {
	all := Outcomes{}
	for decoder := json.NewDecoder(from); ; {
		var event struct{ Action, Package, Test, Output string }
		err := decoder.Decode(&event)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read the results of the tests: %w", err)
		}
		if event.Test == "" {
			continue
		}
		test, subtest, isSubtest := strings.Cut(event.Test, "/")
		name := path.Base(event.Package) + "." + test
		if all[name] == nil {
			all[name] = &Outcome{}
		}
		switch event.Action {
		case "output":
			all[name].Output.WriteString(event.Output)
		case "pass", "fail", "skip":
			if !isSubtest {
				all[name].Result = event.Action
			} else if event.Action == "fail" {
				fmt.Fprintf(&all[name].Output, "subtest %s failed\n", subtest)
			}
		}
	}
}

// saveLogs writes what each test that did not pass printed into a folder of the
// title in the user's cache folder, in place of the last run's, and returns that
// folder.
func saveLogs(title string, all Outcomes) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "drydock", "conformance", filepath.FromSlash(title))
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if all[name].Result == "pass" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name+".log"), []byte(all[name].Output.String()), 0o644); err != nil {
			return "", err
		}
	}
	return dir, nil
}
