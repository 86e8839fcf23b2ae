package role

import "runtime/debug"

// version is set by the linker in released builds.
var version string

// Version names the build: the release, else the module's or the revision's version.
func Version() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(unknown)"
}
