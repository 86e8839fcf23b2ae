package cluster

import (
	"fmt"
	"os"
	"path/filepath"
)

// nameSources has names looked up in DNS alone, and nothing asked of a service
// of the machine, as systemd-resolved, which knows nothing of the zones.
const nameSources = "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n"

// makeResolver has the zone's processes find names through the zone's Consul.
func (s site) makeResolver(z Zone) error {
	files := map[string]string{
		"resolv.conf": fmt.Sprintf("nameserver %s\noptions timeout:1 attempts:2\n", z.Address),
	}
	if _, err := os.Stat("/etc/nsswitch.conf"); err == nil {
		files["nsswitch.conf"] = nameSources
	}
	if err := os.MkdirAll(s.resolver(z.Name), 0o755); err != nil {
		return fmt.Errorf("have zone %s find names: %w", z.Name, err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(s.resolver(z.Name), name), []byte(text), 0o644); err != nil {
			return fmt.Errorf("have zone %s find names: %w", z.Name, err)
		}
	}
	return nil
}

// removeResolvers removes what makeResolver made, and the folder of all such
// files where nothing else is in it.
func (s site) removeResolvers() error {
	for _, zone := range zoneNames {
		if err := os.RemoveAll(s.resolver(zone)); err != nil {
			return err
		}
	}
	os.Remove(s.etc) // fails where there is something of others
	return nil
}
