package main

import "runtime/debug"

// version names the build: a release's number, or the commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	v := "devel"
	if commit := buildSetting("vcs.revision"); commit != "" {
		v += " " + commit[:min(len(commit), 12)]
	}
	if buildSetting("vcs.modified") == "true" {
		v += " (modified)"
	}
	return v
}

// buildSetting is what the compiler has noted under a key, "" if nothing.
func buildSetting(key string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == key {
				return s.Value
			}
		}
	}
	return ""
}
