package client

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"

	"github.com/hashicorp/nomad/api"
)

// VolumePlugin is the one plugin that makes volumes of the host: it makes a folder.
const VolumePlugin = "mkdir"

// volumePluginVersion is the attribute of a node that has the plugin.
const volumePluginVersion = "plugins.host_volume." + VolumePlugin + ".version"

// errVolumeExists is about a second volume of a name.
var errVolumeExists = errors.New("volume name already exists on this node")

// CreateVolume makes the folder of a volume as its parameters say, or finds it
// made, and has the node offer it. It returns the folder.
func (c *Client) CreateVolume(v *api.HostVolume) (folder string, err error) {
	if v.PluginID != VolumePlugin {
		return "", fmt.Errorf("no such plugin: %q", v.PluginID)
	}
	if err := c.checkVolumeName(v); err != nil {
		return "", err
	}
	owner, err := ownerOf(v.Parameters)
	if err != nil {
		return "", err
	}
	folder = c.volumeFolder(v.ID)
	if _, err := os.Stat(folder); errors.Is(err, os.ErrNotExist) {
		if err := owner.makeFolder(folder); err != nil {
			return "", err
		}
	}
	return folder, c.offerVolume(v, folder)
}

// RegisterVolume has the node offer a volume whose folder is there already.
func (c *Client) RegisterVolume(v *api.HostVolume) error {
	if err := c.checkVolumeName(v); err != nil {
		return err
	}
	if _, err := os.Stat(v.HostPath); err != nil {
		return fmt.Errorf("could not verify host path for %q: %w", v.Name, err)
	}
	return c.offerVolume(v, v.HostPath)
}

// DeleteVolume has the node offer a volume no longer, and removes its folder if
// the node has made it.
func (c *Client) DeleteVolume(v *api.HostVolume) error {
	if err := os.RemoveAll(c.volumeFolder(v.ID)); err != nil {
		return err
	}
	return c.changeVolumes(func(all map[string]*api.HostVolumeInfo) { forgetVolume(all, v.ID) })
}

func (c *Client) volumeFolder(id string) string {
	return filepath.Join(c.options.Dir, "host_volumes", id)
}

// checkVolumeName is an error when another volume has the name.
func (c *Client) checkVolumeName(v *api.HostVolume) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.volumes[v.Name]; known != nil && known.ID != v.ID {
		return errVolumeExists
	}
	return nil
}

func (c *Client) offerVolume(v *api.HostVolume, folder string) error {
	return c.changeVolumes(func(all map[string]*api.HostVolumeInfo) {
		forgetVolume(all, v.ID)
		all[v.Name] = &api.HostVolumeInfo{ID: v.ID, Path: folder}
	})
}

func forgetVolume(all map[string]*api.HostVolumeInfo, id string) {
	maps.DeleteFunc(all, func(_ string, info *api.HostVolumeInfo) bool { return info.ID == id })
}

// changeVolumes changes what volumes the node has, and tells the servers unless
// the node is gone: then they hear of it when it comes back.
func (c *Client) changeVolumes(change func(map[string]*api.HostVolumeInfo)) error {
	c.mu.Lock()
	change(c.volumes)
	s := c.session
	c.mu.Unlock()
	if s == nil {
		return nil
	}
	return c.options.Server.RegisterNode(s.changeNode(func(*api.Node) {}), s.secret)
}

// volumesNow are the volumes that the node has.
func (c *Client) volumesNow() map[string]*api.HostVolumeInfo {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.volumes)
}

// changeNode changes what is known of the node. Its volumes are brought up to
// date, too.
func (s *session) changeNode(change func(*api.Node)) *api.Node {
	s.nodeTurn.Lock()
	defer s.nodeTurn.Unlock()
	node := *s.node.Load()
	change(&node)
	node.HostVolumes = s.volumesNow()
	s.node.Store(&node)
	return &node
}

// folderOwner is whose the folder of a volume is to be: -1 is nobody in
// particular.
type folderOwner struct {
	mode     os.FileMode
	uid, gid int
}

// ownerOf reads the parameters of the plugin.
func ownerOf(parameters map[string]string) (owner folderOwner, err error) {
	owner = folderOwner{mode: 0o700, uid: -1, gid: -1}
	if text, given := parameters["mode"]; given {
		mode, err := strconv.ParseUint(text, 8, 32)
		if err != nil {
			return owner, fmt.Errorf("invalid value for %q: %w", "mode", err)
		}
		owner.mode = os.FileMode(mode)
	}
	for name, into := range map[string]*int{"uid": &owner.uid, "gid": &owner.gid} {
		text, given := parameters[name]
		if !given {
			continue
		}
		if *into, err = strconv.Atoi(text); err != nil {
			return owner, fmt.Errorf("invalid value for %q: %w", name, err)
		}
	}
	return owner, nil
}

func (o folderOwner) makeFolder(folder string) error {
	if err := os.MkdirAll(filepath.Dir(folder), 0o700); err != nil {
		return err
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		return err
	}
	if err := os.Chmod(folder, o.mode); err != nil { // whatever the mask of the process
		return err
	}
	if o.uid < 0 && o.gid < 0 {
		return nil
	}
	return os.Chown(folder, o.uid, o.gid)
}
