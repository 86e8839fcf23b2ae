package agents

import (
	"os"
	"path/filepath"
)

// Find looks a program up on a PATH, which need not be this process's own. It is
// the path of its file; empty if it is not there.
func Find(program, path string) string {
	for _, dir := range filepath.SplitList(path) {
		file := filepath.Join(dir, program)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return file
		}
	}
	return ""
}
