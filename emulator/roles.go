package emulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"strings"

	"github.com/drydock/drydock/emulator/s3"
	"github.com/drydock/drydock/emulator/s3/iam"
	"github.com/drydock/drydock/jobs"
)

// objectStore is the job that runs the object store on a cluster, and says there
// which role may do what.
const objectStore = "minio"

// storeKeys are the keys to the object store: that of people, and those of the
// roles, as on a cluster: each may do what the store's job file says, and one of
// which it says nothing has no key. In a folder of job files without that of the
// store nothing is said, and every job has a key that may do everything.
func storeKeys(files fs.FS, secrets keys) (map[string]s3.Key, error) {
	all := map[string]s3.Key{}
	for name, secret := range secrets {
		all[name] = s3.Key{Secret: secret}
	}
	if files == nil {
		return all, nil
	}
	if _, err := fs.Stat(files, objectStore+jobs.Extension); errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	policies, err := rolePolicies(files)
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(all, func(name string, _ s3.Key) bool { return name != rootKey && policies[name] == nil })
	for role, policy := range policies {
		if key, ok := all[role]; ok {
			all[role] = s3.Key{Secret: key.Secret, Policy: policy}
		}
	}
	return all, nil
}

// rolePolicies reads the policies of the store's job file, which it has as
// templates policies/<role>.json.
func rolePolicies(files fs.FS) (map[string]*iam.Policy, error) {
	store, err := jobs.Read(files, objectStore, map[string]string{"bucket": Bucket})
	if err != nil {
		return nil, err
	}
	policies := map[string]*iam.Policy{}
	for _, group := range store.TaskGroups {
		for _, task := range group.Tasks {
			for _, template := range task.Templates {
				if template.DestPath == nil || template.EmbeddedTmpl == nil {
					continue
				}
				folder, file := path.Split(*template.DestPath)
				role, found := strings.CutSuffix(file, ".json")
				if !found || path.Base(folder) != "policies" {
					continue
				}
				policy, err := iam.Parse(json.RawMessage(*template.EmbeddedTmpl))
				if err != nil {
					return nil, fmt.Errorf("policy of %s in the job %s: %w", role, objectStore, err)
				}
				policies[role] = policy
			}
		}
	}
	return policies, nil
}
