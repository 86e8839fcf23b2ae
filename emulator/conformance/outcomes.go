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

// outcome is what came of a test.
type outcome struct {
	result string // pass, fail or skip; empty where the test did not end
	output strings.Builder
}

func (o *outcome) panicked() bool { return strings.Contains(o.output.String(), "panic: ") }

// outcomes are by package and test, as in api.TestAPI_KV. Subtests are part of
// their test.
type outcomes map[string]*outcome

// readOutcomes reads what `go test -json` prints.
func readOutcomes(from io.Reader) (outcomes, error) {
	all := outcomes{}
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
			all[name] = &outcome{}
		}
		switch event.Action {
		case "output":
			all[name].output.WriteString(event.Output)
		case "pass", "fail", "skip":
			if !isSubtest {
				all[name].result = event.Action
			} else if event.Action == "fail" {
				fmt.Fprintf(&all[name].output, "subtest %s failed\n", subtest)
			}
		}
	}
}

// saveLogs writes what each test that did not pass printed into a folder of the
// program's in the user's cache folder, in place of the last run's, and returns
// that folder.
func saveLogs(program string, all outcomes) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "drydock", "conformance", program)
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if all[name].result == "pass" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name+".log"), []byte(all[name].output.String()), 0o644); err != nil {
			return "", err
		}
	}
	return dir, nil
}
