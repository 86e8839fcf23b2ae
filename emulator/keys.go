package emulator

import (
	crypto "crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

const (
	keysFile    = "keys.json"
	secretsFile = "secrets.json"
)

// unsubscribeKey names the secret by which the mailer and the alerts API know
// each other's unsubscribe links.
const unsubscribeKey = "unsubscribe"

// mailFrom is the sender of the jobs' mails.
const mailFrom = "Drydock <alerts@drydock.example>"

// rootKey is the access key for people, which may do everything. Each job has one
// of its own name.
const rootKey = "drydock"

// keys are secrets by their name or access key.
type keys map[string]string

// loadKeys reads the keys, and makes those of the names that are missing.
func loadKeys(path string, names []string) (keys, error) {
	k := keys{}
	data, err := os.ReadFile(path)
	if err == nil {
		if err := json.Unmarshal(data, &k); err != nil {
			return nil, fmt.Errorf("read keys %s: %w; remove the file to have new ones made", path, err)
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	made := false
	for _, name := range names {
		if k[name] == "" {
			k[name] = crypto.Text()
			made = true
		}
	}
	if !made {
		return k, nil
	}
	if data, err = json.MarshalIndent(k, "", "  "); err != nil {
		return nil, err
	}
	err = os.WriteFile(path+".new", append(data, '\n'), 0o600)
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		return nil, fmt.Errorf("keep keys: %w", err)
	}
	return k, nil
}
