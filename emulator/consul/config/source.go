package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/drydock/drydock/emulator/settings"
)

// source is a file, a folder of files, or a piece of HCL from the command line.
type source struct {
	path     string
	isFolder bool
	hcl      string
}

// read returns what the source says, file by file. Format is hcl or json;
// empty, a file's extension says it.
func (s source) read(format string) ([]tree, error) {
	if s.hcl != "" {
		values, err := parse([]byte(s.hcl), "hcl")
		if err != nil {
			return nil, &InvalidError{"flag-hcl", err.Error()}
		}
		return []tree{{"flag-hcl", values}}, nil
	}
	files, err := s.files(format)
	if err != nil {
		return nil, err
	}
	var list []tree
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, openError(file, err)
		}
		values, err := parse(text, formatOf(file, format))
		if err != nil {
			return nil, &InvalidError{file, err.Error()}
		}
		list = append(list, tree{file, values})
	}
	return list, nil
}

// openError is a file's error in Consul's words.
func openError(path string, err error) error {
	var failed *os.PathError
	if errors.As(err, &failed) {
		return fmt.Errorf("config: Open failed on %s. %w", path, failed)
	}
	return err
}

// files lists the files of the source; of a folder, those that are configuration.
func (s source) files(format string) ([]string, error) {
	info, err := os.Stat(s.path)
	var failed *os.PathError
	if errors.As(err, &failed) {
		failed.Op = "open"
		return nil, openError(s.path, failed)
	}
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		if formatOf(s.path, format) == "" {
			return nil, fmt.Errorf("file %s has unknown extension; must be .hcl or .json, or config format must be set", s.path)
		}
		return []string{s.path}, nil
	}
	entries, err := os.ReadDir(s.path)
	if err != nil {
		return nil, openError(s.path, err)
	}
	var files []string
	for _, entry := range entries {
		if !entry.IsDir() && formatOf(entry.Name(), "") != "" {
			files = append(files, filepath.Join(s.path, entry.Name()))
		}
	}
	return files, nil
}

func formatOf(file, format string) string {
	if format != "" {
		return format
	}
	switch extension := strings.TrimPrefix(filepath.Ext(file), "."); extension {
	case "hcl", "json":
		return extension
	}
	return ""
}

// parse reads HCL or JSON.
func parse(text []byte, format string) (settings.Tree, error) {
	values, err := settings.Parse(text, format == "json")
	if err != nil {
		return nil, err
	}
	oneAsMany(values, "service", "services")
	oneAsMany(values, "check", "checks")
	return values, nil
}

// oneAsMany moves what is under the singular into the list under the plural.
func oneAsMany(values map[string]any, one, many string) {
	list, isList := values[many].([]any)
	if value, ok := values[many]; ok && value != nil && !isList {
		list = []any{value}
	}
	switch value := values[one].(type) {
	case nil:
	case []any:
		list = append(list, value...)
	default:
		list = append(list, value)
	}
	delete(values, one)
	if list != nil {
		values[many] = list
	}
}
