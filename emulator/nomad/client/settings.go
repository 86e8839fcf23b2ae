package client

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/client/driver"
)

// The settings of a client's options block that mean something here.
const (
	settingDriverAllow = "driver.allowlist"
	settingDriverDeny  = "driver.denylist"
	settingUserDeny    = "user.denylist"
	settingUserChecked = "user.checked_drivers"
)

// Who may not run tasks, and with which drivers, unless the settings say so.
const (
	defaultUserDeny    = "root,Administrator"
	defaultUserChecked = "exec"
)

// setting is a list among the settings, or the other one where it is not set.
func (o *Options) setting(name, otherwise string) []string {
	text, set := o.Settings[name]
	if !set {
		text = otherwise
	}
	var list []string
	for entry := range strings.SplitSeq(text, ",") {
		if entry = strings.TrimSpace(entry); entry != "" {
			list = append(list, entry)
		}
	}
	return list
}

// allowed are the drivers that the settings let the node have.
func (o *Options) allowed() map[string]driver.Driver {
	allow, deny := o.setting(settingDriverAllow, ""), o.setting(settingDriverDeny, "")
	drivers := map[string]driver.Driver{}
	for _, d := range o.Drivers {
		if (len(allow) == 0 || slices.Contains(allow, d.Name())) && !slices.Contains(deny, d.Name()) {
			drivers[d.Name()] = d
		}
	}
	return drivers
}

// checkUser says why a task may not run as its user.
func (o *Options) checkUser(spec *api.Task, user string) error {
	if !slices.Contains(o.setting(settingUserChecked, defaultUserChecked), spec.Driver) {
		return nil
	}
	if slices.Contains(o.setting(settingUserDeny, defaultUserDeny), user) {
		return fmt.Errorf("validate: running as user %q is disallowed", user)
	}
	return nil
}
