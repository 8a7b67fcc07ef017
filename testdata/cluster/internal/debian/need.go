// Package debian finds the programs that nodes need and that are not compiled
// here, or unpacks them from the distribution's packages into a folder. Nothing
// is installed.
package debian

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Need is a package and what is used of it.
type Need struct {
	Package string
	// Programs are looked for on PATH.
	Programs []string
	// Plugins are looked for in the usual folders of network plugins.
	Plugins []string
	What    string
}

// Needs are the packages of a node, named as in Debian and Ubuntu.
func Needs() []Need {
	return []Need{
		{Package: "containerd", Programs: []string{"containerd", "containerd-shim-runc-v2", "ctr"}, What: "container runtime"},
		{Package: "runc", Programs: []string{"runc"}, What: "starts containers"},
		{
			Package: "containernetworking-plugins", Plugins: []string{"ptp", "host-local", "loopback", "portmap"},
			What: "networks of pods",
		},
		{Package: "nftables", Programs: []string{"nft"}, What: "rules of kube-proxy"},
	}
}

// Place is where programs and plugins are looked for.
type Place struct {
	// Path are folders of programs, Plugins folders of network plugins.
	Path    []string
	Plugins []string
}

// Machine is the place of what is installed: the folders of PATH that nodes see
// too, and those for root's programs, which an ordinary user's PATH lacks.
func Machine(path string) Place {
	var dirs []string
	usual := []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}
	for _, dir := range append(filepath.SplitList(path), usual...) {
		if inNodes(dir) && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	return Place{Path: dirs, Plugins: []string{"/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni"}}
}

// inNodes says whether a folder of the machine is part of a node's root file
// system.
func inNodes(dir string) bool {
	for _, top := range []string{"/usr/", "/bin/", "/sbin/", "/opt/", "/nix/", "/gnu/"} {
		if strings.HasPrefix(dir+"/", top) {
			return true
		}
	}
	return false
}

// Unpacked is the place of packages unpacked into a folder.
func Unpacked(dir string) Place {
	p := Place{Plugins: []string{filepath.Join(dir, "usr/lib/cni"), filepath.Join(dir, "opt/cni/bin")}}
	for _, sub := range []string{"usr/sbin", "usr/bin", "sbin", "bin"} {
		p.Path = append(p.Path, filepath.Join(dir, sub))
	}
	return p
}

// Missing are the needs that the place does not fill wholly.
func (p Place) Missing(needs []Need) []Need {
	var missing []Need
	for _, n := range needs {
		lacks := len(n.Plugins) > 0 && p.PluginFolder(n.Plugins) == ""
		for _, program := range n.Programs {
			lacks = lacks || p.Program(program) == ""
		}
		if lacks {
			missing = append(missing, n)
		}
	}
	return missing
}

// Program is the path of a program, empty when it is not there.
func (p Place) Program(name string) string {
	for _, dir := range p.Path {
		if file := filepath.Join(dir, name); filepath.IsAbs(file) && executable(file) {
			return file
		}
	}
	return ""
}

// PluginFolder is the first folder that holds all the plugins.
func (p Place) PluginFolder(names []string) string {
	for _, dir := range p.Plugins {
		all := true
		for _, name := range names {
			all = all && executable(filepath.Join(dir, name))
		}
		if all {
			return dir
		}
	}
	return ""
}

func executable(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// Names are the packages of needs, and what each is for.
func Names(needs []Need) string {
	var names []string
	for _, n := range needs {
		names = append(names, n.Package+" ("+n.What+")")
	}
	return strings.Join(names, ", ")
}
